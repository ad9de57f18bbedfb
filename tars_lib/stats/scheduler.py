"""Where is work done that falls apart into many equal tasks: in threads, in processes, or on a Dask cluster?

A task is a function of two things: what all tasks share, which travels to each worker once, and its own item. Results come
back in the order of the items, so a caller cannot tell the schedulers apart but by the time that they take.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import re
import sys
from collections import deque
from contextvars import ContextVar
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from tars_lib.errors import ConfigError, SchedulerError
from tars_lib.stats.parallel import in_parallel, one_blas_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import ProcessPoolExecutor

Shared = TypeVar("Shared")
Item = TypeVar("Item")
Result = TypeVar("Result")

FORMS = "threads, processes:N or tcp://HOST:PORT"
MOST_PROCESSES = 256
PATIENCE = "10s"
"""For how long a cluster is waited for; judgement: one on the same network answers within a second."""
FEW_COLUMNS = 400
"""Up to so many columns are looked at here: sending them takes longer; judgement."""
ATTEMPTS = 4
"""How often a task is begun before its workers' deaths are its own fault; as Dask counts by default."""
AHEAD = 4
"""Tasks for each thread of a cluster that are handed to it before their results are asked for; judgement: none is ever idle."""
LARGE = 1_000_000
"""Bytes from which an item is sent to a worker as data, not as part of its task; judgement: Dask warns of ten times as much."""


class Scheduler(Protocol):
    """Something that runs tasks and hands their results back in order."""

    def map(self, work: Callable[[Shared, Item], Result], shared: Shared, items: Sequence[Item]) -> Iterator[Result]:
        """Return the results of `work(shared, item)` in the order of the items.

        Raises
        ------
        SchedulerError
            If workers keep dying, or cannot be reached.
        """
        ...

    def close(self) -> None:
        """Let go of what was begun for it."""
        ...


class Threads:
    """All processors of this process; numpy lets go of the interpreter while it computes."""

    def map(self, work: Callable[[Shared, Item], Result], shared: Shared, items: Sequence[Item]) -> Iterator[Result]:
        """Return the results in order."""
        return in_parallel(lambda item: work(shared, item), items)

    def close(self) -> None:
        """Do nothing: threads end with their work."""


class Processes:
    """So many processes of this machine, each with an interpreter of its own; they stay until they are let go of.

    Parameters
    ----------
    number : int
        At least 1.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self._pool: ProcessPoolExecutor | None = None

    def map(self, work: Callable[[Shared, Item], Result], shared: Shared, items: Sequence[Item]) -> Iterator[Result]:
        """Return the results in order; a worker that is killed is replaced, and its task begun anew."""
        from concurrent.futures.process import BrokenProcessPool

        place, deaths = 0, 0
        with TemporaryDirectory(prefix="tars-") as folder:
            # in a file, from which each worker reads it once
            told = Path(folder, "shared")
            with told.open("wb") as file:
                pickle.dump((work, shared), file, pickle.HIGHEST_PROTOCOL)
            while place < len(items):
                try:
                    for result in self._started(told, items[place:]):
                        yield cast("Result", result)
                        place, deaths = place + 1, 0
                except BrokenProcessPool as error:
                    self.close()
                    deaths += 1
                    if deaths == ATTEMPTS:
                        raise SchedulerError(
                            f"processes:{self.number}: a worker was ended from outside {ATTEMPTS} times at one task; "
                            "too little memory for so many processes is the usual reason: fewer, or threads, take less"
                        ) from error

    def _started(self, told: Path, items: Sequence[object]) -> Iterator[object]:
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        if self._pool is None:
            self._pool = ProcessPoolExecutor(self.number, get_context("spawn"))
        with _no_main_module():
            return self._pool.map(_task, [told] * len(items), items)

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


@contextlib.contextmanager
def _no_main_module() -> Iterator[None]:
    """Hide the main module: a process that is spawned would run it again, and needs nothing of it."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


_received: dict[Path, tuple[Callable[[Any, Any], Any], Any]] = {}
"""What a worker process was told last, by the file that says it: what to do, and what all its tasks share."""


def _task(told: Path, item: object) -> object:
    if told not in _received:
        _received.clear()
        with told.open("rb") as file:
            _received[told] = pickle.load(file)  # noqa: S301 - from the process that started this one
    work, shared = _received[told]
    with one_blas_thread():
        return work(shared, item)


class DaskCluster:
    """A Dask cluster.

    Parameters
    ----------
    client : distributed.Client
        Connected.
    owns : bool
        Whether the connection is closed with this.
    """

    def __init__(self, client: Any, *, owns: bool = False) -> None:
        self.client = client
        self._owns = owns

    @classmethod
    def at(cls, address: str) -> DaskCluster:
        """Connect to a scheduler.

        Raises
        ------
        SchedulerError
            If it cannot be reached, or its workers hold other versions of what is used.
        """
        try:
            import distributed
        except ImportError as error:
            raise SchedulerError(f"{address} needs Dask: pip install 'tars-incident-workbook[dask]'") from error
        try:
            connect: Any = distributed.Client
            client = connect(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise SchedulerError(
                f"{address}: no Dask scheduler answers within {PATIENCE}; threads need none"
            ) from error
        cluster = cls(client, owns=True)
        try:
            cluster.check()
        except BaseException:
            cluster.close()
            raise
        return cluster

    def close(self) -> None:
        """Close the connection, unless it was given."""
        if self._owns:
            self.client.close()

    def check(self) -> None:
        """Compare the versions of what is used here and on the workers, and look at how they allocate memory.

        Raises
        ------
        SchedulerError
            If there is no worker, or one holds another version or not this package.
        """
        import logging

        mine = versions()
        try:
            theirs: dict[str, dict[str, str]] = self.client.run(versions)
        except Exception as error:
            raise SchedulerError(
                f"{self._name}: its workers lack this package, or hold another version: {error}"
            ) from error
        if not theirs:
            raise SchedulerError(f"{self._name}: it has no worker; dask worker {self._name} starts one")
        for worker, held in sorted(theirs.items()):
            for name, version in mine.items():
                if held.get(name) != version:
                    raise SchedulerError(
                        f"{self._name}: {worker} has {name} {held.get(name)}, and {version} is here; the same is needed"
                    )
        trimmed = sorted(
            worker for worker, is_trimmed in self.client.run(has_fixed_mmap_threshold).items() if is_trimmed
        )
        if trimmed:
            logging.getLogger(__name__).warning(
                "%s: %d workers run with MALLOC_TRIM_THRESHOLD_ and without MALLOC_MMAP_THRESHOLD_, which takes several times "
                "the processor time; see docs/scale.md",
                self._name,
                len(trimmed),
            )

    @property
    def _name(self) -> str:
        return str(self.client.scheduler.address)

    def map(self, work: Callable[[Shared, Item], Result], shared: Shared, items: Sequence[Item]) -> Iterator[Result]:
        """Return the results in order; a task is begun anew whose worker died, and what died with it is sent again."""
        from distributed import CancelledError, KilledWorker

        place, deaths = 0, 0
        while place < len(items):
            try:
                for result in self._begun(work, shared, items[place:]):
                    yield cast("Result", result)
                    place, deaths = place + 1, 0
            except (KilledWorker, CancelledError, OSError, TimeoutError) as error:
                if self.client.status != "running":
                    said = " ".join(str(error).split())
                    raise SchedulerError(f"{self._name}: the cluster went away in the middle: {said}") from error
                deaths += 1
                if deaths == ATTEMPTS or isinstance(error, KilledWorker):
                    raise SchedulerError(
                        f"{self._name}: the workers that took a task died, one after the other; too little memory is the "
                        "usual reason"
                    ) from error

    def _begun(self, work: Callable[[Shared, Item], object], shared: Shared, items: Sequence[Item]) -> Iterator[object]:
        # under a name of its own: sent anew under one that is just being let go, it would never arrive
        (sent,) = self.client.scatter([shared], broadcast=True, hash=False)
        # some ahead of the one that is waited for, as the scheduler holds the items that were handed to it
        waiting, ahead = deque[Any](), AHEAD * max(sum(self.client.nthreads().values()), 1)
        for item in items:
            packed = pickle.dumps(item, pickle.HIGHEST_PROTOCOL)
            if len(packed) > LARGE:
                (packed,) = self.client.scatter([packed], hash=False)
            waiting.append(self.client.submit(_on_worker, work, sent, packed, pure=False))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _on_worker(work: Callable[[Shared, Item], Result], shared: Shared, packed: bytes) -> Result:
    item: Item = pickle.loads(packed)  # noqa: S301 - from who asks; whoever reaches a cluster runs code on it anyway
    with one_blas_thread():
        return work(shared, item)


def versions() -> dict[str, str]:
    """Return the versions of what decides a result, where this is called."""
    import numpy as np
    import scipy

    from tars_lib import __version__

    return {"tars_lib": __version__, "numpy": np.__version__, "scipy": scipy.__version__}


def has_fixed_mmap_threshold() -> bool:
    """Return whether glibc was told when to trim but not when to map, which fixes the latter at 128 KiB.

    Each array of a few megabytes is then asked of the kernel anew, and cleared page by page.
    """
    return "MALLOC_TRIM_THRESHOLD_" in os.environ and "MALLOC_MMAP_THRESHOLD_" not in os.environ


_current: ContextVar[Scheduler | None] = ContextVar("scheduler", default=None)


def scheduled(work: Callable[[Shared, Item], Result], shared: Shared, items: Sequence[Item]) -> Iterator[Result]:
    """Return the results of `work(shared, item)` in order, from the scheduler in use.

    Parameters
    ----------
    work : callable
        A function of a module, without side effects; both arguments and the result can travel between processes.
    shared : object
        Sent to each worker once.
    items : sequence

    Examples
    --------
    >>> list(scheduled(pow, 2, [1, 2, 3]))
    [2, 4, 8]
    """
    return (_current.get() or Threads()).map(work, shared, items)


def scheduled_columns(
    work: Callable[[Shared, Item], Result], shared: Shared, items: Sequence[Item], columns: int
) -> Iterator[Result]:
    """Return the results of `scheduled`; from threads where there are too few columns for the way to others to pay."""
    return (scheduled if columns > FEW_COLUMNS else Threads().map)(work, shared, items)


def elsewhere() -> Scheduler | None:
    """Return the scheduler in use if it works outside of this process."""
    scheduler = _current.get()
    return None if isinstance(scheduler, Threads) else scheduler


@contextlib.contextmanager
def using(given: object | None) -> Iterator[None]:
    """Use a scheduler for what is called within.

    Parameters
    ----------
    given : str, distributed.Client or None
        `threads`, `processes:N`, the address of a Dask scheduler, or a client of one; None changes nothing.

    Raises
    ------
    ConfigError
        If a text has another form.
    SchedulerError
        If a cluster cannot be reached.
    """
    if given is None:
        yield
        return
    scheduler = scheduler_of(given) if isinstance(given, str) else DaskCluster(given)
    token = _current.set(scheduler)
    try:
        yield
    finally:
        _current.reset(token)
        scheduler.close()


def scheduler_of(text: str) -> Scheduler:
    """Read the name of a scheduler, and connect to it where it is a cluster.

    Examples
    --------
    >>> scheduler_of("processes:2").number
    2
    """
    if text == "threads":
        return Threads()
    if found := re.fullmatch(r"processes:(\d{1,4})", text):
        if 1 <= int(found[1]) <= MOST_PROCESSES:
            return Processes(int(found[1]))
        raise ConfigError(f"scheduler {text!r} is not allowed: from 1 to {MOST_PROCESSES} processes are")
    if re.fullmatch(r"(tcp|tls)://[^\s/:]+:\d{1,5}", text):
        return DaskCluster.at(text)
    raise ConfigError(f"scheduler {text!r} is not allowed: {FORMS} is")
