"""Samples of a source into a Parquet file, piece by piece through the gate, so that memory is bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from tars_lib.errors import InputError
from tars_lib.files.limits import MAX_METRICS, MAX_REPOS, MAX_ROWS
from tars_lib.model.admission import admit
from tars_lib.model.history import from_micros, to_micros
from tars_lib.model.metrics import Metric
from tars_lib.model.samples import Origin, Samples
from tars_lib.pipeline.pulling.ahead import ahead
from tars_lib.pipeline.pulling.ranges import Range, Stamps
from tars_lib.sources.cells import samples_of
from tars_lib.sources.columns import coded, column
from tars_lib.sources.parquet_types import converted, refuse_types
from tars_lib.text.times import SECONDS

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

# half the time and half the size of the defaults; statistics let a later read leave out what is not of its range
_FORM: dict[str, Any] = {
    "compression": "zstd",
    "compression_level": 1,
    "use_dictionary": ["repo", "metric"],
    "column_encoding": {"timestamp": "DELTA_BINARY_PACKED", "value": "BYTE_STREAM_SPLIT"},
    "write_statistics": ["timestamp"],
}
_ABOUT = (b"tars.source", b"tars.asked")
"""In the file itself: a record beside it can be of another pull, where one was killed between two renames."""
CHUNK = 1_000_000
"""Rows that pass the gate together, and become one row group; judgement: some 50 MB."""


@dataclass
class WrittenSamples:
    """Samples written so far, of what was asked for now.

    Attributes
    ----------
    rows, kept, outside : int
        New samples; those of earlier pulls that stay; those that were answered though nobody asked.
    first, last : int or None
        Microseconds since 1970, of the new samples.
    """

    rows: int = 0
    kept: int = 0
    outside: int = 0
    series: set[tuple[str, str]] = field(default_factory=set)
    first: int | None = None
    last: int | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Placing:
    """Translation of a source's samples into samples of the root.

    Attributes
    ----------
    factors : mapping of str to Fraction
        What values of a metric are multiplied by.
    """

    stamps: Stamps
    factors: Mapping[str, Fraction]
    definitions: Mapping[str, Metric]
    zone: ZoneInfo | None = None


def write_samples(
    path: Path,
    tables: Iterator[Any],
    placing: Placing,
    *,
    label: str,
    origin: tuple[str, str],
    earlier: Path | None = None,
) -> WrittenSamples:
    """Write a history file: what earlier pulls gave outside the range, then what comes now.

    Parameters
    ----------
    path : Path
        Of a file that is there, to be filled.
    origin : (str, str)
        Name of the source, and digest of what is asked; `origin_of` finds them again.

    Raises
    ------
    InputError
        If the gate refuses samples, a column has a type that no history can have, or there are too many.
    """
    import pyarrow.parquet as pq

    written = WrittenSamples()
    about = dict(zip(_ABOUT, map(str.encode, origin), strict=True))
    with pq.ParquetWriter(path, _schema().with_metadata(about), **_FORM) as writer:
        if earlier is not None:
            _keep(earlier, writer, placing.stamps.kept, written)
        # three at once: the first thread reads, the second checks and sorts, this one writes
        with closing(ahead(_admitted(tables, label, placing, written), at_most=1)) as coming:
            for table in coming:
                writer.write_table(table, row_group_size=2 * CHUNK)
    return written


def origin_of(path: Path) -> tuple[str, str]:
    """Return the name of the source whose pull wrote a file, and digest of what it asked; both empty where no pull did."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        about = pq.read_schema(path).metadata or {}
    except (pa.ArrowException, OSError):
        about = {}
    name, digest = (about.get(key, b"").decode("utf-8", "replace") for key in _ABOUT)
    return name, digest


def _encoded(tables: Iterator[pa.Table], label: str) -> Iterator[pa.Table]:
    """Yield the tables in the types that are computed with; this is run by the thread that reads."""
    try:
        for table in tables:
            refuse_types(table.schema, label)
            yield converted(table, label)
    finally:
        close = getattr(tables, "close", None)
        if close is not None:
            close()


def _admitted(tables: Iterator[pa.Table], label: str, placing: Placing, written: WrittenSamples) -> Iterator[pa.Table]:
    """Yield what passed the gate, as it is written."""
    with closing(ahead(_encoded(tables, label))) as coming:
        for samples, is_all in _chunks(coming, label, placing.zone):
            table = _gated(samples, is_all, placing, written)
            if table is not None:
                yield table


def _chunks(tables: Iterator[pa.Table], label: str, zone: ZoneInfo | None) -> Iterator[tuple[Samples, bool]]:
    """Yield the samples of about `CHUNK` rows, and whether they are all that there are."""
    import pyarrow as pa

    waiting: list[pa.Table] = []
    rows = number = 0

    def taken() -> Samples:
        whole = pa.concat_tables(waiting).unify_dictionaries()
        return samples_of(whole, Origin(label, whole.num_rows, 0), zone)

    for table in tables:
        if rows and rows + table.num_rows > CHUNK:
            yield taken(), False
            number, rows, waiting = number + 1, 0, []
        waiting.append(table)
        rows += table.num_rows
    if rows:
        yield taken(), number == 0


def _gated(samples: Samples, is_all: bool, placing: Placing, written: WrittenSamples) -> pa.Table | None:
    """Return the samples of the range that was asked for, once the gate let them pass."""
    import pyarrow as pa

    label = samples.origins[0].path
    samples = _converted(_moved(samples, placing.stamps.shift), placing.factors)
    kept = placing.stamps.kept
    low, high = to_micros(kept.since), to_micros(kept.until)
    inside = (samples.time >= low) & (samples.time < high)
    if not inside.all():
        written.outside += int((~inside).sum())
        samples = _only(samples, inside)
    if not samples.time.size:
        return None
    # whether a count is a running total can be told of a whole series alone
    admitted = admit(samples, placing.definitions, is_settled=not is_all)
    written.notes += [note for note in admitted.notes if note not in written.notes]
    written.rows += samples.time.size
    if written.rows + written.kept > MAX_ROWS:
        raise InputError(f"{label}: more than {MAX_ROWS} samples; up to that many are allowed")
    n = len(samples.metrics)
    pairs = np.flatnonzero(np.bincount(samples.repo.astype(np.int64) * n + samples.metric))
    written.series |= {(samples.repos[int(pair) // n], samples.metrics[int(pair) % n]) for pair in pairs}
    _refuse_many(written, label)
    first, last = int(samples.time.min()), int(samples.time.max())
    written.first = first if written.first is None else min(first, written.first)
    written.last = last if written.last is None else max(last, written.last)
    columns = [
        column(samples.time, pa.timestamp("us", "UTC")),
        coded(samples.repo, samples.repos),
        coded(samples.metric, samples.metrics),
        column(samples.value, pa.float64()),
    ]
    return pa.table(columns, schema=_schema())


def _refuse_many(written: WrittenSamples, label: str) -> None:
    for position, most, what in ((0, MAX_REPOS, "repos"), (1, MAX_METRICS, "metrics")):
        number = len({pair[position] for pair in written.series})
        if number > most:
            raise InputError(f"{label}: {number} {what}; up to {most} are allowed")


def _moved(samples: Samples, by: timedelta) -> Samples:
    micros = by // timedelta(microseconds=1)
    return replace(samples, time=samples.time + micros) if micros else samples


def _converted(samples: Samples, factors: Mapping[str, Fraction]) -> Samples:
    """Return the samples in the units of the root; a whole number times a fraction is rounded once."""
    value = samples.value
    for position, metric in enumerate(samples.metrics):
        factor = factors.get(metric)
        if factor is not None:
            value = np.where(samples.metric == position, value * factor.numerator / factor.denominator, value)
    return replace(samples, value=value)


def _only(samples: Samples, rows: Any) -> Samples:
    return replace(
        samples,
        repo=samples.repo[rows],
        metric=samples.metric[rows],
        time=samples.time[rows],
        value=samples.value[rows],
        origins=(replace(samples.origins[0], count=int(rows.sum())),),
    )


def _keep(earlier: Path, writer: pq.ParquetWriter, outside: Range, written: WrittenSamples) -> None:
    """Copy the samples of a file whose time is not in a range."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    low, high = to_micros(outside.since), to_micros(outside.until)
    schema = _schema()
    # without pyarrow.dataset, which loads pandas; that takes longer than to read most files
    try:
        with pq.ParquetFile(earlier, read_dictionary=["repo", "metric"]) as parquet:
            is_micros = parquet.schema_arrow.field("timestamp").type == schema.field("timestamp").type
            for group in range(parquet.num_row_groups):
                if is_micros and _is_within(parquet.metadata.row_group(group), low, high):
                    continue
                table = parquet.read_row_group(group, columns=schema.names).select(schema.names)
                for batch in table.cast(schema).to_batches():
                    time = np.asarray(batch.column(0).view(pa.int64()))
                    kept = batch.filter(pa.array((time < low) | (time >= high)))
                    if kept.num_rows:
                        writer.write_table(pa.Table.from_batches([kept]))
                        written.kept += kept.num_rows
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        said = " ".join(str(error).split())[:200]
        raise InputError(f"{earlier.name}: earlier samples cannot be read, move the file away: {said}") from error


def _is_within(group: Any, low: int, high: int) -> bool:
    """Return whether all times of a row group, which are in microseconds, are in a range, by its statistics."""
    for position in range(group.num_columns):
        about = group.column(position)
        if about.path_in_schema == "timestamp" and about.is_stats_set and about.statistics.has_min_max:
            # as the numbers that they are: times would be made by pandas
            return bool(low <= about.statistics.min_raw and about.statistics.max_raw < high)
    return False


def _schema() -> pa.Schema:
    import pyarrow as pa

    name = pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        [
            ("timestamp", pa.timestamp("us", "UTC")),
            ("repo", name),
            ("metric", name),
            ("value", pa.float64()),
        ]
    )


def span_of(written: WrittenSamples) -> tuple[str, str] | None:
    """Return the first and last time of what came, in ISO 8601."""
    if written.first is None or written.last is None:
        return None
    first, last = (f"{from_micros(time):{SECONDS}}" for time in (written.first, written.last))
    return first, last
