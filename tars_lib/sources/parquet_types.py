"""The columns of a Parquet file in the types that a history needs: read right, or refused by column and type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import numpy as np

from tars_lib.errors import InputError, place
from tars_lib.files.limits import MAX_NAME, MAX_TABLE_BYTES, refuse_rows
from tars_lib.model.samples import PART_ROWS
from tars_lib.sources.columns import column
from tars_lib.sources.csv_rows import refuse_columns

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ("timestamp", "repo", "metric", "value")
_NAMES = ("repo", "metric")
_NO_NAME = "__HIVE_DEFAULT_PARTITION__"
_SLACK = 1_000_000
"""Bytes that a column of Parquet may take beside its rows, such as an empty dictionary; judgement."""


def read_parquet(path: Path, label: str) -> Iterator[pa.Table]:
    """Read the four columns, some rows at a time: names and times in text as dictionaries, values as binary64.

    A column that the file lacks is taken from the names of its folders, such as ``repo=web``.

    Raises
    ------
    InputError
        If a column is missing or of a type that cannot be read, or the file is beyond a limit.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    # checked before the columns are asked for as dictionaries: Arrow answers a missing one with a bare KeyError
    schema = pq.read_schema(path)
    said = {name: text for name, text in partition_of(label).items() if name not in schema.names}
    refuse_columns((*schema.names, *said), place(label, row=1), COLUMNS)
    refuse_types(schema, label)
    coded = [name for name in _NAMES if name not in said and _is_text(schema.field(name).type)]
    # times of the older kind are counted in nanoseconds, which end in 2262 and would wrap round
    with pq.ParquetFile(path, read_dictionary=coded, coerce_int96_timestamp_unit="us") as file:
        refuse_rows(file.metadata.num_rows, label)
        _refuse_bomb(file.metadata, label)
        own = [name for name in COLUMNS if name not in said]
        if file.metadata.num_rows <= PART_ROWS:
            tables = iter((file.read(columns=own),))
        else:
            batches = file.iter_batches(PART_ROWS, columns=own)
            tables = (pa.Table.from_batches([batch]) for batch in batches)
        for table in tables:
            yield _with_names(converted(table, label), said)


def release_memory() -> None:
    """Give back what Arrow holds for the next table; hundreds of megabytes after large files."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


def partition_of(label: str) -> dict[str, str]:
    """Return the repo and metric that the folders of a file name, as Hive writes them.

    Examples
    --------
    >>> partition_of("history/date=2026-01-05/repo=web%20shop/part-0.parquet")
    {'repo': 'web shop'}
    """
    pairs = (folder.partition("=") for folder in label.split("/")[:-1])
    return {name: "" if value == _NO_NAME else unquote(value) for name, _, value in pairs if name in _NAMES}


def _with_names(table: pa.Table, said: Mapping[str, str]) -> pa.Table:
    import pyarrow as pa

    for name, text in said.items():
        codes = column(np.zeros(table.num_rows, dtype=np.int32), pa.int32())
        table = table.append_column(name, pa.DictionaryArray.from_arrays(codes, [text]))
    return table


def refuse_types(schema: pa.Schema, label: str) -> None:
    """Refuse columns of types that a history cannot have.

    Raises
    ------
    InputError
        That names the column, its type and what is allowed.
    """
    for name, (is_allowed, needed) in _ALLOWED.items():
        if name not in schema.names:  # the folder says it
            continue
        kind = schema.field(name).type
        if not is_allowed(kind):
            raise InputError(f"{place(label, column=name)}: type {kind} is not allowed; {needed} is")


def converted(table: pa.Table, label: str) -> pa.Table:
    """Return the four columns in the types that are computed with, from any that `refuse_types` lets pass.

    Raises
    ------
    InputError
        If a name holds bytes that are no text.
    """
    for position, name in enumerate(table.column_names):
        table = table.set_column(position, name, _converted(table[name], name, label))
    return table


def _plain(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    plain = _plain(kind)
    return bool(pa.types.is_string(plain) or pa.types.is_large_string(plain) or pa.types.is_string_view(plain))


def _is_name(kind: pa.DataType) -> bool:
    import pyarrow as pa

    plain = _plain(kind)
    return (
        _is_text(kind)
        or pa.types.is_integer(plain)
        or pa.types.is_null(plain)
        or pa.types.is_binary(plain)
        or pa.types.is_large_binary(plain)
        or pa.types.is_fixed_size_binary(plain)
    )


def _is_time(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return _is_text(kind) or pa.types.is_timestamp(_plain(kind)) or pa.types.is_date(kind)


def _is_number(kind: pa.DataType) -> bool:
    import pyarrow as pa

    plain = _plain(kind)
    is_real = pa.types.is_floating(plain) or pa.types.is_decimal(plain)
    return bool(is_real or pa.types.is_integer(plain) or pa.types.is_null(plain))


_ALLOWED = {
    "timestamp": (_is_time, "a timestamp with a zone, or text in ISO 8601"),
    "repo": (_is_name, "text"),
    "metric": (_is_name, "text"),
    "value": (_is_number, "a number type"),
}


def _converted(cells: pa.ChunkedArray, name: str, label: str) -> pa.ChunkedArray:
    """Return the column in the type that is computed with; one that this package wrote is left as it is."""
    import pyarrow as pa

    kind = cells.type
    as_text = pa.dictionary(pa.int32(), pa.string())
    if name == "value":
        if kind == pa.float64():
            return cells
        import pyarrow.compute as pc

        if pa.types.is_dictionary(kind):
            cells = pc.cast(cells, kind.value_type)
        # a count beyond 2^53 loses its last digit, which no share can show
        return pc.cast(cells, pa.float64(), safe=False)
    if kind == as_text or pa.types.is_timestamp(kind):
        return cells
    import pyarrow.compute as pc

    if pa.types.is_dictionary(kind):
        cells = pc.cast(cells, kind.value_type)
        if pa.types.is_timestamp(cells.type):
            return cells
    try:
        if pa.types.is_fixed_size_binary(cells.type):
            cells = pc.cast(cells, pa.binary())
        texts = pc.cast(cells, pa.string())
    except pa.ArrowInvalid as error:
        raise InputError(f"{place(label, column=name)}: type {kind} holds bytes that are not UTF-8 text") from error
    return pc.dictionary_encode(texts)


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
