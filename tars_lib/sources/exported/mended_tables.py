"""Tables as programs write them for people: day and time in two columns, sums below, columns that number rows."""

from __future__ import annotations

from dataclasses import replace

from tars_lib.sources.exported.tables import TextTable

_DAY, _TIME = "date", "time"
_SPLUNK = "_time"
_SPANS = ("_span", "_spandays")
"""Columns in which Splunk tells the step of `timechart`."""


def mended(table: TextTable, kept: tuple[str, ...]) -> TextTable:
    """Return the table with one column of times and no column that only numbers rows.

    Parameters
    ----------
    kept : tuple of str
        Columns that the user spoke of; they stay as they are.

    Examples
    --------
    >>> mended(TextTable("f.csv", ("Date", "Time", "web"), (2,), (("2026-01-05", "00:00", "1"),)), ()).rows
    (('2026-01-05 00:00', '1'),)
    """
    table = _with_days(table, kept)
    left = {name for name in table.columns if _is_no_series(table, name) and name not in kept}
    return _without(table, left) if left else table


def without_closing(table: TextTable, time: str) -> tuple[TextTable, tuple[str, ...]]:
    """Return the table without last rows that have a word in place of a time, as sums and remarks have, and notes of them.

    Examples
    --------
    >>> found, notes = without_closing(TextTable("f.csv", ("Time", "web"), (2, 3), (("00:00Z", "1"), ("Total", "1"))), "Time")
    >>> found.rows, notes
    ((('00:00Z', '1'),), ("f.csv: row 3, 'Total', is left out: no time is there",))
    """
    cells = table.cells(time)
    number = len(cells)
    while number > 1 and cells[number - 1] and not any(letter.isdigit() for letter in cells[number - 1]):
        number -= 1
    notes = tuple(
        f"{table.label}: row {line}, {cell[:40]!r}, is left out: no time is there"
        for line, cell in zip(table.lines[number:], cells[number:], strict=True)
    )
    return replace(table, rows=table.rows[:number], lines=table.lines[:number]) if notes else table, notes[:5]


def _with_days(table: TextTable, kept: tuple[str, ...]) -> TextTable:
    """Join a column of days and one of times of the day."""
    names = {name.lower(): at for at, name in enumerate(table.columns)}
    if not {_DAY, _TIME} <= set(names) or not table.rows:
        return table
    day, time = names[_DAY], names[_TIME]
    parts = [(row[day], row[time]) for row in table.rows]
    if {table.columns[day], table.columns[time]} & set(kept) or any(
        ":" in date or ":" not in hour for date, hour in parts
    ):
        return table
    joined = [(*row[:time], f"{row[day]} {row[time]}", *row[time + 1 :]) for row in table.rows]
    return _without(replace(table, rows=tuple(joined)), {table.columns[day]})


def _is_no_series(table: TextTable, name: str) -> bool:
    """Return whether a column numbers the rows without having a name, as pandas writes it, or is one of Splunk's own."""
    if name in _SPANS:
        return _SPLUNK in table.columns
    return not name and len(table.columns) > 2 and table.cells(name) == [str(row) for row in range(len(table.rows))]


def _without(table: TextTable, names: set[str]) -> TextTable:
    places = [at for at, name in enumerate(table.columns) if name not in names]
    columns = tuple(table.columns[at] for at in places)
    return replace(table, columns=columns, rows=tuple(tuple(row[at] for at in places) for row in table.rows))
