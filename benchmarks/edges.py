"""Error rate and power of `correlate` and `lead_lag` beside the rules that are in common use.

Null data: 12 unrelated repos; a data set counts as an error when any edge is returned. Planted data: 12 repos with
five edges (a chain, a fork, a long lag); an edge counts as found when leader, follower and lag are right and, for
`lead_lag`, when it is called direct. Peers run on the same data: a threshold on Pearson's r (which knows neither
direction nor lag: the pair counts), the largest |r| over lags above a threshold, and, where statsmodels is installed
(the `bench` extra), pairwise Granger tests with Bonferroni's correction (which know no lag: the direction counts).
Granger takes two seconds a data set, so it runs on the first few.

`--only ceiling` prints how often the lag of a noisy copy can be told at all: by a reader who knows which repo leads which,
the leader's whole past, and the size of signal and noise, and looks for nothing but the lag.

    python benchmarks/edges.py [--sets 200] [--seed 1] [--samples 30 90 365] [--only null|power|ceiling] [--no-peers]
        [--markdown]

With 200 sets about ten minutes on two idle cores without peers, half an hour with them and without statsmodels, two
hours with it; `--sets 20` gives a first look in a tenth of that.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import os
import sys
import time
import warnings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from tars_lib.engines.relations.frames import correlate, lead_lag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Floats = NDArray[np.float64]

REPOS = 12
MAX_LAG = 14
WARM_UP = 300
NULL_KINDS = (
    "white",
    "ar 0.9",
    "random walk",
    "weekly season",
    "weekend",
    "linear trend",
    "curved trend",
    "lognormal",
    "a step each",
    "an incident each",
)
PLANTED_KINDS = (
    "white",
    "ar 0.5, noisy copy",
    "ar 0.9, noisy copy",
    "ar 0.9, shocks travel",
    "random walk, noisy copy",
    "random walk, shocks travel",
)
EDGES = ((0, 1, 3), (1, 2, 2), (3, 4, 1), (3, 5, 6), (6, 7, 10))
SHORTCUTS = ((0, 2), (4, 5))
PEER_THRESHOLD = 0.5


def memory(shocks: Floats, phi: float) -> Floats:
    """AR(1) series, shape (T, N), from its shocks."""
    out = np.zeros_like(shocks)
    for t in range(1, len(shocks)):
        out[t] = phi * out[t - 1] + shocks[t]
    return out


def null_set(kind: str, n: int, rng: np.random.Generator) -> Floats:
    """Unrelated series, shape (n, REPOS)."""
    shocks = rng.standard_normal((n + WARM_UP, REPOS))
    day = np.arange(n)
    recent = shocks[-n:]
    if kind == "ar 0.9":
        return memory(shocks, 0.9)[-n:]
    if kind == "random walk":
        return memory(shocks, 1.0)[-n:]
    if kind == "weekly season":
        return recent + 3.0 * rng.standard_normal(7)[day % 7][:, None] * rng.uniform(0.5, 2.0, REPOS)
    if kind == "weekend":
        return recent - 5.0 * (day % 7 >= 5)[:, None]
    if kind == "linear trend":
        return recent + np.linspace(0.0, 10.0, n)[:, None] * rng.uniform(0.5, 2.0, REPOS)
    if kind == "curved trend":
        return recent + 10.0 * np.exp(np.linspace(-3.0, 0.0, n))[:, None]
    if kind == "lognormal":
        return np.exp(recent)
    if kind == "a step each":
        return recent + 5.0 * rng.choice([-1.0, 1.0], REPOS) * (day[:, None] >= rng.integers(5, n - 5, REPOS))
    if kind == "an incident each":
        since = day[:, None] - rng.integers(5, n - 15, REPOS)
        return recent + 5.0 * ((since >= 0) & (since < rng.integers(5, 20, REPOS)))
    return recent


def planted_set(kind: str, n: int, rng: np.random.Generator) -> Floats:
    """Series in which `EDGES` were planted at a signal-to-noise ratio of 1, shape (n, REPOS)."""
    shocks = rng.standard_normal((n + WARM_UP, REPOS))
    phi = 0.0 if kind == "white" else 1.0 if kind.startswith("random") else float(kind[3:6])
    if kind.endswith("travel"):
        for leader, follower, lag in EDGES:
            shocks[lag:, follower] += shocks[:-lag, leader]
        return memory(shocks, phi)[-n:]
    levels = memory(shocks, phi)
    for leader, follower, lag in EDGES:
        scale = 1.0 if phi == 1.0 else levels[:, leader].std()
        levels[lag:, follower] = levels[:-lag, leader] + scale * rng.standard_normal(len(levels) - lag)
    return levels[-n:]


def framed(values: Floats, missing: float, rng: np.random.Generator) -> pd.DataFrame:
    """Daily samples; a share of the values taken out at random."""
    values = np.where(rng.random(values.shape) < missing, np.nan, values)
    index = pd.date_range("2025-01-01", periods=len(values), freq="D", tz="UTC")
    return pd.DataFrame(values, index=index, columns=[f"repo-{i:02d}" for i in range(values.shape[1])])


Edges = dict[tuple[int, int], tuple[int | None, bool]]
"""Leader and follower to lag (None where the rule knows none) and whether it is called direct."""


def ours(frame: pd.DataFrame) -> Edges:
    """`lead_lag`."""
    number_of = {name: position for position, name in enumerate(frame.columns)}
    edges = lead_lag(frame, MAX_LAG)
    rows = zip(edges["leader"], edges["follower"], edges["lag"], edges["is_direct"], strict=True)
    return {(number_of[a], number_of[b]): (int(lag), bool(flag)) for a, b, lag, flag in rows}


def same_moment(frame: pd.DataFrame) -> Edges:
    """`correlate`."""
    number_of = {name: position for position, name in enumerate(frame.columns)}
    pairs = correlate(frame)
    return {(number_of[a], number_of[b]): (0, True) for a, b in zip(pairs["repo_a"], pairs["repo_b"], strict=True)}


def pearson_rule(frame: pd.DataFrame) -> Edges:
    """Pairs of repos whose plain correlation exceeds the threshold, in both directions."""
    matrix = np.abs(frame.corr().to_numpy()) > PEER_THRESHOLD
    return {(int(a), int(b)): (None, True) for a, b in np.argwhere(matrix) if a != b}


def largest_rule(frame: pd.DataFrame) -> Edges:
    """Pairs whose largest plain correlation over the lags exceeds the threshold, in the direction of that lag."""
    values = frame.to_numpy()
    best: dict[tuple[int, int], tuple[float, int, int, int]] = {}
    for lag in range(1, min(MAX_LAG, len(values) - 10) + 1):
        both = np.hstack([values[:-lag], values[lag:]])
        cross = np.abs(pd.DataFrame(both).corr().to_numpy()[:REPOS, REPOS:])
        for leader in range(REPOS):
            for follower in range(REPOS):
                if leader != follower:
                    pair = min(leader, follower), max(leader, follower)
                    best[pair] = max(best.get(pair, (0.0, 0, 0, 0)), (cross[leader, follower], lag, leader, follower))
    return {(a, b): (lag, True) for size, lag, a, b in best.values() if size > PEER_THRESHOLD}


def granger_rule(frame: pd.DataFrame) -> Edges:
    """Ordered pairs with a Granger F-test (lag 3) below 0.05, Bonferroni over the pairs."""
    from statsmodels.tsa.stattools import grangercausalitytests

    filled = frame.interpolate(limit_direction="both").to_numpy()
    found: Edges = {}
    for leader in range(REPOS):
        for follower in range(REPOS):
            if leader != follower:
                with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
                    warnings.simplefilter("ignore")
                    result = grangercausalitytests(filled[:, [follower, leader]], [3])
                if result[3][0]["ssr_ftest"][1] < 0.05 / (REPOS * (REPOS - 1)):
                    found[leader, follower] = (None, True)
    return found


def rules(peers: bool) -> dict[str, Callable[[pd.DataFrame], Edges]]:
    """Name to rule, ours first."""
    chosen: dict[str, Callable[[pd.DataFrame], Edges]] = {"lead_lag": ours, "correlate": same_moment}
    if peers:
        chosen |= {f"r above {PEER_THRESHOLD}": pearson_rule, f"largest r above {PEER_THRESHOLD}": largest_rule}
        if importlib.util.find_spec("statsmodels") is not None:
            chosen["Granger"] = granger_rule
    return chosen


@dataclass(frozen=True)
class Cell:
    """One kind of data: what is drawn and how often."""

    kind: str
    n: int
    missing: float
    seed: tuple[int, ...]
    sets: int
    peers: bool
    granger_sets: int


def interval(hits: int, sets: int) -> str:
    """Share in percent with the 95 % Clopper-Pearson interval."""
    low = special.betaincinv(hits, sets - hits + 1, 0.025) if hits else 0.0
    high = special.betaincinv(hits + 1, sets - hits, 0.975) if hits < sets else 1.0
    return f"{100 * hits / sets:5.1f} [{100 * low:4.1f}, {100 * high:5.1f}]"


def null_row(cell: Cell) -> list[str]:
    """Any-edge rates of every rule."""
    rng = np.random.default_rng(cell.seed)
    chosen = rules(cell.peers)
    hits, runs = dict.fromkeys(chosen, 0), dict.fromkeys(chosen, 0)
    for number in range(cell.sets):
        frame = framed(null_set(cell.kind, cell.n, rng), cell.missing, rng)
        for name, rule in chosen.items():
            if name != "Granger" or number < cell.granger_sets:
                hits[name] += bool(rule(frame))
                runs[name] += 1
    return [cell.kind, str(cell.n), f"{cell.missing:.0%}", *(interval(hits[name], runs[name]) for name in chosen)]


def power_row(cell: Cell) -> list[str]:
    """Planted edges found, shortcuts called direct, edges that are neither, and what the peers find."""
    rng = np.random.default_rng(cell.seed)
    chosen = {name: rule for name, rule in rules(cell.peers).items() if name != "correlate"}
    direct, shortcuts, others = dict.fromkeys(chosen, 0), dict.fromkeys(chosen, 0), dict.fromkeys(chosen, 0)
    runs, each = dict.fromkeys(chosen, 0), np.zeros(len(EDGES))
    for number in range(cell.sets):
        frame = framed(planted_set(cell.kind, cell.n, rng), cell.missing, rng)
        for name, rule in chosen.items():
            if name == "Granger" and number >= cell.granger_sets:
                continue
            runs[name] += 1
            rows = rule(frame)
            for position, (leader, follower, lag) in enumerate(EDGES):
                found, flag = rows.pop((leader, follower), (-1, False))
                right = flag and (found is None or found == lag)
                direct[name] += right
                each[position] += right and name == "lead_lag"
                if name.startswith("r above"):
                    rows.pop((follower, leader), None)
            for pair in SHORTCUTS:
                shortcuts[name] += rows.pop(pair, (0, False))[1]
            others[name] += sum(flag for _, flag in rows.values())
    row = [cell.kind, f"{cell.missing:.0%}", " ".join(f"{100 * share / cell.sets:.0f}" for share in each)]
    for name in chosen:
        row.append(interval(direct[name], runs[name] * len(EDGES)))
        row.append(interval(shortcuts[name], runs[name] * len(SHORTCUTS)))
        row.append(f"{others[name] / max(runs[name], 1):.2f}")
    return row


def ceiling_row(leader: int, follower: int, lag: int, sets: int, seed: int, phi: float = 0.9, n: int = 90) -> list[str]:
    """How often the right lag explains a noisy copy of an AR(1) best, with everything else known."""
    rng = np.random.default_rng((seed, n, 200 + lag))
    hits = 0
    for _ in range(sets):
        shocks = rng.standard_normal((n + WARM_UP, 1))
        source = memory(shocks, phi)[:, 0]
        copy = source[WARM_UP - lag : WARM_UP - lag + n] + source.std() * rng.standard_normal(n)
        errors = [((copy - source[WARM_UP - one : WARM_UP - one + n]) ** 2).sum() for one in range(MAX_LAG + 1)]
        hits += int(np.argmin(errors)) == lag
    return [f"{leader} leads {follower}", str(lag), interval(hits, sets)]


def tables(
    samples: list[int], sets: int, seed: int, *, peers: bool, granger_sets: int, only: str | None
) -> list[tuple[str, list[list[str]]]]:
    """Titled tables, the first row of each its head; kinds of data are shared out over the processors."""
    out = []
    names = list(rules(peers))
    more = f"; Granger on the first {min(sets, granger_sets)}" if "Granger" in names else ""
    with ProcessPoolExecutor() as workers:
        if only in (None, "null"):
            cells = [
                Cell(kind, n, missing, (seed, n, number, int(10 * missing)), sets, peers, granger_sets)
                for n in samples
                for number, kind in enumerate(NULL_KINDS)
                for missing in (0.0, 0.1)
            ]
            rows = [["kind", "n", "missing", *names]]
            rows += _reported(workers.map(null_row, cells))
            out.append(
                (f"Data sets with any edge, percent, 95 % interval; {sets} sets of 12 unrelated repos{more}", rows)
            )
        if only in (None, "power"):
            cells = [
                Cell(kind, 90, missing, (seed, 90, 100 + number, int(10 * missing)), sets, peers, granger_sets)
                for number, kind in enumerate(PLANTED_KINDS)
                for missing in (0.0, 0.1)
            ]
            heads = [
                f"{name}: {what}" for name in names if name != "correlate" for what in ("found", "shortcut", "other")
            ]
            rows = [["kind", "missing", "each edge (lags 3 2 1 6 10)", *heads]]
            rows += _reported(workers.map(power_row, cells))
            title = (
                "Planted edges found with the right lag and called direct, and shortcuts called direct, percent, 95 % "
            )
            out.append((f"{title}interval; further edges a set; n = 90, SNR 1, {sets} sets{more}", rows))
    if only == "ceiling":
        rows = [["edge", "lag", "right lag, all else known"]]
        rows += [ceiling_row(*edge, 20 * sets, seed) for edge in EDGES if edge[0] in (0, 3, 6)]
        out.append((f"Noisy copies of AR(1) 0.9, n = 90, SNR 1: percent, 95 % interval; {20 * sets} sets", rows))
    return out


def _reported(rows: Iterator[list[str]]) -> list[list[str]]:
    """The rows, each told on stderr when it is done."""
    out = []
    for row in rows:
        print("  ".join(row), file=sys.stderr, flush=True)
        out.append(row)
    return out


def main() -> None:
    """Print both tables."""
    from tables import printed

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--samples", type=int, nargs="*", default=[30, 90, 365])
    parser.add_argument("--only", choices=("null", "power", "ceiling"))
    parser.add_argument("--no-peers", action="store_true", help="ours alone")
    parser.add_argument("--granger-sets", type=int, default=20, help="data sets that Granger's test runs on")
    parser.add_argument("--markdown", action="store_true", help="tables for docs/benchmarks.md")
    options = parser.parse_args()
    started = time.perf_counter()
    found = tables(
        options.samples,
        options.sets,
        options.seed,
        peers=not options.no_peers,
        granger_sets=options.granger_sets,
        only=options.only,
    )
    print(printed(found, markdown=options.markdown))
    print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)
    if not options.no_peers and importlib.util.find_spec("statsmodels") is None:
        print("Granger left out: statsmodels is not installed (pip install -e .[bench])", file=sys.stderr)


if __name__ == "__main__":
    main()
