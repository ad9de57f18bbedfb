"""The rows of a CSV file: its header, the line that each row stands on, and what spoils the file as a whole.

Blank lines are no rows, and a row with a line end in quotes has several lines. What is certain is read: blank lines before the
header, blanks around the names of columns, another separator than the comma. A quote that is not closed is refused with the
row in which it opens, because it would swallow the rows after it.
"""

from __future__ import annotations

import csv
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from tars_lib.errors import MAX_KEPT, InputError, listed, place
from tars_lib.files.limits import MAX_COLUMNS, MAX_HEADER_BYTES
from tars_lib.files.reading import not_utf8, row_of
from tars_lib.model.spelling import trimmed

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_CHUNK = 1 << 23
_HINT = "sep="
"""What spreadsheets write before the header to name the separator."""


@dataclass(frozen=True, slots=True)
class TableHead:
    """The header of a CSV file.

    Attributes
    ----------
    notes : tuple of str
        What was read in a particular way.
    """

    columns: tuple[str, ...]
    separator: str
    line: int
    notes: tuple[str, ...] = ()


def read_head(lines: Iterable[bytes], label: str, needed: Sequence[str]) -> TableHead:
    """Read the header.

    Parameters
    ----------
    lines : iterable of bytes
        The file from its begin; no more is asked for than the header.
    needed : sequence of str
        Columns without which the file is refused.

    Raises
    ------
    InputError
        If the file is empty, or the header is too long, no text, or lacks a column or has it twice.
    """
    number, read = 0, 0
    for number, line in enumerate(lines, start=1):
        read += len(line)
        if read > MAX_HEADER_BYTES:
            raise InputError(f"{place(label, row=1)}: more than {MAX_HEADER_BYTES} bytes in the row of column names")
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip("\r\n").partition("\r")[0]
        except UnicodeDecodeError as error:
            raise InputError(f"{place(label, row=number)}: {not_utf8(line, error)}") from error
        if text.strip(" \t") and not text.lower().startswith(_HINT):
            return _head_of(text, number, label, needed)
    what = "the file is empty" if not read else "the file holds blank lines only"
    raise InputError(f"{label}: {what}; its first row must name the columns {', '.join(needed)}")


OTHER_FORMS = (
    "a table with a column for each metric or service, or with other names, is read by tars import FILE --root DIR, from a "
    "place outside of DIR"
)
"""What is said of a history that is not tidy."""


def _head_of(text: str, line: int, label: str, needed: Sequence[str]) -> TableHead:
    where = place(label, row=line)
    try:
        cells = {mark: next(csv.reader([text], delimiter=mark, skipinitialspace=True)) for mark in SEPARATORS}
    except csv.Error as error:
        raise InputError(f"{where}: {error}") from error
    read = {mark: tuple(trimmed(cell) for cell in names) for mark, names in cells.items()}
    separator = next((mark for mark, names in read.items() if set(needed) <= set(names)), ",")
    columns = read[separator]
    refuse_columns(columns, where, needed)
    notes = []
    if separator != ",":
        notes.append(f"{where}: columns are separated by {SEPARATORS[separator]}, and are read so")
    if list(columns) != text.split(separator) and list(columns) != cells[separator]:
        notes.append(f"{where}: blanks around the names of columns are left out")
    return TableHead(columns, separator, line, tuple(notes))


def refuse_columns(columns: Sequence[str], where: str, needed: Sequence[str]) -> None:
    """Refuse columns that are missing, stand twice, or are too many.

    Raises
    ------
    InputError
    """
    lacking = [name for name in needed if name not in columns]
    if lacking:
        # hidden characters are shown, so that two names that look alike can be told apart
        shown = ", ".join(name if name.isprintable() else ascii(name) for name in columns)[:200]
        case = [name for name in columns if name.lower() in lacking]
        hint = f"; {', '.join(case)}: write it in lower case" if case else ""
        if "metric" in needed and not case:
            hint = "; " + OTHER_FORMS
        raise InputError(
            f"{where}: column {', '.join(lacking)} is missing; needed: {', '.join(needed)}; "
            f"found: {' '.join(shown.split()) or 'nothing'}{hint}"
        )
    if len(columns) > MAX_COLUMNS:
        raise InputError(f"{where}: {len(columns)} columns; up to {MAX_COLUMNS} are allowed")
    double = [name for name in needed if list(columns).count(name) > 1]
    if double:
        raise InputError(f"{where}: column {', '.join(double)} stands twice; each is allowed once")


def rows_of(lines: Iterable[str], head: TableHead) -> Iterator[tuple[int, list[str]]]:
    """Yield the first line and fields of each row after the header.

    Raises
    ------
    csv.Error
        If a quote is not closed, or something follows a closed one.
    """
    reader = csv.reader(lines, delimiter=head.separator, skipinitialspace=True, strict=True)
    before = 0
    for fields in reader:
        line, before = before + 1, reader.line_num
        if line > head.line and fields:
            yield line, fields


def row_after(lines: Iterable[str], head: TableHead, line: int) -> int:
    """Return the first line of the row after the one that begins at `line`, however its quotes stand."""
    reader = csv.reader(lines, delimiter=head.separator, skipinitialspace=True)
    before = 0
    for fields in reader:
        first, before = before + 1, reader.line_num
        if first > line and fields:
            return first
    return line + 1


def open_quote(line: int, error: csv.Error) -> str:
    """Say what is wrong with the row at `line`, whose quotes do not close."""
    return f"row {line}: a quote opens in this row and is not closed ({error}); a quote inside a field is written twice"


def lines_of(path: Path, head: TableHead) -> Callable[[int], int]:
    """Return the line of the data row at a position from 0; the file is walked again, once, because only a refusal asks."""
    known: array[int] = array("q")

    def line_of(position: int) -> int:
        if not known:
            try:
                with _text(path) as file:
                    known.extend(line for line, _ in rows_of(file, head))
            except (csv.Error, OSError):
                pass
        return known[position] if position < len(known) else position + head.line + 1

    return line_of


def refuse_open_quotes(path: Path, head: TableHead, label: str, needed: Sequence[str]) -> None:
    """Refuse a file in which a quote is not closed, or swallows rows: a name may hold separators or a line end, not a row.

    Raises
    ------
    InputError
        The message names the row in which the quote opens.
    """
    if not _has_open_line(path):
        return
    last = head.line
    names = [head.columns.index(name) for name in needed]
    with _text(path) as file:
        try:
            for line, fields in rows_of(file, head):
                last = line
                cells = [fields[position] for position in names if position < len(fields)]
                if any("\n" in cell and cell.count(head.separator) >= len(needed) - 1 for cell in cells):
                    raise InputError(
                        f"{place(label, row=line)}: a quote that opens in this row swallows the rows after it"
                    )
        except csv.Error as error:
            with _text(path) as again:
                row = row_after(again, head, last)
            raise InputError(f"{label}, {open_quote(row, error)}") from error


def swallows(field: str, head: TableHead) -> bool:
    """Return whether a line of a text is a whole further row."""
    return any(line.count(head.separator) >= len(head.columns) - 1 for line in field.splitlines()[1:])


def refuse_spoiled_text(path: Path, head: TableHead, label: str) -> None:
    """Name the rows that are not UTF-8, or have another number of fields than the header; the message names ten of them.

    Raises
    ------
    InputError
        If there is such a row.
    """
    content = path.read_bytes()
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        where = place(label, row=row_of(content, error.start))
        raise InputError(f"{where}: {not_utf8(content, error)}") from error
    needed, faults, total = len(head.columns), [], 0
    try:
        with _text(path) as file:
            for line, fields in rows_of(file, head):
                if len(fields) != needed:
                    total += 1
                    if total <= MAX_KEPT:
                        what = f"{len(fields)} fields; {needed} are needed, as in row {head.line}"
                        faults.append(f"{place(label, row=line)}: {what}")
    except csv.Error as error:
        faults.append(f"{label}: cannot be read: {error}")
        total += 1
    if faults:
        raise InputError(listed(faults, total), faults=faults)


def _has_open_line(path: Path) -> bool:
    """Return whether a line holds an odd number of quotes, so that a field may go on in the next one."""
    rest = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            whole, _, after = (rest + chunk).rpartition(b"\n")
            if b'"' in whole:
                content = np.frombuffer(whole + b"\n", dtype=np.uint8)
                quotes, ends = (np.flatnonzero(content == ord(mark)) for mark in ('"', "\n"))
                # each line has an even number if there are so many before each end
                if (np.searchsorted(quotes, ends) % 2).any():
                    return True
            rest = after
    return rest.count(b'"') % 2 == 1


def _text(path: Path) -> IO[str]:
    return path.open(encoding="utf-8-sig", errors="replace", newline="")
