"""Is what was planted found, and in the right order? Propagation paths, leaders and clusters, with 95 % intervals.

Organisations with one sample of health a day. *Cascade*: ledger, payments and checkout, of 12 repos, fall one sample after the
other, six samples before the end (noise 2.3 points with a memory of 0.5). *Together*: several fall in one sample. *Leads*: a
follows b over the whole course, noise as strong as the signal. *Cluster*: four of 12 repos share half of their noise and a
database and fall together; a team and a network are shared by others, too. *Calm*: columns in which nothing happens.

Usage: python benchmarks/planted.py [--sets 30] [--only cascade together leads cluster calm]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.relations.deviation import deviation
from tars_lib.model.history import DAY, History, to_micros
from tars_lib.model.names import Dependency, LeadEvidence, Repo, TemporalAnomalyType
from tars_lib.model.organisation import OrgData
from tars_lib.model.times import read_time
from tars_lib.pipeline import analyze
from tars_lib.stats.changes.break_points import lasting_breaks
from tars_lib.stats.counts import wilson_interval
from tars_lib.stats.series.prewhitening import whitened_panel

Floats = NDArray[np.float64]

REPOS = 12
CASCADE = ("ledger", "payments", "checkout")
CALLS = (("payments", "ledger"), ("checkout", "payments"), ("checkout", "z2"), ("z0", "z1"))
BACK = 6
ALPHA = 0.01


def noise(rows: int, columns: int, rng: np.random.Generator, phi: float = 0.0) -> Floats:
    """Columns of AR(1) noise, stationary below phi 1, with shocks of variance one."""
    shocks = rng.standard_normal((rows + 200, columns))
    out = np.zeros_like(shocks)
    for row in range(1, len(out)):
        out[row] = phi * out[row - 1] + shocks[row]
    return out[-rows:]


def organisation(scores: Mapping[str, Floats], repos: Mapping[str, Repo], calls: Sequence[tuple[str, str]]) -> OrgData:
    """An organisation from one column of health a repo."""
    names = tuple(sorted(scores))
    rows = len(scores[names[0]])
    times = to_micros(read_time("2026-01-01T00:00:00Z", "benchmark")) + DAY * np.arange(rows, dtype=np.int64)
    history = History(
        names,
        ("health_score",),
        np.tile(times, len(names)),
        np.concatenate([np.clip(scores[name], 0.0, 100.0) for name in names]),
        rows * np.arange(len(names) + 1, dtype=np.int64),
    )
    described = tuple(repos.get(name, Repo(name, name)) for name in names)
    return OrgData("Planted", described, history, dependencies=tuple(Dependency(*call) for call in calls))


def cascade(rows: int, size: float, seed: int, *, is_declared: bool) -> OrgData:
    """Three repos fall one after the other."""
    values = 85.0 + 2.0 * noise(rows, REPOS, np.random.default_rng([seed, rows]), 0.5)
    names = [*CASCADE, *(f"z{n}" for n in range(REPOS - len(CASCADE)))]
    scores = {}
    for column, name in enumerate(names):
        scores[name] = values[:, column]
        if name in CASCADE:
            scores[name][rows - BACK + column :] -= size
    facing = {"checkout": Repo("checkout", "checkout", customer_facing=True)}
    return organisation(scores, facing, CALLS if is_declared else ())


def together(repos: int, of: int, seed: int) -> OrgData:
    """Several fall in the same sample, nine points in noise of one."""
    values = 70.0 + noise(100, of, np.random.default_rng([seed, repos, of]))
    values[-BACK:, :repos] -= 9.0
    return organisation({f"r{n:03d}": values[:, n] for n in range(of)}, {}, ())


def leads(seed: int) -> OrgData:
    """r000 leads r001 by three samples and that r002 by two, over all of 90 samples."""
    rng = np.random.default_rng(seed)
    values = noise(150, 10, rng, 0.5)
    for leader, follower, lag in ((0, 1, 3), (1, 2, 2)):
        values[lag:, follower] = values[:-lag, leader] + values[:, leader].std() * rng.standard_normal(150 - lag)
    return organisation({f"r{n:03d}": 70.0 + values[-90:, n] for n in range(10)}, {}, ())


def cluster(seed: int) -> OrgData:
    """Four repos share noise and a database and fall by seven standard deviations."""
    rng = np.random.default_rng(seed)
    own, shared = noise(90, REPOS, rng), noise(90, 1, rng)
    scores, repos = {}, {}
    for n in range(REPOS):
        is_member = n % 3 == 0
        name = f"r{n:03d}"
        value = 0.63 * own[:, n] + 0.77 * shared[:, 0] if is_member else own[:, n]
        scores[name] = 80.0 + 2.0 * value
        if is_member:
            scores[name][-BACK:] -= 14.0
        infrastructure = ("network", "orders-db") if is_member else ("network",)
        repos[name] = Repo(name, name, team=("red", "blue")[n % 2], shares=infrastructure)
    return organisation(scores, repos, ())


def share(found: int, sets: int) -> str:
    """A share in percent with its 95 % Wilson interval."""
    low, high = wilson_interval(found, sets)
    return f"{100 * found / sets:.0f} % ({100 * low:.0f} to {100 * high:.0f})"


def print_cascade(sets: int) -> None:
    """Print how often the path, its code and its leader are found."""
    print("| fall, points | samples | dependencies | active path in this order | code 132 | ledger named as leader |")
    print("|---:|---:|---|---:|---:|---:|")
    for size in (25.0, 10.0):
        for rows in (30, 60, 90, 180):
            for is_declared in (True, False):
                path = code = leader = 0
                for seed in range(sets):
                    report = analyze(cascade(rows, size, seed, is_declared=is_declared)).temporal
                    path += any(one.path == CASCADE and one.is_active for one in report.propagation_paths)
                    code += report.exit_code == 132
                    leader += any(one.leader == "ledger" and one.follower in CASCADE for one in report.lead_lag)
                cells = " | ".join(share(found, sets) for found in (path, code, leader))
                print(f"| {size:.0f} | {rows} | {'declared' if is_declared else 'none'} | {cells} |", flush=True)


def print_together(sets: int) -> None:
    """Print how often an order is invented where there is none."""
    print("| fell in one sample | a lead among them | said to be synchronised | one cluster of just these |")
    print("|---|---:|---:|---:|")
    for repos, of in ((3, 30), (17, 50)):
        invented = named = joined = 0
        members = {f"r{n:03d}" for n in range(repos)}
        for seed in range(sets):
            analysis = analyze(together(repos, of, seed))
            invented += any({one.leader, one.follower} <= members for one in analysis.temporal.lead_lag)
            anomalies = analysis.temporal.temporal_anomalies
            named += any(one.type is TemporalAnomalyType.SYNCHRONISED_LAG for one in anomalies)
            joined += any(set(one.repos) == members for one in analysis.correlation.clusters)
        cells = " | ".join(share(found, sets) for found in (invented, named, joined))
        print(f"| {repos} of {of} | {cells} |", flush=True)


def print_leads(sets: int) -> None:
    """Print how often leads over the whole course make the right path, and no shortcut."""
    right = shortcut = 0
    for seed in range(sets):
        report = analyze(leads(seed)).temporal
        right += any(one.path == ("r000", "r001", "r002") and one.total_lag == 5 for one in report.propagation_paths)
        shortcut += any(
            (one.leader, one.follower) == ("r000", "r002") and one.is_direct and one.evidence is LeadEvidence.LEAD_LAG
            for one in report.lead_lag
        )
    print("| leads over 90 samples, SNR 1 | path with both lags | shortcut called direct |")
    print("|---|---:|---:|")
    print(f"| r000, r001, r002 | {share(right, sets)} | {share(shortcut, sets)} |")


def print_cluster(sets: int) -> None:
    """Print how often a cluster is exactly what fell, and what it is said to share."""
    exact = anomalous = first = others = 0
    members = {f"r{n:03d}" for n in range(0, REPOS, 3)}
    for seed in range(sets):
        mine = [one for one in analyze(cluster(seed)).correlation.clusters if set(one.repos) & members]
        is_exact = len(mine) == 1 and set(mine[0].repos) == members
        exact += is_exact
        if is_exact:
            factors = [factor.factor for factor in mine[0].common_factors]
            anomalous += mine[0].is_anomalous
            first += bool(factors) and "orders-db" in factors[0]
            others += any("network" in factor or factor in ("red", "blue") for factor in factors)
    print(
        "| four of 12 fell | cluster of exactly these | of these anomalous | database first | team or network named |"
    )
    print("|---|---:|---:|---:|---:|")
    of = max(exact, 1)
    print(f"| | {share(exact, sets)} | {share(anomalous, of)} | {share(first, of)} | {share(others, of)} |")


def print_calm(sets: int) -> None:
    """Print how often a calm column shows a change, or an anomalous present."""
    kinds: dict[str, Callable[[int, np.random.Generator], Floats]] = {
        "white noise": lambda rows, rng: noise(rows, 10, rng),
        "AR(1) 0.9": lambda rows, rng: noise(rows, 10, rng, 0.9),
        "random walk": lambda rows, rng: noise(rows, 10, rng, 1.0),
        "lognormal": lambda rows, rng: np.exp(noise(rows, 10, rng)),
    }
    print(
        f"| {10 * sets} calm columns | samples | a lasting change, nominal {ALPHA:.0%} "
        f"| the present anomalous, nominal {ALPHA:.0%} |"
    )
    print("|---|---:|---:|---:|")
    for kind, draw in kinds.items():
        for rows in (30, 90, 180):
            changed = now = 0
            for seed in range(sets):
                values = draw(rows, np.random.default_rng([seed, rows]))
                panel = whitened_panel(values)
                changed += len({one.column for one in lasting_breaks(values, panel.phi, panel.basis, ALPHA)})
                now += sum(deviation(column).is_anomalous for column in values.T)
            cells = f"{share(changed, 10 * sets)} | {share(now, 10 * sets)}"
            print(f"| {kind} | {rows} | {cells} |", flush=True)


TABLES = {
    "cascade": print_cascade,
    "together": print_together,
    "leads": print_leads,
    "cluster": print_cluster,
    "calm": print_calm,
}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=30, help="data sets of each kind; default %(default)s")
    parser.add_argument("--only", nargs="+", choices=TABLES, default=list(TABLES), help="default: all")
    given = parser.parse_args()
    for name in given.only:
        TABLES[name](given.sets)
        print()


if __name__ == "__main__":
    main()
