"""Array work on all processors: numpy lets go of the interpreter while it computes, so threads suffice.

While they run, a product of matrices uses one thread: the linear algebra's own threads would only wait for ours, and they
wait by spinning.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from threadpoolctl import ThreadpoolController

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_WORKERS = 8
"""Threads at most; judgement: beyond, the parts that hold the interpreter queue up."""


def in_parallel(work: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """Results of `work` in the order of `items`; the caller never sees which thread did what.

    Examples
    --------
    >>> list(in_parallel(abs, [-1, 2, -3]))
    [1, 2, 3]
    """
    workers = min(len(items), os.cpu_count() or 1, MOST_WORKERS)
    if workers < 2:
        yield from map(work, items)
        return
    with one_blas_thread(), ThreadPoolExecutor(workers) as executor:
        yield from executor.map(work, items)


def one_blas_thread() -> AbstractContextManager[object]:
    """Keep each product of matrices in the thread that asks for it."""
    limited: AbstractContextManager[object] = _blas().limit(limits=1, user_api="blas")
    return limited


@cache
def _blas() -> ThreadpoolController:
    """The linear algebra libraries, numpy's and scipy's own; looked for once, which takes a few milliseconds."""
    import scipy.linalg  # noqa: F401 - what is not loaded cannot be limited
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
