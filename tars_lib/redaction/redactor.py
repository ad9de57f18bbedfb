"""One text in, the same text with placeholders out: which spans are to go, and which placeholder each value has.

A value has one placeholder wherever it stands, such as ``[REDACTED-email-1]``. Values are compared as a reader sees them:
HTML's entities, Markdown's backslashes and characters without width between their letters make no difference.
"""

from __future__ import annotations

import html
import re
from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tars_lib.redaction.rules import Rules

# placeholders, also with Markdown's backslash, and pictures inside a page: nothing is looked for in them
_OPAQUE = re.compile(r"\[REDACTED-[a-z0-9-]+-\d+\\?\]|data:[\w/+.-]+;base64,[A-Za-z0-9+/=]+")
# entities, backslashes before ASCII punctuation (CommonMark 0.31.2, 2.4), zero-width characters, places to break a line
_WRITTEN = re.compile(
    r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});"
    r"|\\(?=[!-/:-@\[-`{-~])|[\u00ad\u200b-\u200d\u2060\ufeff]|<wbr ?/?>"
)
_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text that is to go: its rule, its place, and its value as a reader sees it."""

    rule: str
    start: int
    end: int
    value: str


class Redactor:
    """Rules at work, and the placeholders that they gave so far.

    Parameters
    ----------
    rules : Rules

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
        self._words: dict[str, list[tuple[str, str]]] = {}
        for name, text in rules.words:
            self.add_word(name, text)

    def add_word(self, rule: str, text: str) -> None:
        """Remove a text wherever it stands between other words."""
        word = text.strip()
        if not word:
            return
        # the longest first: "Ada Lovelace" before "Ada"
        known = self._words.setdefault(_WORD.findall(word)[0], [])
        if all(word != other for _, other in known):
            known.append((rule, word))
            known.sort(key=lambda pair: -len(pair[1]))

    def placeholder(self, rule: str, value: str) -> str:
        """The placeholder of a value; a new one carries the name of the rule that met it first."""
        known = self.placeholders.get(value)
        if known is None:
            self._numbers[rule] += 1
            known = self.placeholders[value] = f"[REDACTED-{rule}-{self._numbers[rule]}]"
        self.matches[rule] += 1
        return known

    def text(self, text: str) -> str:
        """The text with placeholders; what is left of it holds no further match."""
        while spans := self.find(text):
            parts, end = [], 0
            for span in spans:
                parts += [text[end : span.start], self.placeholder(span.rule, span.value)]
                end = span.end
            text = "".join([*parts, text[end:]])
        return text

    def find(self, text: str) -> list[Span]:
        """What is to go from a text, from left to right, without overlaps."""
        candidates = list(self._in(text))
        if _WRITTEN.search(text):
            read, starts, ends = _as_read(text)
            candidates += [
                Span(span.rule, starts[span.start], ends[span.end - 1], span.value) for span in self._in(read)
            ]
        order = {pattern.name: number for number, pattern in enumerate(self.rules.patterns)}
        starts_at: list[int] = []
        chosen: list[Span] = []
        # of two readings of one place the longer is the whole value
        for span in sorted(candidates, key=lambda one: (order.get(one.rule, -1), one.start - one.end, one.start)):
            place = bisect(starts_at, span.start)
            is_free = (place == 0 or chosen[place - 1].end <= span.start) and (
                place == len(chosen) or span.end <= chosen[place].start
            )
            if is_free:
                starts_at.insert(place, span.start)
                chosen.insert(place, span)
        return chosen

    def _in(self, text: str) -> Iterator[Span]:
        for start, end in _open(text):
            yield from self._words_in(text, start, end)
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
            for rule, word in self._words.get(match.group(), ()):
                stop = match.start() + len(word)
                if stop <= end and text.startswith(word, match.start()) and not _continues(text, stop):
                    yield Span(rule, match.start(), stop, word)
                    break


def _continues(text: str, stop: int) -> bool:
    return stop < len(text) and text[stop - 1].isalnum() and (text[stop].isalnum() or text[stop] == "_")


def _open(text: str) -> Iterable[tuple[int, int]]:
    """Stretches between what is opaque."""
    start = 0
    for match in _OPAQUE.finditer(text):
        if match.start() > start:
            yield start, match.start()
        start = match.end()
    if start < len(text):
        yield start, len(text)


def _as_read(text: str) -> tuple[str, list[int], list[int]]:
    """The text as a reader sees it, with the place that each of its characters has in the source: first and last + 1."""
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
        if match.group().startswith("&"):
            shown = html.unescape(match.group())
            read.append(shown)
            starts.extend([match.start()] * len(shown))
            ends.extend([match.end()] * len(shown))
    take(last, len(text))
    return "".join(read), starts, ends
