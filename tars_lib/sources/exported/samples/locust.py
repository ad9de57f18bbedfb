"""The history of a load test of Locust (`--csv`): `..._stats_history.csv`.

References
----------
https://docs.locust.io/en/stable/retrieving-stats.html
"""

from __future__ import annotations

import numpy as np

from tars_lib.errors import InputError, place
from tars_lib.model.metrics import COUNTER, GAUGE
from tars_lib.sources.exported.clock import read_times
from tars_lib.sources.exported.content import Content
from tars_lib.sources.exported.quantities import read_values
from tars_lib.sources.exported.shapes import Choices, Exported, SampledSeries
from tars_lib.sources.exported.tables import read_table

_NEEDED = {"Timestamp", "User Count", "Type", "Name", "Total Request Count", "Total Failure Count"}
_METRICS = (
    ("Total Request Count", "requests_total", "count", COUNTER),
    ("Total Failure Count", "requests_failed", "count", COUNTER),
    ("50%", "latency_p50", "ms", GAUGE),
    ("95%", "latency_p95", "ms", GAUGE),
    ("99%", "latency_p99", "ms", GAUGE),
)
"""Column, metric, unit and kind; Locust writes response times in milliseconds, and totals since the test began."""
_WHOLE = "Aggregated"


def is_one(content: Content) -> bool:
    """Return whether a table is such a history."""
    return set(content.columns) >= _NEEDED


def read(content: Content, choices: Choices) -> Exported:
    """Read the history: all requests as those of one repo, or with ``--repo-from Name`` each name as a repo of its own.

    Raises
    ------
    InputError
        If nobody says which repo was tested, or a cell cannot be read.
    """
    table = read_table(content.text, content.label)
    if choices.repo_from not in ("", "Name"):
        raise InputError(
            f"{content.label}: --repo-from {choices.repo_from}: a history of Locust has the column Name alone"
        )
    if not choices.repo and not choices.repo_from:
        raise InputError(
            f"{content.label}: which service was tested? --repo NAME says it; --repo-from Name makes each request name one"
        )
    by_name: dict[str, list[int]] = {}
    for row, name in enumerate(table.cells("Name")):
        if (name == _WHOLE) == bool(choices.repo):
            by_name.setdefault(name, []).append(row)
    if not by_name:
        raise InputError(
            f"{content.label}: no row of {_WHOLE if choices.repo else 'a single request name (--csv-full-history)'}"
        )
    series = []
    lines = np.array(table.lines, dtype=np.int64)
    for name, rows in by_name.items():
        repo = choices.repo or choices.repo_of(name)
        chosen = np.array(rows, dtype=np.int64)

        def where(position: int, rows: list[int] = rows, column: str = "Timestamp") -> str:
            return place(content.label, row=table.lines[rows[position]], column=column)

        stamps = table.cells("Timestamp")
        times = read_times([stamps[row] for row in rows], where, epoch=choices.epoch or "s")
        for column, metric, unit, kind in _METRICS:
            if column not in table.columns:
                continue
            cells = table.cells(column)
            read_in = read_values([cells[row] for row in rows], lambda at, c=column, w=where: w(at, column=c))  # type: ignore[misc]
            series.append(SampledSeries(repo, metric, times.micros, read_in.values, unit, kind, lines[chosen], column))
    return Exported(
        series=tuple(series),
        columns="Timestamp, Total Request Count, Total Failure Count, 50%, 95%, 99%",
        zone="UTC, counted in s since 1970",
    )
