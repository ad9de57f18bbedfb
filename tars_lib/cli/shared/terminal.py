"""Text for a terminal, with nothing that moves the cursor, hides or reorders it.

Names come from outside, and a terminal obeys control characters (https://cwe.mitre.org/data/definitions/150.html).
Every line that a command prints goes through here, so that no command has to remember.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import textwrap
from contextlib import suppress
from typing import Any, TextIO

from tars_lib.text.visible import visible

# what `visible` would make a space of, but which ends a line or a cell here: a line end, also that of CSV, and a tab
_KEPT = re.compile(r"(\r?\n|\t)")


class ShownStream:
    """A text stream that shows control, bidirectional and invisible characters as code points.

    All else is the stream's own. `encoding` is said to be UTF-8, because click would write past this class to a stream in
    ASCII.
    """

    encoding = "utf-8"

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text as a reader must see it."""
        self._stream.write(shown(text))
        return len(text)

    def control(self, sequence: str) -> None:
        """Send the terminal a sequence of this program's own."""
        self._stream.write(sequence)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class ForgivingStream:
    """A text stream for what a person is told beside the answer: what it cannot take is lost, and changes no verdict."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text if it can be written."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Bring the text out if that is possible."""
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class ShownFormatter(logging.Formatter):
    """Log lines in which nothing is hidden; the lines of a traceback stay lines. A terminal gets them wrapped at words."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one record as text."""
        text = shown(super().format(record))
        if sys.stderr is None or not sys.stderr.isatty():
            return text
        wrap = textwrap.TextWrapper(80, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)
        return "\n".join(wrap.fill(line) for line in text.split("\n"))


def drop_what_cannot_be_printed() -> None:
    """Drop what waits in stdout where that is a full disk: it would be tried again at the end and end in a traceback."""
    try:
        sys.stdout.flush()
    except OSError:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)


def shown(text: str) -> str:
    r"""Return the text with its line ends and tabs kept, and everything else that cannot be seen as a code point.

    Examples
    --------
    >>> shown("a\x1b[31m\r\nb\rc")
    'a[U+001B][31m\r\nb[U+000D]c'
    """
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    return "".join(part if _KEPT.fullmatch(part) else _seen(part) for part in _KEPT.split(text))


def _seen(part: str) -> str:
    if part.isprintable():
        return part
    return visible(re.sub(r"[\r\f\v]", lambda match: f"[U+{ord(match[0]):04X}]", part))
