"""Time of all-pairs correlation and best lag against the matrix products that any exact method must do, and numpy.

The limit is one float32 product of all columns with all columns a lag (lags 0 to 14, both signs come with it), run in
the same process. Ours includes whitening, significance, thresholding and Benjamini-Hochberg.

    python benchmarks/pairs.py [--missing 0.05] [--sizes 1000x2000 5000x365]
"""

from __future__ import annotations

import argparse
import resource
import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tars_lib.stats.discovery import discovered_pairs
from tars_lib.stats.whiten import whitened_panel

if TYPE_CHECKING:
    from collections.abc import Callable

Floats = NDArray[np.float64]

MAX_LAG = 14
ALPHA = 0.05


def seconds(work: Callable[[], object], repeat: int = 2) -> float:
    """Best wall-clock time of a few runs."""
    best = np.inf
    for _ in range(repeat):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return float(best)


def products(values: Floats, lags: int) -> None:
    """The limit: a float32 product a lag, nothing else."""
    rows = np.ascontiguousarray(values.T, dtype=np.float32)
    out = np.empty((len(rows), len(rows)), dtype=np.float32)
    for lag in range(lags + 1):
        np.matmul(rows[:, : rows.shape[1] - lag], rows[:, lag:].T, out=out)


def ours(values: Floats, lags: int) -> int:
    """Whiten, screen, measure, select."""
    return len(discovered_pairs([whitened_panel(values, (7,))], lags, ALPHA).q_value)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="*", default=["200x365", "1000x365", "1000x2000", "5000x365"])
    parser.add_argument("--missing", type=float, default=0.05)
    options = parser.parse_args()
    print(
        f"{'N x T':<12}{'limit s':>9}{'lead-lag':>10}{'ratio':>7}{'missing':>9}{'to complete':>12}"
        f"{'one product':>12}{'lag 0':>8}{'ratio':>7}{'corrcoef':>9}{'peak MB':>9}"
    )
    for size in options.sizes:
        columns, samples = (int(part) for part in size.split("x"))
        rng = np.random.default_rng(columns + samples)
        values = rng.standard_normal((samples, columns))
        holed = np.where(rng.random(values.shape) < options.missing, np.nan, values)
        limit = seconds(lambda values=values: products(values, MAX_LAG))
        complete = seconds(lambda values=values: ours(values, MAX_LAG))
        missing = seconds(lambda holed=holed: ours(holed, MAX_LAG))
        single = seconds(lambda values=values: products(values, 0))
        same = seconds(lambda values=values: ours(values, 0))
        numpy_time = seconds(lambda values=values: np.corrcoef(values, rowvar=False), 1)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{size:<12}{limit:>9.2f}{complete:>10.2f}{complete / limit:>7.2f}"
            f"{missing:>9.2f}{missing / complete:>12.2f}"
            f"{single:>12.2f}{same:>8.2f}{same / single:>7.2f}{numpy_time:>9.2f}{peak:>9.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
