"""Checks of counts at the gate: running totals that nobody declared, counters that are none, fractions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tars_lib.errors import InputError
from tars_lib.model.counters import DAILY, as_increases, course_of, is_no_counter, is_running, part_restarts, series_of
from tars_lib.model.history import REQUESTS, History, from_micros
from tars_lib.model.metrics import COUNTER, Metric, known_metric
from tars_lib.model.samples import PART_ROWS
from tars_lib.stats.series.twins import twins_of
from tars_lib.text.times import SECONDS

Groups = Sequence[tuple[str, ...]]
"""Metrics that are counted against each other, as the total and the failures of an SLA."""
Where = Callable[[int], str]
"""File, row and column of the sample at a position of the history; empty where nobody knows."""

SOME_FALLS = 3
"""Falls that are no restarts, from which on a count beside a growing one says that both are of intervals; judgement."""


def settle_counts(history: History, groups: Groups, where: Where) -> tuple[History, tuple[str, ...]]:
    """The history with its declared counters as increases, and what a reader should know of its counts.

    Parameters
    ----------
    history : History
        As sampled.
    groups : sequence of tuple of str
        Metrics that SLAs count against each other, beside the requests.
    where : callable

    Returns
    -------
    history : History
    notes : tuple of str

    Raises
    ------
    InputError
        If a count that nobody declared is a running total, or a declared counter is none.
    """
    groups = [group for group in dict.fromkeys((REQUESTS, *groups)) if set(group) & set(history.metrics)]
    defined = history.definitions
    named = {name for group in groups for name in group if name in history.metrics}
    counted = sorted(named | {name for name in history.metrics if _metric(defined, name).is_count})
    declared = frozenset(name for name in counted if _metric(defined, name).kind == COUNTER)
    open_names = [name for name in counted if not _metric(defined, name).kind]
    _refuse_no_counters(history, declared, where)
    notes = list(_refuse_running(history, open_names, declared, groups, where))
    notes += _fractions(history, [name for name in counted if _metric(defined, name).unit in ("", "count")], where)
    notes += _part_restarts(history, sorted(declared))
    return as_increases(history, declared), tuple(notes)


def refuse_beyond_range(history: History, metric: str) -> None:
    """Refuse values outside the range that a policy brings with it.

    Raises
    ------
    InputError
        For the first such value.
    """
    definition = history.metric(metric)
    for repo, time, value in series_of(history, metric):
        strange = [position for position, number in enumerate(value.tolist()) if not definition.holds(number)]
        if strange:
            when = f"{from_micros(int(time[strange[0]])):{SECONDS}}"
            raise InputError(
                f"{metric} of {repo} is {value[strange[0]]:g} at {when}; allowed: {definition.allowed} "
                f"({definition.unit or 'no unit'})"
            )


def _metric(defined: Mapping[str, Metric], name: str) -> Metric:
    return defined.get(name) or known_metric(name)


def _position(history: History, metric: str, repo: str) -> int:
    return int(history.bounds(metric)[history.repos.index(repo)])


def _at(text: str) -> str:
    return f"{text}: " if text else ""


def _refuse_no_counters(history: History, declared: Iterable[str], where: Where) -> None:
    for metric in sorted(declared):
        for repo, time, value in series_of(history, metric):
            if is_no_counter(value):
                first = int(np.argmax(np.diff(value) < 0.0)) + 1
                twins = twins_of(time)
                advice = "Report counts of intervals under another name, or declare kind: count in org.yaml"
                if twins is not None:
                    advice = f"Its samples come in groups of {twins.size}: give each exporter a service of its own"
                raise InputError(
                    f"{_at(where(_position(history, metric, repo) + first))}{metric} of {repo} is declared a counter, but "
                    f"{_falls(value)}: a running total falls only when it restarts. {advice}"
                )


def _falls(value: NDArray[np.float64]) -> str:
    return f"falls in {int((np.diff(value) < 0.0).sum())} of {value.size - 1} steps"


def _refuse_running(
    history: History, names: Sequence[str], declared: Iterable[str], groups: Groups, where: Where
) -> Iterator[str]:
    """Refuse undeclared running totals; the notes tell of series that may be some."""
    doubtful: dict[str, list[str]] = {}
    for metric in names:
        for repo, time, value in series_of(history, metric):
            verdict = _beside_others(is_running(time, value), history, metric, repo, groups)
            if verdict:
                raise InputError(_refusal(history, metric, repo, names, groups, where))
            if verdict is None:
                doubtful.setdefault(metric, []).append(repo)
    for metric in names:
        beside = {other for group in groups if metric in group for other in group} & set(declared)
        grown = [repo for repo, time, value in series_of(history, metric) if course_of(value, time).only_grows]
        if beside and grown:
            raise InputError(_refusal(history, metric, grown[0], names, groups, where))
    for metric, repos in doubtful.items():
        yield (
            f"{metric} never falls in {', '.join(repos[:3])}{', ...' if len(repos) > 3 else ''}: if it is a running "
            f"total, org.yaml needs metrics: {{{metric}: {{kind: counter}}}}; kind: count ends this warning"
        )


def _beside_others(verdict: bool | None, history: History, metric: str, repo: str, groups: Groups) -> bool | None:
    """Compare with the repo's other counts: failures that only grow are a trend unless the total only grows as well."""
    if verdict is False:
        return verdict
    totals = [group[0] for group in groups if metric in group[1:] and history.series(group[0], repo)[0].size]
    alike = [is_running(*history.series(total, repo)) for total in totals]
    if totals and not any(alike):
        # a total that never moves does not show that the failures are of intervals; by the day they may be a trend
        time = history.series(metric, repo)[0]
        is_fine = float(np.median(np.diff(time))) < DAILY
        still = is_fine and all(course_of(history.series(total, repo)[1]).rises == 0 for total in totals)
        return None if None in alike or still else False
    others = {other for group in groups if metric in group for other in group} - {metric}
    falls_freely = any(course_of(*history.series(other, repo)[::-1]).falls >= SOME_FALLS for other in others)
    return None if falls_freely else verdict


def _refusal(history: History, metric: str, repo: str, names: Sequence[str], groups: Groups, where: Where) -> str:
    time, value = history.series(metric, repo)
    course = course_of(value, time)
    drops = "" if not course.falls else f" but for {course.falls} fall{'s' if course.falls > 1 else ''}"
    restarts = "" if not course.restarts else f" and {course.restarts} restart{'s' if course.restarts > 1 else ''}"
    alike = {other for group in groups if metric in group for other in group if other in names}
    totals = sorted(
        other
        for other in alike | {metric}
        if other == metric
        or all(_never_falls(time, value) or is_running(time, value) for _, time, value in series_of(history, other))
    )
    lines = ", ".join(f"{other}: {{kind: counter}}" for other in totals)
    others = [
        f"{other} {_falls(seen)}"
        for other, moments, seen in series_of(history, metric)
        if other != repo and course_of(seen, moments).falls >= SOME_FALLS
    ]
    mixed = f"; {others[0]}, so the services do not report the same thing under one name" if others else ""
    at = _at(where(_position(history, metric, repo)))
    return (
        f"{at}{metric} of {repo} only grows{drops}, from {value[0]:,.12g} to {value[-1]:,.12g} in {course.rises} rises"
        f"{restarts}: a running total, not the count of each interval{mixed}. Add to org.yaml: metrics: {{{lines}}}; "
        "kind: count if each sample does count its own interval"
    )


def _never_falls(time: NDArray[np.int64], value: NDArray[np.float64]) -> bool:
    course = course_of(value, time)
    return course.only_grows or not (course.rises or course.falls or course.restarts)


def _part_restarts(history: History, names: Iterable[str]) -> Iterator[str]:
    for metric in names:
        restarts = [(repo, number) for repo, _, value in series_of(history, metric) if (number := part_restarts(value))]
        if restarts:
            times = "once" if restarts[0][1] == 1 else f"{restarts[0][1]} times"
            more = f", and in {len(restarts) - 1} more services" if len(restarts) > 1 else ""
            yield (
                f"{metric} of {restarts[0][0]} falls to more than half of itself {times}{more}: no running total does "
                "that, but a sum of some of which one restarted; what was counted then is not known"
            )


def _fractions(history: History, names: Iterable[str], where: Where) -> Iterator[str]:
    for metric in names:
        bounds = history.bounds(metric)
        span = slice(int(bounds[0]), int(bounds[-1]))
        row = next((first + int(np.argmax(part)) for first, part in _parted(history.value, span) if part.any()), None)
        if row is not None:
            yield (
                f"{_at(where(row))}{metric} holds fractions, such as {history.value[row]:g}: "
                "a count is a whole number. If these are rates a second, multiply them by the interval"
            )


def _parted(values: NDArray[np.float64], span: slice) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Whether each value is no whole number, some of them at a time, and where those begin."""
    for first in range(span.start, span.stop, PART_ROWS):
        yield first, values[first : min(first + PART_ROWS, span.stop)] % 1.0 != 0.0
