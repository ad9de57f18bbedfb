"""Which line of a CSV file a row stands on. Blank lines are no rows, and a row with a line end in quotes has several lines."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

from tars_lib.errors import InputError, place
from tars_lib.files.reading import not_utf8, row_of


def lines_of(path: Path) -> Callable[[int], int]:
    """Line of the data row at a position from 0; the file is walked again, because only a refusal asks."""

    def line_of(position: int) -> int:
        try:
            for row, (line, _) in enumerate(_rows(path)):
                if row == position + 1:
                    return line
        except (csv.Error, OSError):
            pass
        return position + 2

    return line_of


def refuse_spoiled_text(path: Path, label: str, columns: int) -> None:
    """Name the first row that is not UTF-8, or has another number of fields than the first.

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
    try:
        for line, count in _rows(path):
            if count != columns:
                raise InputError(f"{place(label, row=line)}: {count} fields; {columns} are needed, as in row 1")
    except csv.Error as error:
        raise InputError(f"{label}: cannot be read: {error}") from error


def _rows(path: Path) -> Iterator[tuple[int, int]]:
    """First line and number of fields of each row, the header included."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.reader(file)
        before = 0
        for fields in reader:
            if fields:
                yield before + 1, len(fields)
            before = reader.line_num
