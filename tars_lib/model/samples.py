"""Samples as a source reads them, before they enter a history; each knows the file, row and column that it came from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tars_lib.errors import InputError, place
from tars_lib.files.limits import MAX_METRICS, MAX_REPOS, MAX_SERIES, refuse_rows

PART_ROWS = 1_000_000
"""Rows that are sorted at a time; judgement: so many take 100 MB."""
HELD_ROWS = 8_000_000
"""Rows that are held between looking at a file and sorting it, 200 MB; what is beyond them is read twice. Judgement."""

_ALWAYS_ROWS = 50_000_000
"""Rows that are read whatever the memory is: it may be told wrong, and so many take 1.6 GB."""
_ROW_BYTES = 32
"""Memory that a run takes for each sample at most, as measured for two counts of 2,000 services by the minute."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Origin of a run of samples: `count` rows of `path` from its row `first_row` on; 0: `path` says all.

    `line_of` gives the line of a row that is counted from 0, where blank lines or line ends inside quotes set the two apart.
    """

    path: str
    count: int
    first_row: int = 2
    line_of: Callable[[int], int] | None = None

    def where(self, row: int, column: str) -> str:
        """File, row and column of the sample at position `row`, counted from 0."""
        if not self.first_row:
            return self.path
        line = self.first_row + row if self.line_of is None else self.line_of(row)
        return place(self.path, row=line, column=column)


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Samples as a source reads them, before the gate.

    Attributes
    ----------
    repo, metric : ndarray of int32, shape (n,)
        Positions in `repos` and `metrics`; negative where the file had none.
    time : ndarray of int64, shape (n,)
        Microseconds since the epoch, UTC.
    value : ndarray of float64, shape (n,)
        NaN where the file had none.
    notes : tuple of str
        What was read in a particular way.
    zone : ZoneInfo or None
        That was assumed for times that name none.
    """

    repos: tuple[str, ...]
    metrics: tuple[str, ...]
    repo: NDArray[np.int32]
    metric: NDArray[np.int32]
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    origins: tuple[Origin, ...]
    notes: tuple[str, ...] = ()
    zone: ZoneInfo | None = None

    def __len__(self) -> int:
        return int(self.value.size)

    def where(self, row: int, column: str) -> str:
        """File, row and column of the sample at position `row`."""
        return _where(self.origins, row, column)

    @property
    def last(self) -> int | None:
        """The latest time, None where there is no sample."""
        return int(self.time.max()) if self.time.size else None

    def parts(self) -> Iterator[Samples]:
        """Itself: these are held whole."""
        yield self

    def counts(self) -> NDArray[np.int64]:
        """Samples with a value of each metric and repo, shape (len(metrics), len(repos))."""
        there = ~np.isnan(self.value) & (self.repo >= 0) & (self.metric >= 0)
        n = len(self.repos)
        cell = self.metric[there].astype(np.int64) * n + self.repo[there]
        return np.bincount(cell, minlength=n * len(self.metrics)).reshape(len(self.metrics), n)


@dataclass(frozen=True, slots=True)
class Sampled:
    """The files of a root that all samples were read from, and how, so that they can be read so again.

    Attributes
    ----------
    root : Path
    files : tuple of str
        Places in the root, in the order in which they were read.
    zone : str or None
        That was assumed for times that name none.
    repos, metrics : mapping of str to str
        Names that were read in another spelling.
    """

    root: Path
    files: tuple[str, ...]
    zone: str | None
    repos: Mapping[str, str]
    metrics: Mapping[str, str]


class SeenNames:
    """Names in the order in which they are first met."""

    def __init__(self) -> None:
        self.position: dict[str, int] = {}

    def places(self, names: Sequence[str]) -> NDArray[np.int32]:
        """Position of each name; a last entry keeps -1, which stands for no name, at -1."""
        known = self.position
        return np.array([known.setdefault(name, len(known)) for name in names] + [-1], dtype=np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Parted:
    """Samples of more rows than are held at once: they are read part by part, as often as somebody asks.

    Attributes
    ----------
    repos, metrics, origins, notes, zone
        As those of `Samples`, of all parts.
    known_repos, known_metrics : mapping of str to int
        Position of each name as the parts write it.
    series : ndarray of int64, shape (len(metrics), len(repos))
        Samples with a value.
    last : int or None
        The latest time.
    readers : tuple of callable
        Each gives some of the parts.
    """

    repos: tuple[str, ...]
    metrics: tuple[str, ...]
    origins: tuple[Origin, ...]
    notes: tuple[str, ...]
    zone: ZoneInfo | None
    known_repos: Mapping[str, int]
    known_metrics: Mapping[str, int]
    series: NDArray[np.int64]
    last: int | None
    readers: tuple[Callable[[], Iterable[Samples]], ...]

    def __len__(self) -> int:
        return sum(origin.count for origin in self.origins)

    def where(self, row: int, column: str) -> str:
        """File, row and column of the sample at position `row`."""
        return _where(self.origins, row, column)

    def counts(self) -> NDArray[np.int64]:
        """Samples with a value of each metric and repo, shape (len(metrics), len(repos))."""
        return self.series

    def parts(self) -> Iterator[Samples]:
        """Each part under the names and positions of all.

        Raises
        ------
        InputError
            If a file cannot be read any more, or is not what it was.
        """
        read = 0
        for reader in self.readers:
            for part in reader():
                read += len(part)
                if not (self.known_repos.keys() >= set(part.repos) and self.known_metrics.keys() >= set(part.metrics)):
                    raise InputError(f"{part.origins[0].path}: changed while it was read")
                repo = np.array([self.known_repos[name] for name in part.repos] + [-1], dtype=np.int32)
                metric = np.array([self.known_metrics[name] for name in part.metrics] + [-1], dtype=np.int32)
                yield replace(
                    part, repos=self.repos, metrics=self.metrics, repo=repo[part.repo], metric=metric[part.metric]
                )
        if read != len(self):
            raise InputError(f"{self.origins[-1].path}: changed while it was read")


AnySamples = Samples | Parted


class Gathering:
    """Takes samples part by part, holds up to `held` rows of them, and knows how to read the rest again.

    Parameters
    ----------
    held : int, optional
        Rows; default `HELD_ROWS`.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most, self._held, self._rows = HELD_ROWS if most is None else most, 0, 0
        self._repos, self._metrics = SeenNames(), SeenNames()
        self._counts = np.zeros((0, 0), dtype=np.int64)
        self._origins: list[Origin] = []
        self._notes: list[str] = []
        self._zone: ZoneInfo | None = None
        self._last: int | None = None
        self._readers: list[list[Samples] | Callable[[], Iterable[Samples]]] = []

    def add(self, read: Callable[[], Iterable[Samples]]) -> int:
        """Look at what a file holds; it is read again later unless it fits into what is held.

        Returns
        -------
        int
            Rows that it holds.

        Raises
        ------
        InputError
            As `read` does, or if there are more repos, metrics or samples than are allowed.
        """
        parts: list[Samples] | None = []
        seen: list[tuple[Origin, ...]] = []
        notes: list[str] = []
        rows, zone = 0, self._zone
        for part in read():
            rows += len(part)
            refuse_rows(self._rows + rows, "history")
            _refuse_beyond_memory(self._rows + rows)
            self._count(part)
            seen.append(part.origins)
            notes += part.notes
            zone = zone or part.zone
            self._last = max((time for time in (self._last, part.last) if time is not None), default=None)
            parts = [*parts, part] if parts is not None and self._held + rows <= self._most else None
        self._origins += chain.from_iterable(seen)
        self._notes += notes
        self._rows, self._zone = self._rows + rows, zone
        if parts is None:
            self._readers.append(read)
            return rows
        self._held += rows
        if self._readers and isinstance(self._readers[-1], list):
            self._readers[-1] += parts
        else:
            self._readers.append(parts)
        return rows

    def _count(self, part: Samples) -> None:
        refuse_many(len(part.repos), len(part.metrics))
        repos, metrics = self._repos.places(part.repos)[:-1], self._metrics.places(part.metrics)[:-1]
        refuse_many(len(self._repos.position), len(self._metrics.position))
        rows, columns = self._counts.shape
        more = (len(self._metrics.position) - rows, len(self._repos.position) - columns)
        if any(more):
            self._counts = np.pad(self._counts, ((0, more[0]), (0, more[1])))
        self._counts[np.ix_(metrics, repos)] += part.counts()

    def all(self) -> AnySamples:
        """Return what was added: whole where it is little, else part by part."""
        readers: list[Callable[[], Iterable[Samples]]] = []
        for reader in self._readers:
            if not isinstance(reader, list):
                readers.append(reader)
                continue
            bundles = [merge(bundle) for bundle in _bundled(reader)]
            if len(self._readers) == 1 and len(bundles) <= 1:
                return merge(bundles)
            readers.append(partial(iter, bundles))
        if not readers:
            return merge(())
        return Parted(
            repos=tuple(self._repos.position),
            metrics=tuple(self._metrics.position),
            origins=tuple(self._origins),
            notes=tuple(self._notes),
            zone=self._zone,
            known_repos=self._repos.position,
            known_metrics=self._metrics.position,
            series=self._counts,
            last=self._last,
            readers=tuple(readers),
        )


def _bundled(parts: Iterable[Samples]) -> Iterator[list[Samples]]:
    """Small parts together, up to `PART_ROWS` rows."""
    bundle: list[Samples] = []
    for part in parts:
        if bundle and sum(map(len, bundle)) + len(part) > PART_ROWS:
            yield bundle
            bundle = []
        bundle.append(part)
    if bundle:
        yield bundle


def merge(parts: Sequence[Samples]) -> Samples:
    """Samples of several files as one, each row still knowing its file."""
    if len(parts) == 1:
        return parts[0]
    repos, metrics = SeenNames(), SeenNames()
    none, nothing = [np.zeros(0, dtype=np.int32)], [np.zeros(0)]
    return Samples(
        repo=np.concatenate([*none, *(repos.places(part.repos)[part.repo] for part in parts)]),
        metric=np.concatenate([*none, *(metrics.places(part.metrics)[part.metric] for part in parts)]),
        time=np.concatenate([*none, *(part.time for part in parts)], dtype=np.int64),
        value=np.concatenate([*nothing, *(part.value for part in parts)]),
        repos=tuple(repos.position),
        metrics=tuple(metrics.position),
        origins=tuple(origin for part in parts for origin in part.origins),
        notes=tuple(note for part in parts for note in part.notes),
        zone=next((part.zone for part in parts if part.zone is not None), None),
    )


def refuse_many(repos: int, metrics: int) -> None:
    """Refuse more repos, metrics or series than are allowed.

    Raises
    ------
    InputError
    """
    for count, most, what in (
        (repos, MAX_REPOS, "repos"),
        (metrics, MAX_METRICS, "metrics"),
        (repos * metrics, MAX_SERIES, "series (services times metrics)"),
    ):
        if count > most:
            raise InputError(f"history: {count} {what}; up to {most} are allowed")


def _refuse_beyond_memory(rows: int) -> None:
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        memory = 8_000_000_000
    if rows > _ALWAYS_ROWS and rows * _ROW_BYTES > memory:
        raise InputError(
            f"history: {rows} rows or more; up to {memory // _ROW_BYTES} are allowed on this machine, for its memory of "
            f"{memory / 1e9:.0f} GB"
        )


def _where(origins: Iterable[Origin], row: int, column: str) -> str:
    for origin in origins:
        if row < origin.count:
            return origin.where(row, column)
        row -= origin.count
    raise IndexError(row)
