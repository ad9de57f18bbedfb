"""The columns of a table as `sources.yaml` maps them: renamed, wide ones made long, numbers of an epoch made times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tars_lib.errors import InputError, place
from tars_lib.files.limits import MAX_COLUMNS
from tars_lib.sources.columns import coded

if TYPE_CHECKING:
    import pyarrow as pa

    from tars_lib.config.pulling.series import TableForm

PER_SECOND = {"epoch_s": 1, "epoch_ms": 1_000, "epoch_us": 1_000_000, "epoch_ns": 1_000_000_000}
"""What counts since 1970 count, by the word of `sources.yaml`."""
BATCH = 131_072
"""Rows of a batch; judgement: some 10 MB."""


def needed(spec: TableForm) -> tuple[str, ...]:
    """Return the columns of the source that are read."""
    if spec.wide:
        return (spec.column("timestamp"), spec.column("repo"), *spec.wide.values())
    return tuple(spec.column(name) for name in ("timestamp", "repo", "metric", "value"))


def refuse_missing(there: Sequence[str], spec: TableForm, label: str) -> None:
    """Refuse a table that lacks a column.

    Raises
    ------
    InputError
        That names those that are missing and those that are there.
    """
    if len(there) > MAX_COLUMNS:
        raise InputError(f"{label}: {len(there)} columns; up to {MAX_COLUMNS} are allowed")
    missing = [name for name in needed(spec) if name not in there]
    if missing:
        raise InputError(
            f"{label}: no column {', '.join(missing)[:200]}; there: {', '.join(there)[:300]}; columns in sources.yaml maps them"
        )
    twice = [name for name in needed(spec) if list(there).count(name) > 1]
    if twice:
        raise InputError(f"{label}: column {twice[0][:100]} stands twice; each name once is allowed")


def long_tables(batches: Iterable[pa.RecordBatch], spec: TableForm, label: str) -> Iterator[pa.Table]:
    """Yield the tables of timestamp, repo, metric and value from the batches of a source.

    Raises
    ------
    InputError
        If a column is missing, or a time of an epoch is no number.
    """
    import pyarrow as pa

    for batch in batches:
        refuse_missing(batch.schema.names, spec, label)
        time = _times(batch.column(spec.column("timestamp")), spec, label)
        repo = batch.column(spec.column("repo"))
        if not spec.wide:
            columns = (batch.column(spec.column("metric")), batch.column(spec.column("value")))
            yield pa.table([time, repo, *columns], names=["timestamp", "repo", "metric", "value"])
            continue
        for metric, name in spec.wide.items():
            names = coded(np.zeros(batch.num_rows, dtype=np.int32), (metric,))
            yield pa.table([time, repo, names, batch.column(name)], names=["timestamp", "repo", "metric", "value"])


def _times(column: pa.Array, spec: TableForm, label: str) -> pa.Array:
    """Return the times, those of an epoch as such."""
    import pyarrow as pa

    where = place(label, column=spec.column("timestamp"))
    kind = column.type
    if spec.time not in PER_SECOND:
        if pa.types.is_integer(kind) or pa.types.is_floating(kind):
            raise InputError(
                f"{where}: numbers; time: epoch_s, epoch_ms, epoch_us or epoch_ns in sources.yaml says of what"
            )
        return column
    try:
        return column.cast(pa.int64()).cast(pa.timestamp(spec.time.removeprefix("epoch_"), "UTC"))
    except pa.ArrowException as error:
        raise InputError(f"{where}: {' '.join(str(error).split())[:200]}; whole numbers are needed") from error
