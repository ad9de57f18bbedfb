"""Parquet in folders and object stores: only the columns that are needed, and only the parts whose time can match.

References
----------
pyarrow.dataset, https://arrow.apache.org/docs/python/dataset.html
pyarrow.fs, https://arrow.apache.org/docs/python/filesystems.html
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tars_lib.errors import ConfigError, InputError, place
from tars_lib.files.object_store import filesystem_of, store_path
from tars_lib.model.times import read_zone
from tars_lib.sources.pulled.protocol import Ask, Pulled, PullOutlook
from tars_lib.sources.pulled.series.columns import BATCH, PER_SECOND, long_tables, needed, refuse_missing

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds
    import pyarrow.fs as pafs

    from tars_lib.config.pulling.series import ParquetForm

_AHEAD = 4
"""Batches and files that are read ahead; judgement: the default of 16 takes a gigabyte."""


def read(spec: ParquetForm, ask: Ask) -> Pulled:
    """Read the range; see `Source.read`."""
    return Pulled({"url": spec.url}, _samples(spec, ask))


def look(spec: ParquetForm, ask: Ask) -> PullOutlook:
    """Count the rows of the range and their series; see `outlook_of`."""
    import pyarrow as pa

    with _errors(spec):
        dataset = _dataset(spec, ask)
        names = [spec.column("repo"), *([] if spec.wide else [spec.column("metric")])]
        seen: set[tuple[str, ...]] = set()
        rows = 0
        for batch in _scanner(dataset, names, _wanted(dataset, spec, ask)).to_batches():
            rows += batch.num_rows
            # the distinct pairs of a batch, counted by Arrow
            pairs = pa.table([column.cast(pa.string()) for column in batch.columns], names=names)
            seen |= {tuple(row.values()) for row in pairs.group_by(names).aggregate([]).to_pylist()}
    times = max(len(spec.wide), 1)
    return PullOutlook(series=len(seen) * times, samples=rows * times)


def _samples(spec: ParquetForm, ask: Ask) -> Iterator[pa.Table]:
    rows = 0
    with _errors(spec):
        dataset = _dataset(spec, ask)
        scanner = _scanner(dataset, list(needed(spec)), _wanted(dataset, spec, ask))
        for table in long_tables(scanner.to_batches(), spec, spec.label):
            rows += table.num_rows
            ask.tell(rows, 0)
            yield table


def _scanner(dataset: ds.Dataset, columns: list[str], wanted: Any) -> ds.Scanner:
    return dataset.scanner(
        columns=columns, filter=wanted, batch_size=BATCH, batch_readahead=_AHEAD, fragment_readahead=_AHEAD
    )


def _dataset(spec: ParquetForm, ask: Ask) -> ds.Dataset:
    import pyarrow.dataset as ds

    filesystem, path = _place(spec, ask)
    partitions = ds.partitioning(flavor="hive") if spec.partitions == "hive" else None
    dataset = ds.dataset(path, filesystem=filesystem, format="parquet", partitioning=partitions)
    if not dataset.files:
        raise InputError(f"{spec.label}: {spec.url}: no Parquet file is there")
    refuse_missing(dataset.schema.names, spec, spec.label)
    return dataset


def _place(spec: ParquetForm, ask: Ask) -> tuple[pafs.FileSystem, str]:
    """File system and path in it; a path without a scheme is relative to the root."""
    import pyarrow.fs as pafs

    parts = urlsplit(spec.url)
    if len(parts.scheme) < 2:  # none, or a drive of Windows
        return pafs.LocalFileSystem(), str((ask.root / spec.url).resolve())
    if parts.scheme == "s3":
        given: dict[str, Any] = {"anonymous": True} if spec.anonymous else {}
        key, secret = ask.secret(spec.auth, "access_key"), ask.secret(spec.auth, "secret_key")
        if (key is None) != (secret is None):
            raise ConfigError(f"sources.yaml: {spec.name}: auth: access_key_env and secret_key_env go together")
        if key is not None:
            given |= {"access_key": key, "secret_key": secret}
        if spec.endpoint is not None:
            scheme, _, host = spec.endpoint.partition("://")
            given |= {"endpoint_override": host.rstrip("/"), "scheme": scheme}
        if spec.region is not None:
            given["region"] = spec.region
        return pafs.S3FileSystem(request_timeout=60, connect_timeout=10, **given), parts.netloc + parts.path
    store = store_path(spec.url)
    if store.scheme == "gs" and spec.anonymous:
        store = replace(store, options="&".join(filter(None, (store.options, "anonymous=true"))))
    return filesystem_of(store)


def _wanted(dataset: ds.Dataset, spec: ParquetForm, ask: Ask) -> Any:
    """Return the range as an expression, in the type of the column, so that files and row groups outside it are not read."""
    import pyarrow as pa
    import pyarrow.dataset as ds

    name = spec.column("timestamp")
    kind = dataset.schema.field(name).type
    first, last = (_scalar(time, kind, spec, name) for time in (ask.since, ask.until))
    wanted = (ds.field(name) >= first) & (ds.field(name) < last)
    if spec.date_partition is None:
        return wanted
    # a day more on both sides: the partition may be by another zone's days
    days = (ask.since - timedelta(days=1), ask.until + timedelta(days=1))
    if spec.date_partition not in dataset.schema.names:
        raise InputError(f"{spec.label}: no column {spec.date_partition}, which date_partition names")
    dated = dataset.schema.field(spec.date_partition).type
    low, high = (time.date() if pa.types.is_date(dated) else time.date().isoformat() for time in days)
    return wanted & (ds.field(spec.date_partition) >= low) & (ds.field(spec.date_partition) <= high)


def _scalar(time: datetime, kind: pa.DataType, spec: ParquetForm, name: str) -> Any:
    import pyarrow as pa

    if pa.types.is_timestamp(kind):
        if kind.tz is None:
            zone = UTC if spec.time_zone is None else read_zone(spec.time_zone)
            time = time.astimezone(zone).replace(tzinfo=None)
        return pa.scalar(time, pa.timestamp("us", "UTC" if kind.tz else None)).cast(kind, safe=False)
    if pa.types.is_integer(kind) and spec.time in PER_SECOND:
        return pa.scalar(round(time.timestamp() * PER_SECOND[spec.time]), pa.int64()).cast(kind)
    raise InputError(
        f"{place(spec.label, column=name)}: type {kind} is not allowed; a timestamp is, or whole numbers with time: epoch_s "
        "(epoch_ms, epoch_us, epoch_ns) in sources.yaml"
    )


@contextmanager
def _errors(spec: ParquetForm) -> Iterator[None]:
    """Errors of Arrow and of the store as one line."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, ConfigError | InputError):
            raise
        raise InputError(f"{spec.label}: {spec.url}: {' '.join(str(error).split())[:300]}") from error
