"""Tables as programs write them for people: day and time in two columns, sums below, columns that number rows."""

from __future__ import annotations

from dataclasses import replace

from tars_lib.sources.exported.tables import TextTable

_DAY, _TIME = "date", "time"
_SPLUNK = "_time"
_SPANS = ("_span", "_spandays")
"""Columns in which Splunk tells the step of `timechart`."""


def mended(table: TextTable, kept: tuple[str, ...]) -> tuple[TextTable, tuple[str, ...]]:
    """The table with one column of times and rows of samples alone, and notes of what was left out.

    Parameters
    ----------
    table : TextTable
    kept : tuple of str
        Columns that the user spoke of; they stay as they are.

    Examples
    --------
    >>> given = TextTable("f.csv", ("Date", "Time", "web"), (2, 3), (("2026-01-05", "00:00", "1"), ("Total", "", "1")))
    >>> found, notes = mended(given, ())
    >>> found.columns, found.rows, notes
    (('Time', 'web'), (('2026-01-05 00:00', '1'),), ("f.csv: row 3, 'Total', is left out: no time begins it",))
    """
    table, notes = _without_closing(table)
    table = _with_days(table, kept)
    left = {name for name in table.columns if _is_no_series(table, name) and name not in kept}
    return _without(table, left) if left else table, notes


def _without_closing(table: TextTable) -> tuple[TextTable, tuple[str, ...]]:
    """Leave out last rows whose first cell holds a word without any digit, where the first row's holds one: sums, remarks."""
    number = len(table.rows)
    if not number or not _has_digit(table.rows[0][0]):
        return table, ()
    while number and table.rows[number - 1][0] and not _has_digit(table.rows[number - 1][0]):
        number -= 1
    notes = tuple(
        f"{table.label}: row {line}, {row[0][:40]!r}, is left out: no time begins it"
        for line, row in zip(table.lines[number:], table.rows[number:], strict=True)
    )
    return replace(table, rows=table.rows[:number], lines=table.lines[:number]) if notes else table, notes[:5]


def _with_days(table: TextTable, kept: tuple[str, ...]) -> TextTable:
    """Join a column of days and one of times of the day."""
    names = {name.lower(): at for at, name in enumerate(table.columns)}
    if not {_DAY, _TIME} <= set(names) or not table.rows:
        return table
    day, time = names[_DAY], names[_TIME]
    parts = [(row[day], row[time]) for row in table.rows]
    if {table.columns[day], table.columns[time]} & set(kept) or any(":" in one or ":" not in two for one, two in parts):
        return table
    joined = [(*row[:time], f"{row[day]} {row[time]}", *row[time + 1 :]) for row in table.rows]
    return _without(replace(table, rows=tuple(joined)), {table.columns[day]})


def _is_no_series(table: TextTable, name: str) -> bool:
    """Whether a column numbers the rows without having a name, as pandas writes it, or is one of Splunk's own."""
    if name in _SPANS:
        return _SPLUNK in table.columns
    return not name and len(table.columns) > 2 and table.cells(name) == [str(row) for row in range(len(table.rows))]


def _without(table: TextTable, names: set[str]) -> TextTable:
    places = [at for at, name in enumerate(table.columns) if name not in names]
    columns = tuple(table.columns[at] for at in places)
    return replace(table, columns=columns, rows=tuple(tuple(row[at] for at in places) for row in table.rows))


def _has_digit(cell: str) -> bool:
    return any(letter.isdigit() for letter in cell)
