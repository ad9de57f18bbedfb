"""Samples of one series that several exporters report, each at its own second of every interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from tars_lib.errors import InputError
from tars_lib.model.count_checks import Groups
from tars_lib.model.counters import is_running
from tars_lib.model.history import SECOND, History
from tars_lib.model.sorting import blocks
from tars_lib.stats.series.twins import Twins, may_be_twins, twins_of
from tars_lib.text.counts import and_more

AT_ONCE = 60 * SECOND
"""Distance up to which samples of one series are those of several exporters; judgement: what is measured twice within a
minute and then not for several is rarely meant. Beyond it a reader is asked."""


def align_exporters(history: History, groups: Groups = ()) -> tuple[History, tuple[str, ...]]:
    """The history with what several exporters reported of one series spread over the interval that it stands for.

    Where all of them say the same they are replicas, of which one is kept. Counts of the others add up and levels are averaged,
    as each stands for its share of the interval. Of `groups`, metrics that are counted against each other, nothing is moved
    unless all come from as many exporters.

    Raises
    ------
    InputError
        If each exporter reports a running total of its own: no order of theirs is one.
    """
    grouped = dict(_groups(history))
    if not grouped:
        return history, ()
    history = history.with_own_times()
    n, time, keep = len(history.repos), history.time.copy(), np.ones(len(history), dtype=bool)
    close = {series: twins for series, twins in grouped.items() if twins.apart <= AT_ONCE}
    equal = {series: twins.are_equal(history.cut(series)[1]) for series, twins in close.items()}
    differing = {series % n for series, are_equal in equal.items() if not are_equal}
    uneven = {
        series
        for series, twins in close.items()
        for other in _partners(history, series, groups)
        if other not in close or close[other].size != twins.size
    }
    _refuse_totals(history, close)
    notes: dict[tuple[int, str, str], list[str]] = {}
    for series, twins in grouped.items():
        first = int(history.offsets[series])
        if series not in close:
            what = "far"
        elif uneven & {series, *_partners(history, series, groups)}:
            what = "uneven"
        elif series % n in differing:
            what = "spread"
            time[first : int(history.offsets[series + 1])] = twins.even(history.cut(series)[0])
        else:
            what = "replicas"
            for behind in range(1, twins.size):
                keep[first + twins.last - behind] = False
        every = f"{twins.apart / SECOND:g} s apart, every {twins.interval / SECOND:g} s"
        notes.setdefault((twins.size, every, what), []).append(" of ".join(history.names_of(series)))
    return replace(history, time=time).where(keep), tuple(
        _note(size, every, what, names) for (size, every, what), names in notes.items()
    )


def _groups(history: History) -> Iterator[tuple[int, Twins]]:
    for part in blocks(history.offsets):
        bounds = history.offsets[part]
        time = history.times(part.start, part.stop - 1)
        for at in may_be_twins(time, bounds - bounds[0]).tolist():
            series = part.start + at
            if (twins := twins_of(history.cut(series)[0])) is not None:
                yield series, twins


def _refuse_totals(history: History, close: Mapping[int, Twins]) -> None:
    for series, twins in close.items():
        name, repo = history.names_of(series)
        metric = history.metric(name)
        if not metric.is_count or metric.kind:
            continue
        time, value = history.cut(series)
        own = [twins.last - behind for behind in range(twins.size)]
        if all(is_running(time[at], value[at]) is not False for at in own):
            raise InputError(
                f"{name} of {repo} comes in groups of {twins.size}, {twins.apart / SECOND:g} s apart, and what each of "
                f"{twins.size} exporters reports only grows: running totals, not the counts of each interval. Give each a "
                f"service of its own, and add to org.yaml: metrics: {{{name}: {{kind: counter}}}}; kind: count if each sample "
                "does count its own interval"
            )


def _partners(history: History, series: int, groups: Groups) -> Iterator[int]:
    """Series of the same repo that are counted against this one."""
    metric, repo = divmod(series, len(history.repos))
    for name in {other for group in groups if history.metrics[metric] in group for other in group}:
        at = history.metrics.index(name) if name in history.metrics else metric
        other = at * len(history.repos) + repo
        if at != metric and history.offsets[other + 1] > history.offsets[other]:
            yield other


def _note(size: int, every: str, what: str, names: list[str]) -> str:
    comes = f"{and_more(names, 3)}: samples come in groups of {size}, {every}"
    if what == "replicas":
        return f"{comes}, and those of a group are equal: {size} exporters say the same, and one of them is read"
    if what == "spread":
        return (
            f"{comes}: they are read as those of {size} exporters that share the interval, so counts add up and levels are "
            "averaged; where they measure the same thing twice, give each a service of its own"
        )
    if what == "uneven":
        return (
            f"{comes}, and what they are counted against does not: which belongs to which is not known, so they are left as "
            f"they are. If these are {size} exporters of one service, give each a service of its own"
        )
    return (
        f"{comes}, and nothing between: most of the time is not covered. If these are {size} exporters of one service, give "
        "them the same time stamps or each a service of its own"
    )
