"""Text as a reader must see it: nothing hidden, nothing reordered, nothing without an end.

Names come from outside. A right-to-left override, a zero-width space or a control character would make a name
look like another one (Unicode TR 36, https://www.unicode.org/reports/tr36/), so they are printed as code
points.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

# Cc control, Cf format (bidi overrides, zero-width, tags), Cs surrogates, Co private use, Cn unassigned,
# Zl and Zp line and paragraph separators.
HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

# Longest texts in characters (judgement): a name of a few lines, a sentence, a paragraph of about a page.
NAME_LIMIT = 240
LINE_LIMIT = 500
TEXT_LIMIT = 4000

# Runs longer than this get places to break, so that common words and names stay whole (judgement).
LONGEST_RUN = 18

# Between separators, a piece longer than the first breaks after each so many characters as the second says: a
# large type in a narrow card (judgement).
LONGEST_PIECE = 16
PIECE = 6

_SPACES = re.compile(r"[\t\r\f\v]+|\n")


def visible(text: str, limit: int | None = None, drawable: Collection[int] | None = None) -> str:
    r"""Make every character of a text one that a reader sees.

    Parameters
    ----------
    text : str
        Any text.
    limit : int, optional
        Longest result before it is cut; a cut ends with an ellipsis and the full length. None: never cut.
    drawable : collection of int, optional
        Code points that the fonts at hand can draw; others are printed as their number. None: all.

    Returns
    -------
    str
        Tabs, carriage returns and line ends become spaces; hidden and undrawable characters become
        `[U+202E]`.

    Examples
    --------
    >>> visible("invoice\u202egpj.exe")
    'invoice[U+202E]gpj.exe'
    >>> visible("rocket \U0001F680", drawable=range(128))
    'rocket [U+1F680]'
    >>> visible("x" * 10_000, limit=5)
    'xxxxx… (10,000 characters)'
    """
    full = len(text)
    is_cut = limit is not None and full > limit
    if is_cut:
        text = text[:limit].rstrip()
    text = _SPACES.sub(" ", text)
    if not (text.isascii() and text.isprintable()):
        text = "".join(char if _is_seen(char, drawable) else f"[U+{ord(char):04X}]" for char in text)
    return f"{text}… ({full:,} characters)" if is_cut else text


def breakable(text: str) -> str:
    r"""Give long runs without a space places to break, as zero-width spaces.

    Examples
    --------
    >>> breakable("short-name")
    'short-name'
    >>> breakable("checkout-payment-gateway").split("\u200b")
    ['checkout-', 'payment-', 'gateway']
    """
    return re.sub(rf"\S{{{LONGEST_RUN},}}", _with_breaks, text)


def _is_seen(char: str, drawable: Collection[int] | None) -> bool:
    return unicodedata.category(char) not in HIDDEN_CATEGORIES and (drawable is None or ord(char) in drawable)


def _with_breaks(run: re.Match[str]) -> str:
    pieces = re.split(r"(?<=[-/._:=,])(?=[^\s/])", run.group())
    return "\u200b".join(
        piece[start : start + PIECE] if len(piece) > LONGEST_PIECE else piece
        for piece in pieces
        for start in range(0, len(piece) if len(piece) > LONGEST_PIECE else 1, PIECE)
    )
