"""Columns and rows of a table that have the place of a service and are none: totals, numbers of rows, further times."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tars_lib.errors import InputError
from tars_lib.model.history import SECOND
from tars_lib.sources.cells import EPOCHS
from tars_lib.sources.exported.shapes import Choices, SampledSeries

_TOTALS = {"total", "totals", "grand total", "sum", "all", "overall", "average", "avg", "mean", "median", "min", "max"}
_NUMBERS = {"#", "id", "idx", "index", "no", "row", "rank", "year", "quarter", "month", "week", "day", "hour", "minute"}
_NEAR = 400 * 86_400 * SECOND
"""How far a further time may lie from that of its row; judgement: an end, a begin, a time of writing."""


def refuse_bystanders(series: Sequence[SampledSeries], named: Sequence[str], choices: Choices, label: str) -> None:
    """Refuse series that would be counted as a service of their own, unless the user says that they are one.

    Parameters
    ----------
    named : sequence of str
        The name in the file that each repo was taken from; empty where the user named the repo.

    Raises
    ------
    InputError
        Which names the option that settles it.
    """
    for sampled, name in zip(series, named, strict=True):
        if not name or sampled.repo != name or name in choices.columns or name in choices.repos:
            continue
        word = " ".join(name.lower().replace("_", " ").split())
        what = "all services together" if word in _TOTALS else "the number or day of a row" if word in _NUMBERS else ""
        if _are_times(sampled):
            what = "times"
        if what and len(series) > 1:
            raise InputError(
                f"{label}: {name[:60]!r} seems to hold {what}, no service; a map file (--map) with columns: "
                f"{{{name[:60]}: skip}} leaves its column out (rows are left out by the query), repos: "
                f"{{{name[:60]}: {name[:60]}}} keeps it"
            )


def totals(series: Sequence[SampledSeries], label: str) -> tuple[str, ...]:
    """Notes of the series that are the sum of all others of their metric, as a gateway is, or a total by another name."""
    notes = []
    by_metric: dict[str, list[SampledSeries]] = {}
    for sampled in series:
        by_metric.setdefault(sampled.metric, []).append(sampled)
    for metric, members in by_metric.items():
        first = members[0].time
        if (
            not 3 <= len(members) <= 200
            or first.size < 3
            or any(not np.array_equal(sampled.time, first) for sampled in members)
        ):
            continue
        values = np.array([sampled.value for sampled in members])
        whole = values.sum(axis=0)
        is_sum = np.isclose(values * 2, whole, rtol=1e-9, atol=0).all(axis=1) & (values > 0).all(axis=1)
        notes += [
            f"{label}: {metric} of {members[at].repo} is the sum of all others; if it is a total and no service, a map file "
            f"with columns: {{{members[at].repo}: skip}} leaves it out"
            for at in np.flatnonzero(is_sum)
        ]
    return tuple(notes)


def _are_times(sampled: SampledSeries) -> bool:
    """Return whether all values are counts since 1970 near the time of their row."""
    value = sampled.value[~np.isnan(sampled.value)]
    time = sampled.time[~np.isnan(sampled.value)]
    return bool(value.size) and any(
        bool((np.abs(value * (SECOND / scale) - time) < _NEAR).all()) for scale in EPOCHS.values()
    )
