"""The samples of a run as Parquet, beside the health report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tars_lib.model.history import History
from tars_lib.sources.columns import coded, column

if TYPE_CHECKING:
    import pyarrow as pa


def history_bytes(history: History) -> bytes:
    """The samples as Parquet: timestamp (UTC), repo, metric, value; the same history gives the same bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(_table(history), sink, compression="zstd", use_dictionary=["repo", "metric", "timestamp"])
    return bytes(sink.getvalue().to_pybytes())


def _table(history: History) -> pa.Table:
    import pyarrow as pa

    repo, metric = history.codes()
    return pa.table(
        {
            "timestamp": column(history.time, pa.timestamp("us", "UTC")),
            "repo": coded(repo, history.repos),
            "metric": coded(metric, history.metrics),
            "value": column(history.value, pa.float64()),
        }
    )
