"""Reads tidy histories: CSV or Parquet with the columns timestamp, repo, metric, value.

The fast path lets Arrow parse typed columns. When it refuses, the file is read again as text and the offending rows are looked
for, so that the message can name them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tars_lib.errors import InputError
from tars_lib.files.limits import MAX_HEADER_BYTES, MAX_TABLE_BYTES
from tars_lib.files.reading import open_regular
from tars_lib.model.samples import Origin, Samples
from tars_lib.sources.cells import NO_VALUE, samples_of
from tars_lib.sources.csv_rows import TableHead, lines_of, read_head, refuse_open_quotes, refuse_spoiled_text
from tars_lib.sources.parquet_types import COLUMNS, read_parquet, refuse_rows

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    import pyarrow as pa
    from numpy.typing import NDArray


_LINE_ENDS = (b"\n", b"\r", b"")
_UNENDED = "no line end after the last row; where a transfer broke off, its last cell is cut; it was read as it stands"


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
        head = None
        if not is_parquet:
            head = read_head(iter(lambda: file.readline(MAX_HEADER_BYTES + 1), b""), label, COLUMNS)
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
            if file.read(1) not in _LINE_ENDS:
                head = replace(head, notes=(*head.notes, f"{label}: {_UNENDED}"))
    try:
        if head is None:
            table = read_parquet(path, label)
            return samples_of(table, Origin(label, table.num_rows, 1), assume_tz)
        table = _read_csv(path, head, label, assume_tz)
        origin = Origin(label, table.num_rows, head.line + 1, lines_of(path, head))
        return samples_of(table, origin, assume_tz, head.notes)
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


def _read_csv(path: Path, head: TableHead, label: str, assume_tz: ZoneInfo | None) -> pa.Table:
    import pyarrow as pa

    refuse_open_quotes(path, head, label, COLUMNS)
    label_type = pa.dictionary(pa.int32(), pa.string())
    zone = None if assume_tz else "UTC"
    types: dict[str, Any] = {"timestamp": pa.timestamp("us", zone), "repo": label_type, "metric": label_type}
    try:
        table = _arrow_csv(path, head, types | {"value": pa.float64()})
    except pa.ArrowInvalid:
        # something does not parse: read as text, so that the rows can be named
        try:
            table = _arrow_csv(path, head, dict.fromkeys(COLUMNS, label_type))
        except pa.ArrowInvalid as error:
            refuse_spoiled_text(path, head, label)
            raise InputError(f"{label}: cannot be read: {_one_line(error)}") from error
    refuse_rows(table.num_rows, label)
    return table


def _arrow_csv(path: Path, head: TableHead, types: dict[str, Any]) -> pa.Table:
    import pyarrow.csv as pv

    return pv.read_csv(
        path,
        read_options=pv.ReadOptions(block_size=8 << 20, column_names=_distinct(head.columns), skip_rows=head.line),
        parse_options=pv.ParseOptions(delimiter=head.separator),
        convert_options=pv.ConvertOptions(
            column_types=types,
            include_columns=list(COLUMNS),
            null_values=list(NO_VALUE),
            # a repo may be called NA; an empty name is found later
            strings_can_be_null=False,
        ),
    )


def _distinct(columns: Sequence[str]) -> list[str]:
    """The names, with those that are passed over told apart."""
    return [name if name in COLUMNS else f"{number} {name}" for number, name in enumerate(columns)]


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
