"""Time of all-pairs correlation and best lag against the matrix products that any exact method must do, and its peers.

The limit is one float32 product of all columns with all columns a lag (lags 0 to 14, both signs come with it), run in
turns with ours in the same process. Ours is everything from the array on: whitening, search, significance, threshold,
Benjamini-Hochberg. Best of the runs counts, so that other work on the machine weighs little. Peers that go pair by pair
(pandas, scipy's FFT, statsmodels' ccf where it is installed) run on a sample of pairs and are scaled to all of them; each
gives the correlations of a pair at all lags, without any significance. Each size runs in a process of its own, whose peak
memory is ours alone: the limit and the peers run after it was read.

    python benchmarks/pairs.py [--sizes 1000x2000 5000x365] [--missing 0.05] [--repeat 3] [--calibrate]

Takes about three minutes on two idle cores.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import signal

from tars_lib.stats.pairs import spectral
from tars_lib.stats.pairs import streamed as stream
from tars_lib.stats.pairs.discovery import discovered_pairs
from tars_lib.stats.series.prewhitening import whitened_panel

if TYPE_CHECKING:
    from collections.abc import Callable

Floats = NDArray[np.float64]

MAX_LAG = 14
ALPHA = 0.05
SIZES = ("200x365", "200x2000", "1000x365", "1000x2000", "5000x365", "5000x2000")
SAMPLED = 60
"""Pairs that a pair-by-pair peer is timed on."""


def in_turns(works: list[Callable[[], object]], repeat: int) -> list[float]:
    """Best wall-clock seconds of each, run in turns."""
    best = [np.inf] * len(works)
    for _ in range(repeat):
        for place, work in enumerate(works):
            started = time.perf_counter()
            work()
            best[place] = min(best[place], time.perf_counter() - started)
    return best


def products(rows: NDArray[np.float32], lags: int) -> None:
    """The limit: a float32 product a lag, nothing else."""
    out = np.empty((len(rows), len(rows)), dtype=np.float32)
    for lag in range(lags + 1):
        np.matmul(rows[:, : rows.shape[1] - lag], rows[:, lag:].T, out=out)


def ours(values: Floats, lags: int) -> int:
    """Whiten, screen, measure, select."""
    return len(discovered_pairs([whitened_panel(values, (7,))], lags, ALPHA).q_value)


def one_pair(name: str, a: Floats, b: Floats) -> object:
    """What a peer needs for the correlations of one pair at all lags of both signs."""
    if name == "numpy":
        n, x, y = len(a), (a - a.mean()) / a.std(), (b - b.mean()) / b.std()
        return np.correlate(x, np.pad(y, MAX_LAG), "valid") / n
    if name == "pandas":
        first, second = pd.Series(a), pd.Series(b)
        return [first.corr(second.shift(lag)) for lag in range(-MAX_LAG, MAX_LAG + 1)]
    if name == "scipy FFT":
        x, y = (a - a.mean()) / a.std(), (b - b.mean()) / b.std()
        return signal.correlate(x, y, "full", "fft")[len(a) - 1 - MAX_LAG : len(a) + MAX_LAG] / len(a)
    from statsmodels.tsa.stattools import ccf

    return ccf(a, b, nlags=MAX_LAG + 1), ccf(b, a, nlags=MAX_LAG + 1)


def peers() -> list[str]:
    """Pair-by-pair peers that are installed."""
    have = importlib.util.find_spec("statsmodels") is not None
    return ["numpy", "pandas", "scipy FFT", *(["statsmodels ccf"] if have else [])]


def peak_megabytes() -> float:
    """Peak memory of this process; NaN on Windows."""
    if sys.platform == "win32":
        return float("nan")
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024**2 if sys.platform == "darwin" else 1024)


def measured(size: str, missing: float, repeat: int) -> dict[str, float]:
    """Seconds of everything at one size, and the peak memory of ours in megabytes."""
    columns, samples = (int(part) for part in size.split("x"))
    rng = np.random.default_rng(columns + samples)
    values = rng.standard_normal((samples, columns))
    holed = np.where(rng.random(values.shape) < missing, np.nan, values)
    before = peak_megabytes()
    ours(values, MAX_LAG)
    ours(holed, MAX_LAG)
    peak = peak_megabytes()
    rows = np.ascontiguousarray(values.T, dtype=np.float32)
    panel = whitened_panel(values, (7,))
    limit, complete, gaps, single, same, bare, whitening, corrcoef = in_turns(
        [
            lambda: products(rows, MAX_LAG),
            lambda: ours(values, MAX_LAG),
            lambda: ours(holed, MAX_LAG),
            lambda: products(rows, 0),
            lambda: ours(values, 0),
            lambda: discovered_pairs([panel], 0, ALPHA),
            lambda: whitened_panel(values, (7,)),
            lambda: np.corrcoef(values, rowvar=False),
        ],
        repeat,
    )
    names = peers()
    pairs = [tuple(rng.choice(columns, 2, replace=False)) for _ in range(SAMPLED)]

    def sample(name: str) -> Callable[[], object]:
        return lambda: [one_pair(name, values[:, a], values[:, b]) for a, b in pairs]

    one_pair(names[-1], values[:, 0], values[:, 1])
    times = in_turns([sample(name) for name in names], repeat)
    total = columns * (columns - 1) / 2
    return {
        "limit": limit,
        "complete": complete,
        "missing": gaps,
        "single": single,
        "same": same,
        "bare": bare,
        "whitening": whitening,
        "corrcoef": corrcoef,
        "before": before,
        "peak": peak,
        **{name: seconds / SAMPLED * total for name, seconds in zip(names, times, strict=True)},
    }


def tables(sizes: list[str], missing: float, repeat: int) -> list[tuple[str, list[list[str]]]]:
    """Titled tables, the first row of each its head."""
    figures = {}
    for size in sizes:
        command = [sys.executable, __file__, "--one", size, "--missing", str(missing), "--repeat", str(repeat)]
        figures[size] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    lagged = [
        ["N x T", "15 products", "lead_lag", "ratio", f"{missing:.0%} missing", "to complete", "memory before", "peak"]
    ]
    heads = [
        "N x T",
        "one product",
        "product and threshold",
        "ratio",
        "whitening",
        "correlate",
        "bar",
        "numpy corrcoef",
    ]
    same = [[*heads, "ratio"]]
    beside = [["N x T", "lead_lag", *(cell for name in peers() for cell in (name, "ratio"))]]
    for size, f in figures.items():
        lagged.append(
            [
                size,
                f"{f['limit']:.3f} s",
                f"{f['complete']:.3f} s",
                f"{f['complete'] / f['limit']:.2f}",
                f"{f['missing']:.3f} s",
                f"{f['missing'] / f['complete']:.2f}",
                f"{f['before']:.0f} MB",
                f"{f['peak']:.0f} MB",
            ]
        )
        row = [size, f"{f['single']:.4f} s", f"{f['bare']:.4f} s", f"{f['bare'] / f['single']:.2f}"]
        row += [f"{f[name]:.4f} s" for name in ("whitening", "same")] + [f"{1.5 * f['single'] + f['whitening']:.4f} s"]
        same.append([*row, f"{f['corrcoef']:.4f} s", f"{f['corrcoef'] / f['single']:.2f}"])
        row = [size, f"{f['complete']:.3f} s"]
        for name in peers():
            row += [f"{f[name]:.1f} s", f"{f[name] / f['complete']:.0f}"]
        beside.append(row)
    return [
        ("Best lag of all pairs (lags -14 to 14) with significance; limit: 15 float32 products, ratio to it", lagged),
        (
            "The same moment; limit: one float32 product; bar: 1.5 products and the whitening that significance needs",
            same,
        ),
        (f"Peers, pair by pair, scaled from {SAMPLED} pairs to all; no significance; ratio to lead_lag", beside),
    ]


def calibrate(repeat: int) -> list[tuple[str, list[list[str]]]]:
    """Measured and modelled nanoseconds a pair of both forms, on the calling thread."""
    rows = [["samples", "lags", "stream ns", "modelled", "spectral ns", "modelled", "chosen", "is faster"]]
    count = 384
    everything = np.random.default_rng(0).standard_normal((count, 2000)).astype(np.float32)
    for samples in (30, 90, 365, 1000, 2000):
        part = np.ascontiguousarray(everything[:, :samples])
        for lags in (0, 1, 2, 3, 7, 14):
            forms = stream.Stream(part, lags), spectral.Spectral(part, lags)

            def run(form: stream.Stream | spectral.Spectral) -> Callable[[], object]:
                starts = range(0, count, form.tile)
                return lambda: [form.largest(one, two) for one in starts for two in starts if two >= one]

            times = [seconds / (count * (count - 1) / 2) * 1e9 for seconds in in_turns([run(f) for f in forms], repeat)]
            modelled = [0.026 * form.cost(samples, lags) for form in (stream, spectral)]
            chosen = int(modelled[1] < modelled[0])
            rows.append(
                [
                    *(str(samples), str(lags)),
                    *(f"{value:.0f}" for pair in zip(times, modelled, strict=True) for value in pair),
                    ("stream", "spectral")[chosen],
                    "yes" if times[chosen] <= times[1 - chosen] else "no",
                ]
            )
    return [("Cost model of the two forms: nanoseconds a pair", rows)]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="*", default=list(SIZES), metavar="NxT")
    parser.add_argument("--missing", type=float, default=0.05)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--calibrate", action="store_true", help="print the cost model beside measured times instead")
    parser.add_argument("--markdown", action="store_true", help="tables for docs/benchmarks.md")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measured(options.one, options.missing, options.repeat)))
        return
    from tables import printed

    found = calibrate(options.repeat) if options.calibrate else tables(options.sizes, options.missing, options.repeat)
    print(printed(found, markdown=options.markdown))


if __name__ == "__main__":
    main()
