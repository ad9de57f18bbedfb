"""Track of a policy: the samples that it measures, and what is missing of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tars_lib.model.slo.rows import Rows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Columns = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Traffic:
    """Usual events of each repo in a unit of time, (N,) each.

    `least` and `most` are those of any sample, `busiest` those of the busiest day (of the samples, where each is longer). A
    repo that never said how many events it had may have had any number: 0 and infinity.
    """

    least: Floats
    most: Floats
    busiest: Floats

    @classmethod
    def unknown(cls, n: int) -> Traffic:
        """That of repos that never said."""
        return cls(np.zeros(n), np.full(n, np.inf), np.full(n, np.inf))


@dataclass(frozen=True, slots=True, eq=False)
class Half:
    """Times at which a repo reported one of two counts, or counted more of the part than of all.

    Attributes
    ----------
    column, time, span : ndarray, shape (h,)
        As in `Track`.
    weight : ndarray, shape (h,)
        Share that no maintenance excuses.
    worst_bad, worst_total, best_bad, best_total : ndarray, shape (h,)
        Bad and all events in the completion with the lowest and the highest share of good ones.
    shortfall : ndarray, shape (h,)
        Events by which a time without a total falls short of the least usual traffic; a single time may, their sum may not.
    short_is_bad : bool
        Whether those events failed, in the best completion; else they are good ones, in the worst.
    in_question : ndarray, shape (h,)
        Events in question.
    lacks : ndarray of int64, shape (h,)
        Position in `names` of the count that is absent; -1 where both are there and contradict each other.
    names : tuple of str
        Total and part.
    """

    column: Columns
    time: Ints
    span: Ints
    weight: Floats
    worst_bad: Floats
    worst_total: Floats
    best_bad: Floats
    best_total: Floats
    shortfall: Floats
    short_is_bad: bool
    in_question: Floats
    lacks: Ints
    names: tuple[str, ...]

    @classmethod
    def together(cls, halves: Sequence[Half]) -> Half:
        """Return those of one repo after the other in one."""
        columns: dict[str, Any] = {field.name: getattr(halves[0], field.name) for field in fields(cls)}
        for name, column in columns.items():
            if isinstance(column, np.ndarray):
                columns[name] = np.concatenate([getattr(half, name) for half in halves])
        return cls(**columns)

    def where(self, chosen: NDArray[np.bool_] | slice) -> Half:
        """Return those times alone."""
        columns: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        columns |= {name: part[chosen] for name, part in columns.items() if isinstance(part, np.ndarray)}
        return Half(**columns)


@dataclass(frozen=True, slots=True, eq=False)
class Excused:
    """Samples of which maintenance excuses a part.

    Attributes
    ----------
    at : ndarray of int64, shape (k,)
        Their positions, ascending.
    left : ndarray of float64, shape (k,)
        Share of each that is not excused.
    """

    at: Ints
    left: Floats

    def within(self, places: slice) -> Excused | None:
        """Return those of a slice of the samples; None where there are none."""
        first, end = np.searchsorted(self.at, (places.start, places.stop)).tolist()
        return None if first == end else Excused(self.at[first:end] - places.start, self.left[first:end])


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """All samples of what a policy measures.

    Attributes
    ----------
    rows : Rows
        Repo and time of each sample.
    span : ndarray of int64, shape (n,)
        For how long each sample stands, microseconds.
    raw : ndarray of float64, shape (n,)
        The metric; for a ratio the bad events.
    raw_total : ndarray of float64 or None, shape (n,)
        All events of a ratio.
    step : ndarray of int64, shape (N,)
        Sampling interval of each repo.
    half : Half or None
        What was half reported.
    traffic : Traffic or None
        Of a ratio.
    impossible : int
        Samples left out because they counted more of a part than of all.
    notes : tuple of str
        How samples were brought together, for the report's warnings; `{}` stands for the repos' names.
    noted : tuple of ndarray
        Repos of each note by position.
    empty : ndarray of bool or None, shape (n,)
        Samples of a rate at which no request came, so that it says nothing.
    at_end : bool
        Whether a sample stands for the time before its stamp.
    excused : Excused or None
        What maintenance excuses.
    """

    rows: Rows
    span: Ints
    raw: Floats
    raw_total: Floats | None
    step: Ints
    half: Half | None = None
    traffic: Traffic | None = None
    impossible: int = 0
    notes: tuple[str, ...] = ()
    noted: tuple[Ints, ...] = ()
    empty: NDArray[np.bool_] | None = None
    at_end: bool = False
    excused: Excused | None = None

    @property
    def weight(self) -> Floats:
        """Return the share of each sample that no maintenance excuses, (n,)."""
        if self.excused is None:
            return np.broadcast_to(1.0, len(self.rows))
        weight = np.ones(len(self.rows))
        weight[self.excused.at] = self.excused.left
        return weight

    @property
    def value(self) -> Floats:
        """Return the metric, (n,); for a ratio the bad events that no maintenance excuses."""
        return self.raw if self.excused is None or self.raw_total is None else self.raw * self.weight

    @property
    def total(self) -> Floats | None:
        """Return all events of a ratio that no maintenance excuses, (n,)."""
        return self.raw_total if self.excused is None or self.raw_total is None else self.raw_total * self.weight

    @property
    def column(self) -> Columns:
        """Return the position of the repo of each sample, ascending, (n,); made anew each time."""
        return self.rows.column

    @property
    def time(self) -> Ints:
        """Return microseconds since the epoch, ascending within a repo, (n,); made anew where repos share them."""
        return self.rows.time

    @property
    def planned(self) -> NDArray[np.bool_]:
        """Return whether a maintenance window excuses the whole sample, (n,)."""
        return self.weight <= 0.0

    @property
    def busy(self) -> NDArray[np.bool_] | None:
        """Return whether an event came at each sample, (n,); None of an SLI without events."""
        total = self.total
        if total is not None:
            return total > 0
        return None if self.empty is None else ~self.empty

    @property
    def says_nothing(self) -> NDArray[np.bool_]:
        """Return whether a sample is excused, or is the rate of no event, (n,)."""
        return self.planned if self.empty is None else self.planned | self.empty

    def of(self, column: int) -> slice:
        """Return where the samples of a repo stand."""
        return slice(int(self.rows.bounds[column]), int(self.rows.bounds[column + 1]))

    def part(self, first: int, end: int) -> Track:
        """Return the samples of the repos from `first` up to `end`, views of these."""
        mine = slice(int(self.rows.bounds[first]), int(self.rows.bounds[end]))
        half = self.half
        if half is not None:
            places = np.searchsorted(half.column, np.array((first, end), dtype=half.column.dtype))
            half = half.where(slice(*places.tolist()))
        return replace(
            self,
            rows=self.rows.part(first, end),
            span=self.span[mine],
            raw=self.raw[mine],
            raw_total=None if self.raw_total is None else self.raw_total[mine],
            excused=None if self.excused is None else self.excused.within(mine),
            half=half,
            empty=None if self.empty is None else self.empty[mine],
        )

    def alone(self, column: int | None) -> Track:
        """Return the samples of one repo; all of them for None."""
        return self if column is None else self.part(column, column + 1)

    def __getstate__(self) -> list[object]:
        """Travel without what is the same for all samples."""
        return [_once(getattr(self, field.name)) for field in fields(self)]

    def __setstate__(self, state: list[object]) -> None:
        """Arrive."""
        for field, value in zip(fields(self), state, strict=True):
            given = np.broadcast_to(value.value, value.size) if isinstance(value, _Same) else value
            object.__setattr__(self, field.name, given)

    def parts(self) -> Iterator[tuple[slice, Track]]:
        """Return some repos after the other, and where their samples stand, so that little is held at a time."""
        for first, end in self.rows.blocks():
            yield slice(int(self.rows.bounds[first]), int(self.rows.bounds[end])), self.part(first, end)


@dataclass(frozen=True, slots=True)
class _Same:
    """An array whose values are all the same."""

    value: Any
    size: int


def _once(value: object) -> object:
    is_same = isinstance(value, np.ndarray) and value.strides == (0,) and value.size > 1
    return _Same(value[0], value.size) if is_same else value  # type: ignore[index, attr-defined]


def summed_by_time(parts: Iterable[tuple[Ints, Floats, Floats]]) -> tuple[Ints, Floats, Floats]:
    """Each time once, ascending, and two amounts summed over all samples of it; parts are added up one after the other."""
    time, sums = np.zeros(0, dtype=np.int64), np.zeros((2, 0))
    for moments, *amounts in parts:
        time, which = np.unique(np.concatenate((time, moments)), return_inverse=True)
        added = zip(sums, amounts, strict=True)
        sums = np.stack([np.bincount(which, np.concatenate(pair), time.size) for pair in added])
    return time, sums[0], sums[1]


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """Values of the samples of a window, (N,) each. `value` is NaN where nothing was observed.

    `bad` and `events` count events for a ratio and samples for a share of samples (`bad` is NaN for other metrics).
    """

    value: Floats
    bad: Floats
    events: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """The value over all completions of what is missing, (N,) each; infinite where nothing bounds it."""

    low: Floats
    high: Floats
