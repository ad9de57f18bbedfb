"""Repo and time of each sample of a track, held as the history holds them: times that several repos share once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tars_lib.model.history import History
from tars_lib.stats.series.spans import BLOCK, spans

Ints = NDArray[np.int64]
Columns = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Samples of N repos, one repo after the other.

    Attributes
    ----------
    bounds : ndarray of int64, shape (N + 1,)
        Samples of repo r are those from ``bounds[r]`` up to ``bounds[r + 1]``.
    held : ndarray of int64
        Microseconds since the epoch.
    starts : ndarray of int64, shape (N,)
        Where the times of each repo begin in `held`; several may begin at one place.
    """

    bounds: Ints
    held: Ints
    starts: Ints

    @classmethod
    def of_metric(cls, history: History, metric: str) -> Rows:
        """Those of a metric of a history, without a copy; none where nobody reports it."""
        bounds = history.bounds(metric)
        if metric not in history.metrics:
            return cls(bounds, history.time[:0], bounds[:-1])
        first = history.first_series(metric)
        return cls(bounds - bounds[0], history.time, history.starts[first : first + bounds.size - 1])

    @classmethod
    def of(cls, column: NDArray[np.int32] | Ints, time: Ints, repos: int) -> Rows:
        """Those of a repo by position and a time each, ascending by both."""
        bounds = np.searchsorted(column, np.arange(repos + 1, dtype=column.dtype)).astype(np.int64)
        return cls(bounds, time, bounds[:-1])

    def __len__(self) -> int:
        return int(self.bounds[-1])

    @property
    def counts(self) -> Ints:
        """Samples of each repo, (N,)."""
        return np.diff(self.bounds)

    @property
    def column(self) -> Columns:
        """Position of the repo of each sample, (n,); made anew each time."""
        return np.repeat(np.arange(self.starts.size, dtype=np.int32), self.counts)

    @property
    def time(self) -> Ints:
        """Time of each sample, (n,); made anew where times are shared."""
        filled = np.flatnonzero(self.counts)
        starts, sizes = self.starts[filled], self.counts[filled]
        if not filled.size:
            return self.held[:0]
        if (starts[1:] == starts[:-1] + sizes[:-1]).all():
            return self.held[int(starts[0]) : int(starts[-1] + sizes[-1])]
        places = zip(starts.tolist(), (starts + sizes).tolist(), strict=True)
        return np.concatenate([self.held[first:end] for first, end in places])

    @property
    def earliest(self) -> int | None:
        """The first time; None without a sample."""
        filled = self.counts > 0
        return int(self.held[self.starts[filled]].min()) if filled.any() else None

    def of_repo(self, repo: int) -> Ints:
        """Times of a repo's samples, a view."""
        first = int(self.starts[repo])
        return self.held[first : first + int(self.bounds[repo + 1] - self.bounds[repo])]

    def part(self, first: int, end: int) -> Rows:
        """Those of the repos from `first` up to `end`, who keep their positions, with no other's times."""
        bounds = np.clip(self.bounds, self.bounds[first], self.bounds[end]) - self.bounds[first]
        there = np.flatnonzero(np.diff(bounds))
        if not there.size:
            return Rows(bounds, self.held[:0], np.zeros_like(self.starts))
        begins = self.starts[there]
        low, high = int(begins.min()), int((begins + np.diff(bounds)[there]).max())
        return Rows(bounds, self.held[low:high], np.where(np.diff(bounds) > 0, self.starts - low, 0))

    def blocks(self) -> Iterator[tuple[int, int]]:
        """Stretches of repos, as `repo_blocks` has them."""
        return repo_blocks(self.bounds)

    def spans(self, default: int, *, at_end: bool = False) -> Ints:
        """For how long each sample stands, as `stats.series.spans` has it; read only."""
        common, stands = np.int64(default), None
        for first, end in self.blocks():
            part, place = self.part(first, end), int(self.bounds[first])
            if not len(part):
                continue
            own = spans(part.column, part.time, default, at_end=at_end)
            if stands is None:
                common = common if place else own[0]
                if (own == common).all():
                    continue
                stands = np.full(len(self), common)
            stands[place : int(self.bounds[end])] = own
        return np.broadcast_to(common, len(self)) if stands is None else stands


def repo_blocks(bounds: Ints) -> Iterator[tuple[int, int]]:
    """First repo and end of stretches of all repos, with up to `BLOCK` samples together, or of one repo.

    Parameters
    ----------
    bounds : ndarray of int64, shape (N + 1,)
        Where the samples of each repo begin, and the end.
    """
    first, repos = 0, bounds.size - 1
    while first < repos:
        end = int(np.searchsorted(bounds, bounds[first] + BLOCK, side="right")) - 1
        end = min(max(end, first + 1), repos)
        yield first, end
        first = end
