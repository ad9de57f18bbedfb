"""One text in, the same text with placeholders out: which spans are to go, and which placeholder each value has.

A value has one placeholder wherever it stands, such as ``[REDACTED-email-1]``. Values are compared as a reader sees them:
HTML's entities, Markdown's backslashes, percent signs, escapes and characters without width between their letters make no
difference, and base64 and hexadecimal digits are read.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from tars_lib.redaction.encoded import as_read, texts_in_base64, texts_in_hex
from tars_lib.redaction.rules import Rules

# how PNG, JPEG, GIF, WebP, <?xml and <svg begin in base64
PICTURE_BEGINS = r"(?:iVBORw0KGgo|/9j/|R0lGOD|UklGR|PD94bW|PHN2Z)"
# placeholders, also with Markdown's backslash, and pictures inside a page: nothing is looked for in them
_OPAQUE = re.compile(
    r"\[REDACTED-[a-z0-9-]+-\d+\\?\]"
    rf"|data:image/[\w.+-]+;base64,(?={PICTURE_BEGINS})[A-Za-z0-9+/]+={{0,2}}"
)
_WORD = re.compile(r"[^\W_]+|[^\w\s]|_")
# between two words of a text that is to go; a name of two words becomes a path, a file or a variable in other places
_GAP = re.compile(r"(?<=[^\s_])[\s_]+(?=[^\s_])")
# names that a pattern asks for
_TELLING = re.compile(r"(?i)pass|pwd|secret|token|key|cookie|authorization")
_FRACTION_BEFORE, _FRACTION_AFTER = re.compile(r"\d\.$"), re.compile(r"\.\d")


@dataclass(frozen=True, slots=True)
class _Sought:
    """A text that is to go, and how it may be written."""

    rule: str
    word: str
    form: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text that is to go: its rule, its place, and its value as a reader sees it."""

    rule: str
    start: int
    end: int
    value: str


class Redactor:
    """Rules at work, and the placeholders that they gave so far.

    Attributes
    ----------
    placeholders : dict of str to str
        Value to placeholder. It holds what is secret and is never written.
    matches : Counter of str
        Replacements by rule since it was last cleared.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.placeholders: dict[str, str] = {}
        self.matches: Counter[str] = Counter()
        self._numbers: Counter[str] = Counter()
        self._words: dict[str, list[_Sought]] = {}
        for name, text in rules.words:
            self.add_word(name, text, any_case=True)

    def add_word(self, rule: str, text: str, *, any_case: bool = False) -> None:
        """Remove a text wherever it stands between other words.

        Its own words may be parted by any blanks, line breaks, underscores, dashes or plus signs. A text of several words is
        found in any case, one of a single word only with `any_case`: a person called Will must not take every "will".
        """
        word = unicodedata.normalize("NFC", text.strip())
        if not word:
            return
        parts = [re.escape(part) for part in _GAP.split(word)]
        form = re.compile(r"[\s_+-]+".join(parts), re.IGNORECASE if any_case or len(parts) > 1 else 0)
        # the longest first: "Ada Lovelace" before "Ada"
        known = self._words.setdefault(_WORD.findall(word)[0].lower(), [])
        if all(word != other.word for other in known):
            known.append(_Sought(rule, word, form))
            known.sort(key=lambda known_word: -len(known_word.word))

    def placeholder(self, rule: str, value: str) -> str:
        """Return the placeholder of a value; a new one carries the name of the rule that met it first."""
        value = unicodedata.normalize("NFC", value)
        known = self.placeholders.get(value)
        if known is None:
            self._numbers[rule] += 1
            known = self.placeholders[value] = f"[REDACTED-{rule}-{self._numbers[rule]}]"
        self.matches[rule] += 1
        return known

    def text(self, text: str, name: str = "") -> str:
        """Return the text with placeholders; what is left of it holds no further match. `name` is that of its field."""
        while spans := self.find(text, name):
            parts, end = [], 0
            for span in spans:
                parts += [text[end : span.start], self.placeholder(span.rule, span.value)]
                end = span.end
            text = "".join([*parts, text[end:]])
        return text

    def find(self, text: str, name: str = "") -> list[Span]:
        """Return what is to go from a text, from left to right, without overlaps."""
        candidates: list[Span] = []
        meant = as_read(text)
        if meant is not None:
            # before the text as it is written: of two readings of one place this one has the value as it is elsewhere
            read, starts, ends = meant
            candidates += [
                Span(span.rule, starts[span.start], ends[span.end - 1], span.value) for span in self._in(read)
            ]
        candidates += self._in(text)
        if _TELLING.search(name):
            candidates += self._as_value(text, name)
        order = {pattern.name: number for number, pattern in enumerate(self.rules.patterns)}
        starts_at: list[int] = []
        chosen: list[Span] = []
        # of two readings of one place the longer is the whole value
        for span in sorted(
            candidates,
            key=lambda candidate: (order.get(candidate.rule, -1), candidate.start - candidate.end, candidate.start),
        ):
            position = bisect(starts_at, span.start)
            is_free = (position == 0 or chosen[position - 1].end <= span.start) and (
                position == len(chosen) or span.end <= chosen[position].start
            )
            if is_free:
                starts_at.insert(position, span.start)
                chosen.insert(position, span)
        return chosen

    def _as_value(self, text: str, name: str) -> Iterator[Span]:
        """Yield what goes for the name before it: a field of its own in JSON and tables, a part of the text anywhere else."""
        head = f"{name}: "
        for span in self._in(f"{head}{text}"):
            if span.start >= len(head):
                yield Span(span.rule, span.start - len(head), span.end - len(head), span.value)

    def _in(self, text: str, depth: int = 0) -> Iterator[Span]:
        for start, end in _open(text):
            yield from self._words_in(text, start, end)
            written = (texts_in_base64(text, start, end, depth), texts_in_hex(text, start, end, depth))
            for begin, stop, plain in chain.from_iterable(written):
                # a part of it cannot be replaced: what stands around it would not decode any more
                for span in self._in(plain, depth + 1):
                    whole = span.value if span.value == plain.strip() else text[begin:stop]
                    yield Span(span.rule, begin, stop, whole)
            for pattern in self.rules.patterns:
                for match in pattern.regex.finditer(text, start, end):
                    group = "secret" if match.groupdict().get("secret") is not None else 0
                    value = match.group(group)
                    if value and (pattern.accepts is None or pattern.accepts(value)):
                        yield Span(pattern.name, *match.span(group), value)

    def _words_in(self, text: str, start: int, end: int) -> Iterator[Span]:
        if not self._words:
            return
        for match in _WORD.finditer(text, start, end):
            for sought in self._words.get(match.group().lower(), ()):
                hit = sought.form.match(text, match.start(), end)
                if hit and not _continues(text, *hit.span()):
                    yield Span(sought.rule, *hit.span(), sought.word)
                    break


def _continues(text: str, start: int, stop: int) -> bool:
    """Return whether what was found is a part of a word, or digits of a number."""
    if stop < len(text) and text[stop - 1].isalnum() and text[stop].isalnum():
        return True
    return text[start:stop].isdecimal() and bool(
        _FRACTION_BEFORE.search(text[max(0, start - 2) : start]) or _FRACTION_AFTER.match(text, stop)
    )


def _open(text: str) -> Iterable[tuple[int, int]]:
    """Stretches between what is opaque."""
    start = 0
    for match in _OPAQUE.finditer(text):
        if match.start() > start:
            yield start, match.start()
        start = match.end()
    if start < len(text):
        yield start, len(text)
