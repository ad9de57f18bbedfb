"""A table in text, of whatever separator: its columns, and its rows with their lines."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

from tars_lib.errors import MAX_FAULTS, InputError, listed, place
from tars_lib.files.limits import MAX_COLUMNS, MAX_HEADER_BYTES
from tars_lib.model.spelling import trimmed
from tars_lib.sources.csv_rows import SEPARATORS, TableHead, open_quote, row_after, rows_of
from tars_lib.sources.exported.fields import PlacedEntry
from tars_lib.sources.exported.shapes import Choices

_HINT = "sep="
"""What spreadsheets, and Grafana for them, write before the header to name the separator."""
_TITLES = 10
_DATA = re.compile(r"[\"'\s]*\d")
_ORNAMENT = re.compile(r"#.*|\s*[-+|=: ]{3,}\s*|\s*\([\d.,]+ rows?\)\s*", re.DOTALL)
"""Remarks; the line below a header and the number of rows that psql prints."""


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table as it stands.

    Attributes
    ----------
    columns : tuple of str
        Without blanks around them.
    lines : tuple of int
        Line of each row.
    rows : tuple of tuple of str
        Cells without blanks around them, as many as there are columns.
    """

    label: str
    columns: tuple[str, ...]
    lines: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]
    separator: str = ","

    def cells(self, column: str) -> list[str]:
        """Return the cells of a column."""
        at = self.columns.index(column)
        return [row[at] for row in self.rows]

    def entries(self, choices: Choices) -> list[PlacedEntry]:
        """Return each row as an object, with its place for messages."""
        return [
            PlacedEntry(dict(zip(self.columns, row, strict=True)), place(self.label, row=line), choices)
            for line, row in zip(self.lines, self.rows, strict=True)
        ]

    @property
    def shown_separator(self) -> str:
        """Return the separator in words."""
        return SEPARATORS[self.separator]


def head_of(text: str) -> tuple[tuple[str, ...], str, int] | None:
    """Return the columns, separator and line of a header; None where there is none of a table.

    Before it may stand remarks, which begin with ``#``, and titles, which have no separator; a header itself may begin with
    ``#`` where the line after it is one of data.
    """
    remark: tuple[tuple[str, ...], str, int] | None = None
    titles = 0
    lines = ((number, line) for number, line in enumerate(io.StringIO(text), start=1) if line.strip())
    for number, line in lines:
        if number <= 2 and line.lower().startswith(_HINT):
            continue
        if len(line) > MAX_HEADER_BYTES or titles > _TITLES:
            return None
        head = _head(line, number)
        if line.startswith("#"):
            remark = head or remark
            continue
        if head is None:
            titles += 1
            continue
        if remark is not None and _DATA.match(line) and len(remark[0]) == len(head[0]):
            return (remark[0][0].lstrip("# "), *remark[0][1:]), remark[1], remark[2]
        after = _head(next(lines, (0, ""))[1], 0) if titles else None
        return head if not titles or (after is not None and len(after[0]) == len(head[0])) else None
    return remark


def _head(line: str, number: int) -> tuple[tuple[str, ...], str, int] | None:
    """Return the line as a header, by the separator that gives most columns; None where none gives two."""
    best: tuple[tuple[str, ...], str, int] | None = None
    for mark in SEPARATORS:
        try:
            names = tuple(trimmed(name) for name in next(csv.reader([line], delimiter=mark, skipinitialspace=True)))
        except (csv.Error, StopIteration):
            continue
        if len(names) > 1 and (best is None or len(names) > len(best[0])):
            best = (names, mark, number)
    return best


def read_table(text: str, label: str) -> TextTable:
    """Read a table.

    Raises
    ------
    InputError
        If there is no header of at least two columns, a column stands twice, a quote is not closed, or rows have another number
        of fields than the header; up to ten rows are named.
    """
    first_row = head_of(text)
    if first_row is None:
        raise InputError(f"{label}: no table: a first row that names at least two columns is needed")
    columns, separator, line = first_row
    where = place(label, row=line)
    if len(columns) > MAX_COLUMNS:
        raise InputError(f"{where}: {len(columns)} columns; up to {MAX_COLUMNS} are allowed")
    double = sorted({name for name in columns if columns.count(name) > 1})
    if double:
        raise InputError(
            f"{where}: column {double[0][:200]!r} stands twice; name them apart in the tool, each is allowed once"
        )
    head = TableHead(columns, separator, line)
    lines: list[int] = []
    rows: list[tuple[str, ...]] = []
    faults: list[str] = []
    wrong, last = 0, line
    try:
        for number, fields in rows_of(io.StringIO(text, newline=""), head):
            last = number
            if not any(cell.strip() for cell in fields):
                continue
            if len(fields) != len(columns) and _ORNAMENT.fullmatch(separator.join(fields)):
                continue
            if len(fields) != len(columns):
                wrong += 1
                if wrong <= MAX_FAULTS:
                    faults.append(
                        f"{place(label, row=number)}: {len(fields)} fields; {len(columns)} are needed, as in row {line}"
                    )
                continue
            lines.append(number)
            rows.append(tuple(cell.strip() for cell in fields))
    except csv.Error as error:
        row = row_after(io.StringIO(text, newline=""), head, last)
        raise InputError(f"{label}, {open_quote(row, error)}") from error
    if faults:
        raise InputError(listed(faults, wrong))
    if not columns[-1] and len(columns) > 2 and not any(row[-1] for row in rows):  # each line ends with a separator
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    return TextTable(label, columns, tuple(lines), tuple(rows), separator)
