"""Series of a table: one column a series (wide), or one row a sample (long)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tars_lib.errors import ConfigError, InputError, listed, place
from tars_lib.model.times import read_zone
from tars_lib.model.units import unit_of
from tars_lib.sources.exported.bystanders import refuse_bystanders, totals
from tars_lib.sources.exported.clock import ReadTimes, read_times
from tars_lib.sources.exported.mended_tables import mended, without_closing
from tars_lib.sources.exported.quantities import NO_VALUES, decimal_mark, read_values
from tars_lib.sources.exported.shapes import Choices, Exported, SampledSeries
from tars_lib.sources.exported.tables import TextTable
from tars_lib.sources.exported.whose import SeriesName, owners, series_name
from tars_lib.text.counts import and_more

_TIMES = {
    "time",
    "timestamp",
    "date",
    "datetime",
    "date time",
    "date/time",
    "ts",
    "_time",
    "@timestamp",
    "timestamps",
    "timeseries id",
    "",
}
_BEHIND = re.compile(r"(.*?)\s*[(\[]\s*([^()\[\]]+?)\s*[)\]]")
_LIKE_TIMES = re.compile(
    r"(?:begin_?|start_?)?(?:time_?stamp|time|date|date_?time|ts|epoch|unix_?(?:time(?:stamp)?)?)"
    r"(?:[_ ]?(?:s|sec(?:ond)?s?|ms|milli(?:second)?s|us|micro(?:second)?s|ns|unix_?nano|nano(?:second)?s|utc|gmt))?"
)
"""Names that a column of times may have where none is called as in `_TIMES`."""
_PER_STEP = re.compile(r" per (?:\d+ )?[a-z]+$")
"""Behind the name of Kibana's columns of times: ``@timestamp per 5 minutes``."""
_UTC = re.compile(r"(?:etc/)?(?:utc|gmt)", re.IGNORECASE)
_REPOS = ("repo", "service", "service_name", "repository")
_METRICS = ("metric", "metric_name", "__name__")
_UNITS = ("unit", "units")


@dataclass(frozen=True, slots=True)
class Roles:
    """Roles of the columns of a table.

    `series` holds whole names of series, `values` numbers, `unit` the unit of each row, `others` texts that nobody asked for.
    """

    time: str
    values: tuple[str, ...]
    repo: str = ""
    metric: str = ""
    series: str = ""
    unit: str = ""
    others: tuple[str, ...] = ()


def time_column(table: TextTable, choices: Choices) -> str:
    """Return the column of times.

    Raises
    ------
    InputError
        If there is none, or more than one.
    """
    chosen = [name for name in table.columns if name in choices.columns and choices.columns[name].use == "time"]
    candidates = (
        chosen
        or [name for name in table.columns if _bare(name) in _TIMES]
        or [name for name in table.columns if _LIKE_TIMES.fullmatch(_bare(name))]
    )
    if len(candidates) == 1:
        return candidates[0]
    which = (
        f"columns {', '.join(candidates)} may all be" if candidates else f"none of {', '.join(table.columns)[:200]} is"
    )
    raise InputError(
        f"{table.label}: {which} the column of times; a map file (--map) with columns: {{NAME: time}} says which one is"
    )


def _bare(name: str) -> str:
    parts = _BEHIND.fullmatch(name)
    return _PER_STEP.sub("", (parts[1] if parts else name).strip().lower())


def _zone_in(name: str) -> ZoneInfo | None:
    """Return the zone that a name such as ``Time (UTC)``, ``time_utc`` or ``Time [Europe/Berlin]`` gives its column."""
    parts = _BEHIND.fullmatch(name)
    said = parts[2] if parts else re.split(r"[_ ]", name)[-1]
    if _UTC.fullmatch(said):
        return ZoneInfo("UTC")
    try:
        return read_zone(said) if parts and "/" in said else None
    except ConfigError:
        return None


def roles_of(table: TextTable, choices: Choices) -> Roles:
    """Tell what each column is: by the map file, by its name, else by whether its cells are numbers.

    Raises
    ------
    InputError
        If there is no column of times or of numbers.
    """
    time = time_column(table, choices)
    use = {name: column.use for name, column in choices.columns.items() if name in table.columns}
    rest = [name for name in table.columns if name != time and use.get(name) != "skip"]
    texts = [name for name in rest if use.get(name) in ("repo", "metric") or _is_text(table, name, use.get(name, ""))]
    values = tuple(name for name in rest if name not in texts)
    only = tuple(name for name in values if name.lower() == "value" or use.get(name) == "value")
    if only and (len(texts) > 0):
        # beside whole names and values, numbers are labels, such as a code
        texts += [name for name in values if name not in only]
        values = only
    repo = _the(
        texts,
        [name for name in texts if use.get(name) == "repo"],
        (choices.repo_from,) if choices.repo_from else _REPOS,
    )
    metric = _the(texts, [name for name in texts if use.get(name) == "metric"], _METRICS)
    series = next((name for name in texts if name.lower() == "series"), "") if not repo else ""
    if choices.repo_from and not repo:
        raise InputError(
            f"{table.label}: --repo-from {choices.repo_from}: no such column; found: {', '.join(table.columns)[:200]}"
        )
    if not values:
        raise InputError(f"{table.label}: no column of numbers beside {time}; found: {', '.join(table.columns)[:200]}")
    unit = _the([name for name in texts if name not in use], (), _UNITS)
    others = tuple(name for name in texts if name not in (repo, metric, series, unit))
    return Roles(time, values, repo, metric, series, unit, others)


def _the(texts: Sequence[str], mapped: Sequence[str], names: Sequence[str]) -> str:
    return next(iter(mapped), next((name for want in names for name in texts if name.lower() == want.lower()), ""))


def _is_text(table: TextTable, name: str, use: str) -> bool:
    """Return whether no cell of a column is a number, and some are texts."""
    if use == "value" or not table.rows:
        return False
    if name.lower() in _REPOS:
        return True
    cells = dict.fromkeys(table.cells(name))
    return any(cell not in NO_VALUES for cell in cells) and not any(_is_number(cell) for cell in cells)


def _is_number(cell: str) -> bool:
    for decimal in (".", ","):
        try:
            return not np.isnan(read_values([cell], lambda _: "", decimal).values[0])
        except InputError:
            continue
    return False


def of_table(table: TextTable, choices: Choices) -> Exported:
    """Return the series of a table, wide or long.

    Raises
    ------
    InputError
        If a cell cannot be read, or it cannot be told whose samples these are.
    """
    table = mended(table, tuple(choices.columns))
    roles = roles_of(table, choices)
    table, left_out = without_closing(table, roles.time)
    if not table.rows:
        raise InputError(f"{table.label}: no row after the names of the columns")
    cells = (
        (cell, partial(_cell, table, row, name))
        for name in roles.values
        for row, cell in enumerate(table.cells(name))
        if "," in cell or "." in cell
    )
    decimal = decimal_mark(cells, choices.decimal, is_local=table.separator == ";")
    is_long = bool(roles.repo or roles.metric or roles.series or ((roles.others or roles.unit) and choices.repo))
    if (roles.others or roles.unit) and not is_long:
        name = (*roles.others, roles.unit)[0]
        first = next((row for row, cell in enumerate(table.cells(name)) if cell), 0)
        raise InputError(
            f"{_cell(table, first, name)}: {table.cells(name)[first][:60]!r} is not a number. If the column names the service, "
            f"--repo-from {name!r} says so; a map file with columns: {{{name}: skip}} leaves it out"
        )
    exported = _long(table, roles, decimal, choices) if is_long else _wide(table, roles, decimal, choices)
    return replace(exported, notes=(*left_out, *exported.notes))


def _cell(table: TextTable, row: int, column: str) -> str:
    return place(table.label, row=table.lines[row], column=column or "1")


def _times(table: TextTable, column: str, choices: Choices, groups: Sequence[object] | None = None) -> ReadTimes:
    own = _zone_in(column)
    read = read_times(
        table.cells(column),
        lambda row: _cell(table, row, column),
        zone=own or choices.zone,
        epoch=choices.epoch,
        time_format=choices.time_format,
        groups=groups,
    )
    return read if own is None else replace(read, zone=read.zone.replace("as --tz says", "as the column says"))


def _wide(table: TextTable, roles: Roles, decimal: str, choices: Choices) -> Exported:
    names = [series_name(column) for column in roles.values]
    times, whose = _both(lambda: _times(table, roles.time, choices), lambda: owners(names, choices, table.label))
    lines = np.array(table.lines, dtype=np.int64)
    series = []
    is_rounded = False
    for column, owner in zip(roles.values, whose, strict=True):
        read = read_values(table.cells(column), _at(table, column), decimal)
        is_rounded |= read.is_rounded
        unit = read.unit or owner.unit
        series.append(
            SampledSeries(owner.repo, owner.metric, times.micros, read.values, unit, owner.kind, lines, column)
        )
    refuse_bystanders(series, roles.values, choices, table.label)
    return Exported(
        series=tuple(series),
        columns=f"{roles.time or 'column 1'} (time), {_some(roles.values)}; one a series, by {table.shown_separator}",
        zone=times.zone,
        is_rounded=is_rounded,
        notes=_notes(table, decimal, times, series),
    )


_One = TypeVar("_One")
_Other = TypeVar("_Other")


def _both(ask: Callable[[], _One], ask_other: Callable[[], _Other]) -> tuple[_One, _Other]:
    """Return both answers; where both are refused, both refusals at once, so that one more try is enough."""
    try:
        first = ask()
    except InputError as error:
        try:
            ask_other()
        except InputError as further:
            heads = [str(refusal).partition(";\n")[0] for refusal in (error, further)]
            raise InputError(listed(heads)) from error
        raise
    return first, ask_other()


def _at(table: TextTable, column: str) -> Callable[[int], str]:
    return lambda row: _cell(table, row, column)


def _long(table: TextTable, roles: Roles, decimal: str, choices: Choices) -> Exported:
    keys = list(_keys(table, roles))
    groups: dict[tuple[str, str], list[int]] = {}
    for row, key in enumerate(keys):
        groups.setdefault(key, []).append(row)
    _refuse_further_series(table, roles, groups)
    times = _times(table, roles.time, choices, keys)
    _refuse_equal_times(table, roles, groups, times.micros)
    named: list[tuple[SeriesName, list[int], str]] = []
    for key, rows in groups.items():
        named += [(_named(key, column, roles, choices), rows, column) for column in roles.values]
    whose = owners([name for name, _, _ in named], choices, table.label)
    read = (
        {} if roles.unit else {name: read_values(table.cells(name), _at(table, name), decimal) for name in roles.values}
    )
    lines = np.array(table.lines, dtype=np.int64)
    series = []
    for owner, (name, rows, column) in zip(whose, named, strict=True):
        chosen: NDArray[np.int64] = np.array(rows, dtype=np.int64)
        if roles.unit:
            values, unit = _with_units(table, column, roles.unit, rows, decimal)
        else:
            values, unit = read[column].values[chosen], read[column].unit
        unit = unit or owner.unit or name.unit
        series.append(
            SampledSeries(
                owner.repo, owner.metric, times.micros[chosen], values, unit, owner.kind, lines[chosen], column
            )
        )
    taken = [name.labels.get(choices.repo_from or "service", "") for name, _, _ in named]
    refuse_bystanders(series, taken, choices, table.label)
    told = [f"{roles.time or 'column 1'} (time)"]
    told += [
        f"{name} ({what})"
        for name, what in (
            (roles.series, "series"),
            (roles.repo, "repo"),
            (roles.metric, "metric"),
            (roles.unit, "unit"),
        )
        if name
    ]
    return Exported(
        series=tuple(series),
        columns=f"{', '.join(told)}, {_some(roles.values)}; a row a sample, by {table.shown_separator}",
        zone=times.zone,
        is_rounded=any(numbers.is_rounded for numbers in read.values()),
        notes=_notes(table, decimal, times, series),
    )


def _with_units(
    table: TextTable, column: str, unit: str, rows: Sequence[int], decimal: str
) -> tuple[NDArray[np.float64], str]:
    """Return the values of a series whose unit stands in a column beside them, in one unit."""
    cells, units = table.cells(column), table.cells(unit)
    named = {unit_of(units[row]).symbol for row in rows if units[row]}
    is_one = len(named) == 1 and all(units[row] for row in rows if cells[row] not in NO_VALUES)
    texts = [cells[row] if is_one or cells[row] in NO_VALUES else f"{cells[row]} {units[row]}" for row in rows]
    read = read_values(texts, lambda at: _cell(table, rows[at], column), decimal)
    return read.values, read.unit or (named.pop() if is_one else "")


def _keys(table: TextTable, roles: Roles) -> Iterator[tuple[str, str]]:
    """Return what tells the series of a row: its whole name, or repo and metric."""
    blank = [""] * len(table.rows)
    first = table.cells(roles.series or roles.repo) if roles.series or roles.repo else blank
    second = table.cells(roles.metric) if roles.metric else blank
    for row, key in enumerate(zip(first, second, strict=True)):
        for column, name in zip((roles.series or roles.repo, roles.metric), key, strict=True):
            if column and not name:
                raise InputError(f"{_cell(table, row, column)}: empty; every sample needs a name here")
        yield key


def _named(key: tuple[str, str], column: str, roles: Roles, choices: Choices) -> SeriesName:
    """Return the name of a series of a long table, as labels where a column holds the repo."""
    if roles.series:
        return series_name(key[0])
    head = series_name(column)
    is_plain = len(roles.values) == 1 and (head.name.lower().startswith("value") or roles.metric)
    metric = key[1] or ("" if is_plain else head.name)
    label = choices.repo_from or "service"
    return SeriesName(f"{key[0]} {metric or column}".strip(), metric, {label: key[0], "": ""}, head.unit)


def _refuse_further_series(table: TextTable, roles: Roles, groups: dict[tuple[str, str], list[int]]) -> None:
    """Refuse columns that tell further series apart: equal values of two of them would be taken for one sample."""
    for name in roles.others:
        cells = table.cells(name)
        for key, rows in groups.items():
            names = sorted({cells[row] for row in rows})
            if len(names) > 1:
                whose = " ".join(part for part in key if part)
                raise InputError(
                    f"{table.label}, column {name}: {', '.join(names[:3])} tell series of {whose or 'one repo'} apart; sum "
                    f"them in the query, or leave the column out by a map file with columns: {{{name}: skip}}"
                )


def _refuse_equal_times(
    table: TextTable, roles: Roles, groups: dict[tuple[str, str], list[int]], micros: NDArray[np.int64]
) -> None:
    """Refuse rows of one series and time that differ in a column that was left out; rows that are alike are one."""
    used = {roles.time, roles.repo, roles.metric, roles.series, roles.unit, *roles.values}
    left = [position for position, name in enumerate(table.columns) if name not in used]
    for rows in groups.values() if left else ():
        seen: dict[int, int] = {}
        for row in rows:
            first = seen.setdefault(int(micros[row]), row)
            differ = [table.columns[at] for at in left if table.rows[first][at] != table.rows[row][at]]
            if differ:
                raise InputError(
                    f"{place(table.label, row=table.lines[row])}: of the same series and time as row {table.lines[first]}, and "
                    f"differs in {', '.join(differ[:3])}; sum them in the query"
                )


def _some(names: Sequence[str]) -> str:
    # columns' names may be long
    return and_more([", ".join(names[:5])[:300], *names[5:]], 1)


def _notes(table: TextTable, decimal: str, times: ReadTimes, series: Sequence[SampledSeries]) -> tuple[str, ...]:
    comma = (f"{table.label}: numbers have a decimal comma",) if decimal == "," else ()
    return comma + tuple(f"{table.label}: {note}" for note in times.notes) + totals(series, table.label)
