"""Reads tidy histories: CSV or Parquet with the columns timestamp, repo, metric, value.

The fast path lets Arrow parse typed columns. When it refuses, the file is read again as text and the first offending
row is looked for, so that the message can name it.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tars_lib.errors import InputError, place
from tars_lib.files.limits import MAX_COLUMNS, MAX_HEADER_BYTES, MAX_NAME, MAX_ROWS, MAX_TABLE_BYTES
from tars_lib.files.reading import not_utf8, open_regular
from tars_lib.model.history import SECOND, to_micros
from tars_lib.model.samples import Origin, Samples
from tars_lib.model.times import read_local, skipped_hour
from tars_lib.sources.lines import lines_of, refuse_spoiled_text

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    import pyarrow as pa
    from numpy.typing import NDArray

COLUMNS = ("timestamp", "repo", "metric", "value")
# Spellings of "no value", after pandas' and R's exporters.
_NO_VALUE = ["", "NaN", "nan", "NA", "N/A", "null", "NULL", "None"]
_SLACK = 1_000_000
"""Bytes that a column of Parquet may take beside its rows, such as an empty dictionary; judgement."""


def read_tidy(path: Path, label: str, assume_tz: ZoneInfo | None = None) -> Samples:
    """Read one tidy history file.

    Parameters
    ----------
    path : Path
        ``.csv`` (UTF-8, header row) or ``.parquet``.
    label : str
        How messages name the file.
    assume_tz : ZoneInfo, optional
        Zone of times that name none.

    Returns
    -------
    Samples

    Raises
    ------
    InputError
        If the file cannot be read, lacks a column, or holds a time or number that cannot be understood; the message
        names file, row, column, value and what is allowed.
    """
    import pyarrow as pa

    is_parquet = path.suffix == ".parquet"
    with open_regular(path, label, MAX_TABLE_BYTES) as file:
        head = b"" if is_parquet else file.readline(MAX_HEADER_BYTES + 1)
    try:
        table = _read_parquet(path, label) if is_parquet else _read_csv(path, label, head, assume_tz)
        origin = Origin(label, table.num_rows, 1) if is_parquet else Origin(label, table.num_rows, 2, lines_of(path))
        return _samples(table, origin, assume_tz)
    except (pa.ArrowException, OSError, OverflowError, UnicodeDecodeError) as error:
        raise InputError(f"{label}: cannot be read: {_one_line(error)}") from error


def merge(parts: Sequence[Samples]) -> Samples:
    """Samples of several files as one, each row still knowing its file."""
    if len(parts) == 1:
        return parts[0]
    repos, repo_codes = _union([part.repos for part in parts], [part.repo for part in parts])
    metrics, metric_codes = _union([part.metrics for part in parts], [part.metric for part in parts])
    return Samples(
        repos,
        metrics,
        repo_codes,
        metric_codes,
        np.concatenate([part.time for part in parts]) if parts else np.zeros(0, dtype=np.int64),
        np.concatenate([part.value for part in parts]) if parts else np.zeros(0),
        tuple(origin for part in parts for origin in part.origins),
        tuple(note for part in parts for note in part.notes),
        next((part.zone for part in parts if part.zone is not None), None),
    )


def _union(
    names: Sequence[tuple[str, ...]], codes: Sequence[NDArray[np.int32]]
) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    position: dict[str, int] = {}
    moved = [np.zeros(0, dtype=np.int32)]
    for part_names, part_codes in zip(names, codes, strict=True):
        # the extra last entry keeps -1 (no name) at -1
        table = np.array([position.setdefault(name, len(position)) for name in part_names] + [-1], dtype=np.int32)
        moved.append(table[part_codes])
    return tuple(position), np.concatenate(moved)


def _read_parquet(path: Path, label: str) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    # checked before the columns are asked for as dictionaries: Arrow answers a missing one with a bare KeyError
    _refuse_missing_columns(pq.read_schema(path).names, label)
    with pq.ParquetFile(path, read_dictionary=["repo", "metric"]) as file:
        _refuse_rows(file.metadata.num_rows, label)
        _refuse_bomb(file.metadata, label)
        table = file.read(columns=list(COLUMNS))
    if not (pa.types.is_floating(table["value"].type) or pa.types.is_integer(table["value"].type)):
        raise InputError(f"{place(label, column='value')}: type {table['value'].type} is not allowed; a number type is")
    return table


def _refuse_bomb(about: Any, label: str) -> None:
    """Refuse columns that take far more memory than their rows need, by what the file says of them before they are unpacked."""
    total = 0
    for group in range(about.num_row_groups):
        for number in range(about.num_columns):
            chunk = about.row_group(group).column(number)
            if chunk.path_in_schema.partition(".")[0] not in COLUMNS:
                continue
            total += chunk.total_uncompressed_size
            # a character takes up to 4 bytes in UTF-8
            if chunk.total_uncompressed_size > 4 * MAX_NAME * chunk.num_values + _SLACK:
                raise InputError(
                    f"{place(label, column=chunk.path_in_schema)}: {chunk.total_uncompressed_size} bytes once unpacked, for "
                    f"{chunk.num_values} rows; names of up to {MAX_NAME} characters are allowed"
                )
    if total > MAX_TABLE_BYTES:
        raise InputError(f"{label}: {total} bytes once unpacked; up to {MAX_TABLE_BYTES} are allowed")


def _read_csv(path: Path, label: str, head: bytes, assume_tz: ZoneInfo | None) -> pa.Table:
    import pyarrow as pa

    if not head.strip():
        raise InputError(f"{label}: the file is empty; its first row must name the columns {', '.join(COLUMNS)}")
    if len(head) > MAX_HEADER_BYTES:
        raise InputError(f"{place(label, row=1)}: more than {MAX_HEADER_BYTES} bytes in the row of column names")
    try:
        names = next(csv.reader([head.decode("utf-8-sig").rstrip("\r\n")]))
    except UnicodeDecodeError as error:
        raise InputError(f"{place(label, row=1)}: {not_utf8(head, error)}") from error
    except csv.Error as error:
        raise InputError(f"{place(label, row=1)}: {error}") from error
    _refuse_missing_columns(names, label)
    label_type = pa.dictionary(pa.int32(), pa.string())
    zone = None if assume_tz else "UTC"
    types: dict[str, Any] = {"timestamp": pa.timestamp("us", zone), "repo": label_type, "metric": label_type}
    try:
        return _arrow_csv(path, types | {"value": pa.float64()}, label)
    except pa.ArrowInvalid:
        # something does not parse: read as text, so that the row can be named
        try:
            return _arrow_csv(path, dict.fromkeys(COLUMNS, label_type), label)
        except pa.ArrowInvalid as error:
            refuse_spoiled_text(path, label, len(names))
            raise InputError(f"{label}: cannot be read: {_one_line(error)}") from error


def _arrow_csv(path: Path, types: dict[str, Any], label: str) -> pa.Table:
    import pyarrow.csv as pv

    convert = pv.ConvertOptions(
        column_types=types,
        include_columns=list(COLUMNS),
        null_values=_NO_VALUE,
        # a repo may be called NA; an empty name is found later
        strings_can_be_null=False,
    )
    table = pv.read_csv(path, read_options=pv.ReadOptions(block_size=8 << 20), convert_options=convert)
    _refuse_rows(table.num_rows, label)
    return table


def _refuse_rows(rows: int, label: str) -> None:
    if rows > MAX_ROWS:
        raise InputError(f"{label}: {rows} rows; up to {MAX_ROWS} are allowed")


def _refuse_missing_columns(names: list[str], label: str) -> None:
    lacking = [column for column in COLUMNS if column not in names]
    if lacking:
        raise InputError(
            f"{place(label, row=1)}: column {', '.join(lacking)} is missing; "
            f"needed: {', '.join(COLUMNS)}; found: {' '.join(', '.join(names)[:200].split())}"
        )
    double = [column for column in COLUMNS if names.count(column) > 1]
    if len(names) > MAX_COLUMNS:
        raise InputError(f"{place(label, row=1)}: {len(names)} columns; up to {MAX_COLUMNS} are allowed")
    if double:
        raise InputError(f"{place(label, row=1)}: column {', '.join(double)} stands twice; each is allowed once")


def _samples(table: pa.Table, origin: Origin, assume_tz: ZoneInfo | None) -> Samples:
    repo, repos = _codes(table["repo"])
    metric, metrics = _codes(table["metric"])
    time, notes = _micros(table["timestamp"], origin, assume_tz)
    value = _numbers(table["value"], origin)
    return Samples(repos, metrics, repo, metric, time, value, (origin,), notes, assume_tz)


def _codes(column: pa.ChunkedArray) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type):
        import pyarrow.compute as pc

        column = pc.dictionary_encode(pc.cast(column, pa.string()))
    single = column.unify_dictionaries().combine_chunks()
    if isinstance(single, pa.ChunkedArray):  # no chunk at all
        return np.zeros(0, dtype=np.int32), ()
    codes = _filled(single.indices, -1).astype(np.int32, copy=False)
    names = tuple(str(name) for name in single.dictionary.to_pylist())
    for position, name in enumerate(names):
        if not name.strip():
            codes = np.where(codes == position, np.int32(-1), codes)
    return codes, names


def _micros(
    column: pa.ChunkedArray, origin: Origin, assume_tz: ZoneInfo | None
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Times, and a note where the clock showed some of them twice."""
    import pyarrow as pa

    kind = column.type
    if kind == pa.timestamp("us", "UTC") and not column.null_count:
        return np.asarray(_filled(_single(column).view(pa.int64()), 0), dtype=np.int64), ()
    # loaded where something has to be converted, which is never so in a history that this package wrote
    import pyarrow.compute as pc

    if column.null_count:
        row = int(pc.index(pc.is_null(column), True).as_py())
        raise InputError(f"{origin.where(row, 'timestamp')}: empty; a time is needed")
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        micros = pc.cast(column, pa.timestamp("us", "UTC"), safe=False).cast(pa.int64()).combine_chunks()
        return np.asarray(_filled(micros, 0), dtype=np.int64), ()
    if pa.types.is_timestamp(kind) and assume_tz is not None:
        return _local(column, origin, assume_tz)
    if pa.types.is_dictionary(kind):
        texts = column.unify_dictionaries().combine_chunks()
    else:
        texts = pc.dictionary_encode(pc.cast(column, pa.string())).unify_dictionaries().combine_chunks()
    indices = _filled(texts.indices, -1)
    known = np.empty(len(texts.dictionary), dtype=np.int64)
    # a row is named in the order of the file, so that the first offender is the one reported
    _, firsts = np.unique(indices, return_index=True)
    distinct = texts.dictionary.to_pylist()
    twice = np.zeros(len(distinct), dtype=bool)
    for first in np.sort(firsts):
        code = int(indices[first])
        time, is_twice = read_local(distinct[code], origin.where(int(first), "timestamp"), assume_tz)
        known[code], twice[code] = to_micros(time), is_twice
    return np.asarray(known[indices], dtype=np.int64), _repeated(twice[indices], origin, assume_tz)


def _local(column: pa.ChunkedArray, origin: Origin, zone: ZoneInfo) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Times of a column that names no zone, in the zone that is assumed."""
    import pyarrow as pa
    import pyarrow.compute as pc

    def instants(ambiguous: str, nonexistent: str) -> NDArray[np.int64]:
        told = pc.assume_timezone(column, zone.key, ambiguous=ambiguous, nonexistent=nonexistent)
        micros = pc.cast(told, pa.timestamp("us", "UTC"), safe=False).cast(pa.int64()).combine_chunks()
        return np.asarray(_filled(micros, 0), dtype=np.int64)

    first, last = instants("earliest", "earliest"), instants("latest", "latest")
    # an hour is left out where the two differ by the one microsecond that Arrow sets them apart
    skipped = (first != last) & (last - first < SECOND)
    if skipped.any():
        row = int(np.argmax(skipped))
        raise InputError(f"{origin.where(row, 'timestamp')}: {skipped_hour(column[row].as_py(), zone)}")
    return first, _repeated(first != last, origin, zone)


def _repeated(twice: NDArray[np.bool_], origin: Origin, zone: ZoneInfo | None) -> tuple[str, ...]:
    if zone is None or not twice.any():
        return ()
    where = origin.where(int(np.argmax(twice)), "timestamp")
    return (
        f"{where}: {int(twice.sum())} times fall into an hour that {zone.key} had twice, because its clocks went back; "
        "they are read as its first pass",
    )


def _numbers(column: pa.ChunkedArray, origin: Origin) -> NDArray[np.float64]:
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        texts = column.unify_dictionaries().combine_chunks()
        numbers = np.array([_number(text) for text in texts.dictionary.to_pylist()] + [np.nan], dtype=np.float64)
        odd = np.isneginf(numbers) & np.array([_spoils(text) for text in texts.dictionary.to_pylist()] + [False])
        indices = _filled(texts.indices, len(numbers) - 1)
        bad = odd[indices]
        if bad.any():
            first = int(np.argmax(bad))
            text = str(texts[first].as_py())[:60]
            where = origin.where(first, "value")
            raise InputError(
                f"{where}: {text!r} is not a number; allowed: a finite number, or nothing where it is missing"
            )
        return np.asarray(numbers[indices], dtype=np.float64)
    if column.type != pa.float64():
        import pyarrow.compute as pc

        column = pc.cast(column, pa.float64())
    return np.asarray(_filled(_single(column), np.nan), dtype=np.float64)


def _single(column: pa.ChunkedArray) -> pa.Array:
    """The chunks as one array, also where there is none."""
    import pyarrow as pa

    return column.combine_chunks() if column.num_chunks else pa.nulls(0, column.type)


def _filled(values: pa.Array, missing: float) -> NDArray[Any]:
    """Numbers as an array, nulls as `missing`. Not by Arrow's `to_numpy`: it loads pandas, which takes longer than reading."""
    if values.null_count:
        values = values.fill_null(missing)
    return np.from_dlpack(values) if len(values) else np.zeros(0, dtype=values.type.to_pandas_dtype())


def _number(text: str) -> float:
    if text in _NO_VALUE:
        return float("nan")
    return float("-inf") if _spoils(text) else float(text)


def _spoils(text: str) -> bool:
    if text in _NO_VALUE:
        return False
    try:
        float(text)
    except ValueError:
        return True
    return "_" in text  # Python's own grouping of digits, not a number in any file


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
