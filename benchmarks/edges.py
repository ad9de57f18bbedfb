"""Error rate and power of `correlate` and `lead_lag` beside the rules that are in common use.

Null data: 12 unrelated repos; a data set counts as an error when any edge is returned. Planted data: 12 repos with
five edges (a chain, a fork, a long lag); an edge counts as found when leader, follower and lag are right and it is
called direct. Peers run on the same data: a threshold on Pearson's r, the largest |r| over lags above a threshold,
and, where statsmodels is installed, pairwise Granger tests with Bonferroni's correction.

    python benchmarks/edges.py [--sets 200] [--seed 1] [--samples 30 90 365] [--only null|power] [--no-peers]
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from tars_lib.engines.edges import correlate, lead_lag

if TYPE_CHECKING:
    from collections.abc import Callable

Floats = NDArray[np.float64]

REPOS = 12
MAX_LAG = 14
WARM_UP = 300
NULL_KINDS = ("white", "ar 0.9", "random walk", "weekly season", "weekend", "linear trend", "curved trend", "lognormal")
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


def pearson_rule(frame: pd.DataFrame) -> bool:
    """Any pair of repos whose plain correlation exceeds the threshold."""
    matrix = frame.corr().to_numpy()
    return bool((np.abs(matrix[np.triu_indices(REPOS, 1)]) > PEER_THRESHOLD).any())


def largest_rule(frame: pd.DataFrame) -> bool:
    """Any pair whose largest plain correlation over the lags exceeds the threshold."""
    values = frame.to_numpy()
    for lag in range(1, min(MAX_LAG, len(values) - 10) + 1):
        both = np.hstack([values[:-lag], values[lag:]])
        cross = pd.DataFrame(both).corr().to_numpy()[:REPOS, REPOS:]
        if (np.abs(cross[~np.eye(REPOS, dtype=bool)]) > PEER_THRESHOLD).any():
            return True
    return False


def granger_rule(frame: pd.DataFrame) -> bool:
    """Any ordered pair with a Granger F-test (lag 3) below 0.05, Bonferroni over the pairs."""
    from statsmodels.tsa.stattools import grangercausalitytests

    filled = frame.interpolate(limit_direction="both").to_numpy()
    for leader in range(REPOS):
        for follower in range(REPOS):
            if leader != follower:
                result = grangercausalitytests(filled[:, [follower, leader]], [3], verbose=False)
                if result[3][0]["ssr_ftest"][1] < 0.05 / (REPOS * (REPOS - 1)):
                    return True
    return False


def interval(hits: int, sets: int) -> str:
    """Share in percent with the 95 % Clopper-Pearson interval."""
    low = special.betaincinv(hits, sets - hits + 1, 0.025) if hits else 0.0
    high = special.betaincinv(hits + 1, sets - hits, 0.975) if hits < sets else 1.0
    return f"{100 * hits / sets:5.1f} [{100 * low:4.1f}, {100 * high:5.1f}]"


def null_table(samples: list[int], sets: int, seed: int, peers: bool) -> None:
    """Any-edge rates, one row a kind, length and share of missing values."""
    rules: dict[str, Callable[[pd.DataFrame], bool]] = {
        "lead_lag": lambda frame: len(lead_lag(frame, MAX_LAG)) > 0,
        "correlate": lambda frame: len(correlate(frame)) > 0,
    }
    if peers:
        rules |= {f"|r| > {PEER_THRESHOLD}": pearson_rule, f"max |r| > {PEER_THRESHOLD}": largest_rule}
    if peers and importlib.util.find_spec("statsmodels") is not None:
        rules["Granger"] = granger_rule
    print(f"Null data sets with any edge, percent, 95 % interval; {sets} sets of {REPOS} repos, alpha 0.05")
    print(f"{'kind':<15}{'n':>4} {'missing':>8}  " + "".join(f"{name:<22}" for name in rules))
    for n in samples:
        for number, kind in enumerate(NULL_KINDS):
            for missing in (0.0, 0.1):
                rng = np.random.default_rng([seed, n, number, int(10 * missing)])
                hits = dict.fromkeys(rules, 0)
                for _ in range(sets):
                    frame = framed(null_set(kind, n, rng), missing, rng)
                    for name, rule in rules.items():
                        hits[name] += rule(frame)
                cells = "".join(f"{interval(hits[name], sets):<22}" for name in rules)
                print(f"{kind:<15}{n:>4} {missing:>7.0%}   {cells}", flush=True)


def power_table(n: int, sets: int, seed: int) -> None:
    """Planted edges found, shortcuts called direct, edges that are neither."""
    print(f"\nPlanted edges, n = {n}, SNR 1, percent of {sets} sets; lags " + ", ".join(str(e[2]) for e in EDGES))
    print(
        f"{'kind':<28}{'missing':>8} {'found':>7} {'as direct':>10}  {'each edge':<28}"
        f"{'shortcut direct':>16}{'other':>8}"
    )
    for number, kind in enumerate(PLANTED_KINDS):
        for missing in (0.0, 0.1):
            rng = np.random.default_rng([seed, n, 100 + number, int(10 * missing)])
            found, direct = np.zeros(len(EDGES)), np.zeros(len(EDGES))
            shortcuts = other = 0
            for _ in range(sets):
                frame = framed(planted_set(kind, n, rng), missing, rng)
                edges = lead_lag(frame, MAX_LAG)
                number_of = {name: position for position, name in enumerate(frame.columns)}
                rows = {
                    (number_of[a], number_of[b]): (lag, flag)
                    for a, b, lag, flag in zip(
                        edges["leader"], edges["follower"], edges["lag"], edges["is_direct"], strict=True
                    )
                }
                for position, (leader, follower, lag) in enumerate(EDGES):
                    row = rows.pop((leader, follower), (0, False))
                    found[position] += row[0] == lag
                    direct[position] += row[0] == lag and row[1]
                for pair in SHORTCUTS:
                    shortcuts += rows.pop(pair, (0, False))[1]
                other += sum(flag for _, flag in rows.values())
            each = " ".join(f"{100 * share / sets:5.1f}" for share in direct)
            print(
                f"{kind:<28}{missing:>7.0%} {100 * found.mean() / sets:7.1f} {100 * direct.mean() / sets:10.1f}  "
                f"{each:<28}{100 * shortcuts / sets / len(SHORTCUTS):>16.1f}{other / sets:>8.2f}",
                flush=True,
            )


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--samples", type=int, nargs="*", default=[30, 90, 365])
    parser.add_argument("--only", choices=("null", "power"))
    parser.add_argument("--no-peers", action="store_true", help="null data: ours alone")
    options = parser.parse_args()
    started = time.perf_counter()
    if options.only != "power":
        null_table(options.samples, options.sets, options.seed, not options.no_peers)
    if options.only != "null":
        power_table(90, options.sets, options.seed)
    print(f"\n{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
