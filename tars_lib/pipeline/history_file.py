"""The samples of a run: written as Parquet beside the health report, or left in the files that the report refers to."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tars_lib.engines.health.report import HistoryParts
from tars_lib.errors import ConfigError
from tars_lib.files.atomic import flush_folder, staged_file, write_together
from tars_lib.files.reading import sha256_of
from tars_lib.model.history import History
from tars_lib.model.organisation import OrgData
from tars_lib.sources.columns import coded, column

if TYPE_CHECKING:
    import pyarrow as pa

_GROUP = 1 << 20
"""Rows that are written at a time, and of each row group: the default of Arrow."""


def history_bytes(history: History) -> bytes:
    """Return the samples as Parquet: timestamp (UTC), repo, metric, value; the same history gives the same bytes."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    _write(history, sink)
    return bytes(sink.getvalue().to_pybytes())


def write_history(history: History, path: Path) -> str:
    """Write the bytes of `history_bytes` to a file, some rows at a time; return their digest.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    with staged_file(path) as staged:
        try:
            _write(history, str(staged))
        except OSError as error:
            # Arrow names no file, and its text is several sentences
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise OSError(error.errno or errno.EIO, reason, str(path)) from error
        digest = sha256_of(staged)
        write_together({path: staged})
    flush_folder(path.parent)
    return digest


def _write(history: History, sink: Any) -> None:
    import pyarrow.parquet as pq

    coded_columns = ["repo", "metric", "timestamp"]
    with pq.ParquetWriter(
        sink, _table(history, 0, 0).schema, compression="zstd", use_dictionary=coded_columns
    ) as writer:
        for first in range(0, len(history), _GROUP):
            writer.write_table(_table(history, first, min(first + _GROUP, len(history))))


def _table(history: History, first: int, end: int) -> pa.Table:
    import pyarrow as pa

    series = history.series_at(first, end)
    metric, repo = np.divmod(series, max(len(history.repos), 1))
    within = np.arange(first, end) - history.offsets[series]
    return pa.table(
        {
            "timestamp": column(history.time[history.starts[series] + within], pa.timestamp("us", "UTC")),
            "repo": coded(repo.astype(np.int32), history.repos),
            "metric": coded(metric.astype(np.int32), history.metrics),
            "value": column(history.value[first:end], pa.float64()),
        }
    )


def parts_of(org: OrgData, folder: Path) -> HistoryParts:
    """Return the files that hold the samples, for a report in `folder`.

    Raises
    ------
    ConfigError
        If samples stand elsewhere too.
    """
    if org.sampled is None:
        raise ConfigError(
            "--history reference: some samples are of the folders of repos; allowed where all are in history.csv, "
            "history.parquet and history/"
        )
    here = Path(os.path.realpath(folder))
    try:
        root = os.path.relpath(org.sampled.root, here)
    except ValueError:  # another drive
        root = str(org.sampled.root)
    digests = {file.path: file for file in org.inputs}
    return HistoryParts(
        Path(root).as_posix(),
        tuple(digests[name] for name in org.sampled.files),
        org.sampled.zone,
        org.sampled.repos,
        org.sampled.metrics,
    )
