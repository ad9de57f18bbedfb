"""The four columns of a tidy history into samples, and the rows that cannot be read: up to ten are named at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from tars_lib.errors import MAX_KEPT, InputError, listed
from tars_lib.files.limits import EARLIEST, LATEST
from tars_lib.model.history import SECOND, from_micros, to_micros
from tars_lib.model.samples import Origin, Samples
from tars_lib.model.times import read_local, skipped_hour
from tars_lib.text.times import SECONDS

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

# Spellings of "no value", after pandas' and R's exporters.
NO_VALUE = ("", "NaN", "nan", "NA", "N/A", "null", "NULL", "None")
EPOCHS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


class _Faults:
    """Rows that cannot be read, and what is wrong with each."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._found: list[tuple[int, str, Callable[[int, str], str]]] = []
        self._total = 0

    def add(self, rows: NDArray[np.bool_], column: str, say: Callable[[int, str], str]) -> None:
        """Add the rows of a mask; `say` makes the message of a row and its place."""
        at = np.flatnonzero(rows)
        self._total += at.size
        self._found += [(int(row), column, say) for row in at[:MAX_KEPT]]

    def refuse(self) -> None:
        """Refuse the file if there is a fault."""
        if self._found:
            first = sorted(self._found, key=lambda fault: fault[0])[:MAX_KEPT]
            said = [say(row, self._origin.where(row, column)) for row, column, say in first]
            raise InputError(listed(said, self._total), faults=said)


def samples_of(table: pa.Table, origin: Origin, assume_tz: ZoneInfo | None, notes: tuple[str, ...] = ()) -> Samples:
    """Return the samples of a table of the four columns.

    Raises
    ------
    InputError
        If a name is empty, a time or number cannot be understood; the message names up to ten rows.
    """
    faults = _Faults(origin)
    repo, repos = _codes(table["repo"], "repo", faults)
    metric, metrics = _codes(table["metric"], "metric", faults)
    time, repeated = _micros(table["timestamp"], origin, assume_tz, faults)
    value = _numbers(table["value"], faults)
    faults.refuse()
    return Samples(repos, metrics, repo, metric, time, value, (origin,), (*notes, *repeated), assume_tz)


def _codes(column: pa.ChunkedArray, name: str, faults: _Faults) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    single = column.unify_dictionaries().combine_chunks()
    import pyarrow as pa

    if isinstance(single, pa.ChunkedArray):  # no chunk at all
        return np.zeros(0, dtype=np.int32), ()
    codes = _filled(single.indices, -1).astype(np.int32, copy=False)
    names = tuple(_unquoted(text or "") for text in single.dictionary.to_pylist())
    empty = np.array([not text.strip() for text in names] + [True])
    if single.null_count or empty[:-1].any():
        faults.add(empty[codes], name, lambda row, where: f"{where}: empty; every sample needs a {name}")
    spoiled = np.array(["\0" in text for text in names] + [False])
    if spoiled.any():
        faults.add(spoiled[codes], name, lambda row, where: f"{where}: character U+0000 is not allowed in a name")
    return codes, names


def _unquoted(text: str) -> str:
    """The text without the quotes of a cell that begins with a blank: there a reader of CSV takes them for a part of it."""
    bare = text.strip()
    if text[:1] in (" ", "\t") and len(bare) > 1 and bare[0] == bare[-1] == '"':
        return bare[1:-1].replace('""', '"')
    return text


def _micros(
    column: pa.ChunkedArray, origin: Origin, assume_tz: ZoneInfo | None, faults: _Faults
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return the times, and a note where the clock showed some of them twice."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_timestamp(kind):
        single = _single(column)
        missing = np.zeros(len(single), dtype=np.bool_)
        if single.null_count:
            missing = ~np.array(single.is_valid().to_pylist(), dtype=np.bool_)
            faults.add(missing, "timestamp", lambda row, where: f"{where}: empty; a time is needed")
        ticks = np.asarray(_filled(single.view(pa.int64()), 0), dtype=np.int64)
        per_second = EPOCHS[kind.unit]
        first, last = (int(time.timestamp()) * per_second for time in (EARLIEST, LATEST))
        beyond = (ticks < first) | (ticks > last)
        if beyond.any():
            faults.add(beyond, "timestamp", lambda row, where: f"{where}: {_beyond(int(ticks[row]), kind.unit)}")
        possible = np.where(beyond, 0, ticks) if beyond.any() else ticks
        micros = possible // 1_000 if kind.unit == "ns" else possible * (SECOND // per_second)
        if kind.tz is not None:
            return micros, ()
        if assume_tz is not None:
            return _local(micros, missing | beyond, assume_tz, origin, faults)
        # a time without a zone is refused in the words of a text without one
        texts = [] if not len(micros) else [str(np.datetime64(int(micros[0]), "us"))]
        if texts:
            read_local(texts[0], origin.where(0, "timestamp"), None)
        return micros, ()
    texts = column.unify_dictionaries().combine_chunks()
    if isinstance(texts, pa.ChunkedArray):
        return np.zeros(0, dtype=np.int64), ()
    indices = _filled(texts.indices, -1)
    distinct = [None if text is None else _unquoted(text).strip() for text in texts.dictionary.to_pylist()]
    known = np.zeros(len(distinct) + 1, dtype=np.int64)
    twice, bad = np.zeros(len(distinct) + 1, dtype=np.bool_), np.zeros(len(distinct) + 1, dtype=np.bool_)
    for code, text in enumerate([*distinct, None]):
        try:
            time, twice[code] = read_local(text or "", "", assume_tz)
            known[code] = to_micros(time)
        except InputError:
            bad[code] = True
    if bad[indices].any():
        faults.add(
            bad[indices], "timestamp", lambda row, where: _why([*distinct, None][int(indices[row])], where, assume_tz)
        )
    return known[indices], _repeated(twice[indices], origin, assume_tz)


def _why(text: str | None, where: str, assume_tz: ZoneInfo | None) -> str:
    """Return the message of a time that cannot be read."""
    if not text:
        return f"{where}: empty; a time is needed"
    try:
        read_local(text, where, assume_tz)
    except InputError as error:
        return str(error)
    return where


def _beyond(ticks: int, unit: str) -> str:
    try:
        shown = f"{from_micros(ticks * SECOND // EPOCHS[unit]):{SECONDS}}"
    except OverflowError:
        shown = f"{ticks} {unit} since 1970"
    return f"{shown} is not allowed: a time from {EARLIEST.year} to the end of {LATEST.year - 1} is"


def _local(
    micros: NDArray[np.int64], left_out: NDArray[np.bool_], zone: ZoneInfo, origin: Origin, faults: _Faults
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return the times of a column that names no zone, in the zone that is assumed."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from tars_lib.sources.columns import column as array_of

    naive = array_of(micros, pa.timestamp("us"))

    def instants(ambiguous: str, nonexistent: str) -> NDArray[np.int64]:
        told = pc.assume_timezone(naive, zone.key, ambiguous=ambiguous, nonexistent=nonexistent)
        return np.asarray(_filled(told.view(pa.int64()), 0), dtype=np.int64)

    first, last = instants("earliest", "earliest"), instants("latest", "latest")
    # an hour is left out where the two differ by the one microsecond that Arrow sets them apart
    skipped = (first != last) & (last - first < SECOND) & ~left_out
    if skipped.any():
        faults.add(skipped, "timestamp", lambda row, where: f"{where}: {skipped_hour(naive[row].as_py(), zone)}")
    return first, _repeated((first != last) & ~skipped, origin, zone)


def _repeated(twice: NDArray[np.bool_], origin: Origin, zone: ZoneInfo | None) -> tuple[str, ...]:
    if zone is None or not twice.any():
        return ()
    where = origin.where(int(np.argmax(twice)), "timestamp")
    return (
        f"{where}: {int(twice.sum())} times fall into an hour that {zone.key} had twice, because its clocks went back; "
        "they are read as its first pass",
    )


def _numbers(column: pa.ChunkedArray, faults: _Faults) -> NDArray[np.float64]:
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type):
        return np.asarray(_filled(_single(column), np.nan), dtype=np.float64)
    texts = column.unify_dictionaries().combine_chunks()
    if isinstance(texts, pa.ChunkedArray):
        return np.zeros(0, dtype=np.float64)
    distinct = [_unquoted(text).strip() for text in texts.dictionary.to_pylist()]
    numbers = np.array([_number(text) for text in distinct] + [np.nan], dtype=np.float64)
    odd = np.array([_spoils(text) for text in distinct] + [False])
    indices = _filled(texts.indices, len(distinct))
    if odd[indices].any():
        faults.add(odd[indices], "value", lambda row, where: f"{where}: {_no_number(distinct[int(indices[row])])}")
    return np.asarray(numbers[indices], dtype=np.float64)


def _no_number(text: str) -> str:
    point = " with a decimal point" if "," in text else ""
    return f"{text[:60]!r} is not a number; allowed: a finite number{point}, or nothing where it is missing"


def _single(column: pa.ChunkedArray) -> pa.Array:
    """Return the chunks as one array, also where there is none."""
    import pyarrow as pa

    return column.combine_chunks() if column.num_chunks else pa.nulls(0, column.type)


def _filled(values: pa.Array, missing: float) -> NDArray[Any]:
    """Numbers as an array, nulls as `missing`. Not by Arrow's `to_numpy`: it loads pandas, which takes longer than reading."""
    if values.null_count:
        values = values.fill_null(missing)
    return np.from_dlpack(values) if len(values) else np.zeros(0, dtype=values.type.to_pandas_dtype())


def _number(text: str) -> float:
    return float("nan") if text in NO_VALUE or _spoils(text) else float(text)


def _spoils(text: str) -> bool:
    if text in NO_VALUE:
        return False
    try:
        float(text)
    except ValueError:
        return True
    return "_" in text  # Python's own grouping of digits, not a number in any file
