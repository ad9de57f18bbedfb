"""A responder's screen: what stands in 24 rows and 80 columns, and in which colour a terminal shows a line."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterable
from enum import StrEnum

import click

from tars_lib.cli.shared.terminal import ShownStream

WIDTH = 80
ROWS = 22
"""Of the 24 of a terminal: the command that was typed and the next prompt take one each."""


class Tone(StrEnum):
    """Meaning of a line, as the colour that says so (SGR parameters, ECMA-48 8.3.117)."""

    HEAD = "1"
    BAD = "1;31"
    WARNING = "33"
    GOOD = "32"
    CURRENT = "1;36"
    QUIET = "2"


class Toned(str):
    """A line with a tone; without colours it is the line."""

    __slots__ = ("tone",)
    tone: Tone

    def __new__(cls, text: str, tone: Tone) -> Toned:
        """Make one."""
        made = super().__new__(cls, text)
        made.tone = tone
        return made


def say(lines: Iterable[str]) -> None:
    """Print lines, in colour where a terminal shows it and `NO_COLOR` is not set (https://no-color.org)."""
    stream = sys.stdout
    for line in lines:
        if isinstance(line, Toned) and isinstance(stream, ShownStream) and _has_colour(stream):
            stream.control(f"\x1b[{line.tone}m")
            click.echo(str(line), nl=False)
            stream.control("\x1b[0m\n")
        else:
            click.echo(str(line))


def send_control(sequence: str) -> None:
    """Send the terminal a control sequence of this program's own; without a terminal nothing."""
    if isinstance(sys.stdout, ShownStream) and sys.stdout.isatty():
        sys.stdout.control(sequence)


def fitted(lines: Iterable[str], full: str) -> list[str]:
    """Return the lines that one screen has room for; where some are left, the last says how many, and `full` shows them.

    Examples
    --------
    >>> fitted(map(str, range(40)), "tars x --full")[-2:]
    ['20', '19 more lines: tars x --full']
    """
    shown = list(lines)
    if len(shown) <= ROWS:
        return shown
    room = ROWS - 1
    return [*shown[:room], Toned(f"{len(shown) - room} more lines: {full}", Tone.QUIET)]


def toned(lines: Iterable[str], tone: Tone) -> list[str]:
    """Return all lines in one tone."""
    return [Toned(line, tone) for line in lines]


def wrapped(text: str, first: str = "", rest: str = "", most: int | None = None) -> list[str]:
    """Return a text in 80 columns, wrapped at words; `most` lines of it, the last with an ellipsis where it is cut.

    Examples
    --------
    >>> wrapped("one two three " * 10, "Do: ", "    ", 1)
    ['Do: one two three one two three one two three one two three one two three one …']
    """
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
        max_lines=most,
        placeholder=" …",
    ) or [first.rstrip()]


def paragraph(text: str, first: str = "", rest: str = "", most: int | None = None) -> list[str]:
    """Return a text wrapped for a terminal; in a pipe or a log, which has a width of its own, one line."""
    return wrapped(text, first, rest, most) if is_terminal() else [first + text]


def on_screen(lines: Iterable[str], full: str) -> list[str]:
    """Return lines wrapped and fitted for a terminal, and as they are for a pipe; `full` shows what has no room."""
    shown = list(lines)
    if not is_terminal():
        return shown
    return fitted((part for line in shown for part in _hanging(line)), full)


def _hanging(line: str) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()))
    return wrapped(line.strip(), indent, f"{indent}  ") if len(line) > WIDTH else [line]


def is_terminal() -> bool:
    """Return whether somebody looks at stdout."""
    return sys.stdout is not None and sys.stdout.isatty()


def _has_colour(stream: ShownStream) -> bool:
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty():
        return False
    # a console of Windows obeys colours in the terminal that ships with it since 2022
    return os.name != "nt" or "WT_SESSION" in os.environ or "TERM" in os.environ
