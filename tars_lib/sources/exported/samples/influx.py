"""Exports of InfluxDB: line protocol, annotated CSV of Flux, JSON of InfluxQL.

References
----------
https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/
https://docs.influxdata.com/influxdb/v2/reference/syntax/annotated-csv/
https://docs.influxdata.com/influxdb/v1/guides/query_data/
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from tars_lib.errors import InputError, place
from tars_lib.sources.exported.clock import read_times
from tars_lib.sources.exported.content import Content
from tars_lib.sources.exported.fields import PlacedEntry, records_of
from tars_lib.sources.exported.samples.points import WrittenSeries, point_values
from tars_lib.sources.exported.shapes import NO_CHOICES, Choices, Exported, SampledSeries
from tars_lib.sources.exported.whose import REPO_LABEL, SeriesName, owners
from tars_lib.text.counts import plural

_TEXT = r'"(?:[^"\\]|\\.)*"'
_KEY = r"(?:[^\s,=\\\"]|\\.)+"
_LINE = re.compile(
    rf"((?:[^\s,\\]|\\.)+)((?:,{_KEY}=(?:[^\s,=\\]|\\.)+)*)[ ]+({_KEY}=(?:{_TEXT}|[^\s,\"]+)(?:,{_KEY}=(?:{_TEXT}|[^\s,\"]+))*)"
    r"(?:[ ]+(-?\d+))?[ ]*"
)
_TAG = re.compile(r",((?:[^\s,=\\]|\\.)+)=((?:[^\s,=\\]|\\.)+)")
_FIELD = re.compile(rf"({_KEY})=({_TEXT}|[^\s,\"]+)")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_PLAIN = {"value", "_value", "mean", "sum", "min", "max", "last", "first", "median"}
"""Fields that add nothing to the name of what was measured: the only one, or what a function of InfluxQL calls its result."""
_NUMBERS = {"double", "long", "unsignedLong"}
_OWN = {"", "result", "table", "_start", "_stop", "_time", "_value", "_field", "_measurement"}


class _Collected(dict[str, WrittenSeries]):
    """Series by their whole name."""

    def add(self, measured: tuple[str, str], tags: Mapping[str, str], time: str, value: object, line: int) -> None:
        """Add a value of a field of a measurement."""
        measurement, of = measured
        metric = measurement if of in _PLAIN else "_".join(part for part in (measurement, of) if part)
        text = f"{metric}{{{','.join(f'{key}={told}' for key, told in sorted(tags.items()))}}}"
        if text not in self:
            self[text] = WrittenSeries(SeriesName(text, metric, dict(tags) or {"": ""}))
        self[text].add(time, value, line)

    def exported(self, label: str, choices: Choices, columns: str, passed: Counter[str]) -> Exported:
        """Return the series, once their times are read."""
        notes = [f"{label}: {plural(sum(passed.values()), 'value')} that are no numbers passed over"] if passed else []
        if not self:
            raise InputError(f"{label}: no number in it" + "".join(f"; {note}" for note in notes))
        times, values = [], []
        for written in self.values():
            times.append(read_times(written.times, written.place_in(label), zone=choices.zone, epoch=choices.epoch))
            values.append(point_values(written.values, f"{label}, {written.name.text[:100]}"))
        whose = owners([written.name for written in self.values()], choices, label)
        series = tuple(
            SampledSeries(owner.repo, owner.metric, read.micros, numbers, owner.unit, owner.kind, written.rows)
            for owner, read, numbers, written in zip(whose, times, values, self.values(), strict=True)
        )
        zone = next((read.zone for read in times if read.zone), "")
        return Exported(series=series, columns=columns, zone=zone, notes=tuple(notes))


def is_lines(content: Content) -> bool:
    """Return whether the first line with content is one of line protocol."""
    first = next((line for line in content.text[:100_000].splitlines() if line.strip() and line[0] != "#"), "")
    return _LINE.fullmatch(first) is not None


def read_lines(content: Content, choices: Choices) -> Exported:
    """Read line protocol: the repo from the tag ``service`` or another, the metric is the measurement with its field.

    Raises
    ------
    InputError
        If a line cannot be read or has no time, or repo or metric cannot be told.
    """
    label, collected, passed = content.label, _Collected(), Counter[str]()
    for number, line in enumerate(content.text.split("\n"), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = _LINE.fullmatch(line.rstrip("\r"))
        if parts is None or parts[4] is None:
            what = "no line of line protocol" if parts is None else "no time; each point needs one"
            raise InputError(f"{place(label, row=number)}: {line[:60]!r}: {what}")
        tags = {_bare(key): _bare(value) for key, value in _TAG.findall(parts[2])}
        for key, value in _FIELD.findall(parts[3]):
            number_in = value[:-1] if value[-1:] in ("i", "u") else value
            if _NUMBER.fullmatch(number_in) is None:
                passed[key] += 1
                continue
            collected.add((_bare(parts[1]), _bare(key)), tags, parts[4], number_in, number)
    return collected.exported(label, choices, _columns("line protocol", choices), passed)


def _bare(text: str) -> str:
    return re.sub(r"\\([,= ])", r"\1", text)


def _columns(what: str, choices: Choices) -> str:
    whose = choices.repo or f"from tag {choices.repo_from or REPO_LABEL}"
    return f"{what}; repo {whose}"


def is_annotated(content: Content) -> bool:
    """Return whether a text is CSV with annotations."""
    return content.text.startswith(("#datatype,", "#group,", "#default,"))


def read_annotated(content: Content, choices: Choices) -> Exported:
    """Read the tables of annotated CSV, each a value a row, or a field a column where Flux pivoted them.

    Raises
    ------
    InputError
        If the query failed, a table has no times or numbers, or repo or metric cannot be told.
    """
    label, collected, passed = content.label, _Collected(), Counter[str]()
    kinds: Sequence[str] = ()
    defaults: Sequence[str] = ()
    columns: Sequence[str] = ()
    reader = csv.reader(io.StringIO(content.text, newline=""))
    try:
        for row in reader:
            line = reader.line_num
            if not any(row):
                columns = ()
            elif row[0].startswith("#"):
                columns = ()
                kinds = row if row[0] == "#datatype" else kinds
                defaults = row if row[0] == "#default" else defaults
            elif not columns:
                columns = row
                _refuse_head(columns, kinds, place(label, row=line))
            else:
                if len(row) != len(columns):
                    raise InputError(f"{place(label, row=line)}: {len(row)} fields; {len(columns)} are needed")
                filled = [cell or (defaults[k] if k < len(defaults) else "") for k, cell in enumerate(row)]
                _add_row(
                    collected,
                    dict(zip(columns, filled, strict=True)),
                    dict(zip(columns, kinds, strict=True)),
                    line,
                    passed,
                )
    except csv.Error as error:
        raise InputError(f"{label}: {error}") from error
    return collected.exported(label, choices, _columns("annotated CSV", choices), passed)


def _refuse_head(columns: Sequence[str], kinds: Sequence[str], where: str) -> None:
    if "error" in columns:
        raise InputError(f"{where}: an answer with an error; run the query again")
    if len(kinds) != len(columns) or len(set(columns)) != len(columns) or "_time" not in columns:
        raise InputError(f"{where}: a #datatype for each column, and a column _time, are needed")


def _add_row(
    collected: _Collected, row: Mapping[str, str], kinds: Mapping[str, str], line: int, passed: Counter[str]
) -> None:
    tags = {name: row[name] for name, kind in kinds.items() if kind == "string" and name not in _OWN and row[name]}
    measurement = row.get("_measurement", "")
    fields = ["_value"] if "_value" in row else [n for n, kind in kinds.items() if kind in _NUMBERS and n not in _OWN]
    for name in fields:
        of = row.get("_field", "") if name == "_value" else name
        if kinds[name] not in _NUMBERS:
            passed[of] += 1
        else:
            collected.add((measurement, of), tags, row["_time"], row[name] or None, line)


def is_answer(document: object) -> bool:
    """Return whether parsed JSON looks like the answer to a query in InfluxQL."""
    parts = document if isinstance(document, list) else [document]
    return bool(parts) and all(
        isinstance(part, dict) and isinstance(part.get("results"), list) and _is_statement(part["results"])
        for part in parts
    )


def _is_statement(results: Sequence[object]) -> bool:
    return bool(results) and all(
        isinstance(result, dict)
        and ("statement_id" in result or "series" in result)
        and "beginTimeSeconds" not in result
        for result in results
    )


def read_answer(document: object, label: str = "influx", choices: Choices = NO_CHOICES) -> Exported:
    """Read the answer to a query in InfluxQL: tags from its ``group by``.

    Raises
    ------
    InputError
        If the query failed, a row does not fit its columns, or repo or metric cannot be told.
    """
    collected, passed = _Collected(), Counter[str]()
    for result in records_of(document, ("results",), label, choices):
        if result.entry.get("error") or result.entry.get("partial"):
            raise InputError(
                f"{result.where}: the answer is not whole: {str(result.entry.get('error') or 'partial')[:200]}"
            )
        for series in result.records("series") if "series" in result.entry else ():
            _add_series(collected, series, passed)
    return collected.exported(label, choices, _columns("columns and values", choices), passed)


def _add_series(collected: _Collected, series: PlacedEntry, passed: Counter[str]) -> None:
    """Add a series; a column of texts is a tag only where it names the service."""
    columns, tags = series.entry.get("columns"), series.entry.get("tags")
    repo_from = series.choices.repo_from or REPO_LABEL
    if not isinstance(columns, list) or "time" not in columns:
        raise InputError(f"{series.where}: columns with time are needed")
    labels = {str(key): str(value) for key, value in tags.items() if value != ""} if isinstance(tags, dict) else {}
    for values in _rows(series.entry.get("values"), len(columns), series.where):
        row = {str(name): value for name, value in zip(columns, values, strict=True)}
        texts = {key: value for key, value in row.items() if isinstance(value, str) and key != "time"}
        own = {**labels, **({repo_from: texts[repo_from]} if repo_from in texts else {})}
        for key, value in row.items():
            if key == "time" or key in texts:
                passed.update([key] if key in texts and key not in own else [])
            else:
                collected.add((series.name("name"), key), own, str(row["time"]), value, 0)


def _rows(given: object, width: int, where: str) -> Iterator[list[object]]:
    for row in given if isinstance(given, list) else []:
        if not isinstance(row, list) or len(row) != width:
            raise InputError(f"{where}: {width} values are needed in each row")
        yield row
