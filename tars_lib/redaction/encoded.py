"""Texts as they are read: without percent signs, escapes and entities, and out of base64 and hexadecimal digits.

Each reading keeps the place of its characters in the source, so that what is found in it can be replaced there.
"""

from __future__ import annotations

import binascii
import html
import re
import unicodedata
import zlib
from collections.abc import Iterator

SHORTEST_BASE64 = 12
"""Characters of base64, padding included, from which it is read: 7 bytes. Judgement: shorter ones are words like any other."""
_MOST_PARTS = 8
"""Starts of base64 that are tried in one run of its letters, each after a slash: a path may stand before it. Judgement."""
_DEEPEST = 3
"""Base64 within base64 that is read; judgement."""

# entities, backslashes before ASCII punctuation (CommonMark 0.31.2, 2.4), zero-width characters, places to break a line,
# octets in percent signs (RFC 3986, 2.1), escapes of JSON (RFC 8259, 7), of YAML (1.2.2, 5.7) and of programs
_WRITTEN = re.compile(
    r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});"
    r"|(?:%[0-9a-fA-F]{2})+"
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|U000[0-9a-fA-F]{5}|U0010[0-9a-fA-F]{4})"
    # a letter and the accents after it (Unicode UAX 15): macOS writes names so
    r"|[^\W\d_][\u0300-\u036f]+"
    r"|\\(?=[!-/:-@\[-`{-~])|[\u00ad\u200b-\u200d\u2060\ufeff]|<wbr ?/?>"
)
# RFC 4648, sections 4 and 5; lines as in RFC 2045, section 6.8 and RFC 7468, section 2
_BASE64 = re.compile(rf"(?:[A-Za-z0-9+/]{{60,76}}\r?\n[ \t]*)*[A-Za-z0-9+/_-]{{{SHORTEST_BASE64 - 2},}}={{0,2}}")
SHORTEST_HEX = 7
"""Octets in hexadecimal digits from which they are read, as many as for base64."""
MAX_UNPACKED = 1_000_000
"""Bytes that are unpacked of compressed data within a text; judgement: pasted logs are shorter, and a bomb ends here."""
_MOST_RATIO = 30
"""Unpacked bytes for each packed one, so that bombs make a text longer at most; judgement: logs shrink to a tenth."""
# digits alone, also in lines as xxd -p writes them; pairs with one sign between them; groups of four as xxd shows them
_HEX = re.compile(
    rf"(?<![0-9A-Fa-f])(?:(?:[0-9A-Fa-f]{{60}}\r?\n)*(?:[0-9A-Fa-f]{{2}}){{{SHORTEST_HEX},}}(?![0-9A-Fa-f])"
    rf"|[0-9A-Fa-f]{{2}}(?P<sign>[ :-])[0-9A-Fa-f]{{2}}(?:(?P=sign)[0-9A-Fa-f]{{2}}){{{SHORTEST_HEX - 2},}}(?![0-9A-Za-z])"
    r"|[0-9A-Fa-f]{4}(?: [0-9A-Fa-f]{4}){3,}(?: [0-9A-Fa-f]{2})?(?![0-9A-Za-z]))"
)
_PARTED = re.compile(r"[\s:-]+")
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_DIGEST = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_TO_STANDARD = str.maketrans("-_", "+/")


def as_read(text: str) -> tuple[str, list[int], list[int]] | None:
    """Return the text as a reader sees it, with the place that each of its characters has in the source: first and last + 1.

    None where it is read as it is written.

    Examples
    --------
    >>> as_read("a%40b")
    ('a@b', [0, 1, 4], [1, 4, 5])
    """
    read: list[str] = []
    starts: list[int] = []
    ends: list[int] = []

    def take(start: int, end: int) -> None:
        read.append(text[start:end])
        starts.extend(range(start, end))
        ends.extend(range(start + 1, end + 1))

    last = 0
    for match in _WRITTEN.finditer(text):
        take(last, match.start())
        last = match.end()
        start = match.start()
        for shown, width in _shown(match.group()):
            # an entity may stand for two characters: both have its place
            read.append(shown)
            starts.extend([start] * len(shown))
            ends.extend([start + width] * len(shown))
            start += width
    if last == 0:
        return None
    take(last, len(text))
    return "".join(read), starts, ends


def _shown(written: str) -> Iterator[tuple[str, int]]:
    """Yield what is meant, piece by piece, each with the number of characters that it is written with."""
    if written.startswith("&"):
        yield html.unescape(written), len(written)
    elif written.startswith("%"):
        octets = bytes.fromhex(written.replace("%", ""))
        try:
            chars = [(char, 3 * len(char.encode())) for char in octets.decode()]
        except UnicodeDecodeError:
            chars = [(char, 3) for char in octets.decode("latin-1")]
        yield from chars
    elif written.startswith("\\") and len(written) == 12:
        units = bytes.fromhex(written.replace("\\u", ""))
        yield units.decode("utf-16-be"), 12
    elif len(written) > 1 and written[0].isalpha() and unicodedata.combining(written[1]):
        yield unicodedata.normalize("NFC", written), len(written)
    elif written.startswith("\\") and len(written) > 1:
        yield chr(int(written[2:], 16)), len(written)


def texts_in_base64(text: str, start: int, end: int, depth: int = 0) -> Iterator[tuple[int, int, str]]:
    """Yield what is written in base64 between two places of a text: its own place, and what it says.

    Only what decodes to UTF-8 without control characters is a text, and what gzip or zlib made of one; hexadecimal digits are
    passed over.

    Examples
    --------
    >>> list(texts_in_base64("to YWRhQGV4YW1wbGUuY29t now", 0, 27))
    [(3, 23, 'ada@example.com')]
    """
    if depth >= _DEEPEST:
        return
    for match in _BASE64.finditer(text, start, end):
        run = match.group()
        if len(run) < SHORTEST_BASE64 or _DIGEST.fullmatch(run):
            continue
        begins = [0, *(slash.end() for slash in re.finditer("/", run))][:_MOST_PARTS]
        for begin in begins:
            plain = _decoded(run[begin:])
            if plain:
                yield match.start() + begin, match.end(), plain
                break


def texts_in_hex(text: str, start: int, end: int, depth: int = 0) -> Iterator[tuple[int, int, str]]:
    """Yield the same of hexadecimal digits, alone or in pairs; a digest says nothing, since its octets are no UTF-8 text.

    Examples
    --------
    >>> list(texts_in_hex("to 61646140657861 now", 0, 21))
    [(3, 17, 'ada@exa')]
    """
    if depth >= _DEEPEST:
        return
    for match in _HEX.finditer(text, start, end):
        plain = _text_of(bytes.fromhex(_PARTED.sub("", match.group())))
        if plain:
            yield match.start(), match.end(), plain


def _decoded(run: str) -> str:
    letters = "".join(run.split()).rstrip("=").translate(_TO_STANDARD)
    if len(letters) % 4 == 1:
        return ""
    try:
        return _text_of(binascii.a2b_base64(letters + "=" * (-len(letters) % 4)))
    except binascii.Error:
        return ""


def _text_of(octets: bytes) -> str:
    """Return the text that octets are, compressed or not; empty where they are none."""
    if octets[:2] == b"\x1f\x8b" or (octets[:1] == b"\x78" and int.from_bytes(octets[:2], "big") % 31 == 0):
        # RFC 1952, section 2.3.1, and RFC 1950, section 2.2
        try:
            most = min(MAX_UNPACKED, _MOST_RATIO * len(octets))
            octets = zlib.decompressobj(_GZIP_OR_ZLIB).decompress(octets, most)
        except zlib.error:
            pass
        else:
            return octets.decode("utf-8", "replace")
    try:
        plain = octets.decode()
    except UnicodeDecodeError:
        return ""
    return "" if _NO_TEXT.search(plain) else plain
