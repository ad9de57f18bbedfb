"""Fits the confidence of `rank_root_causes`, and says what it is worth on applications that the fit did not see.

The causes listed are those for the PetShop incidents and for simulated applications in four kinds of telemetry, as they are
and in the ways of `stress_rows`, with healthy windows. Each application and each way weighs the same. Other simulated
applications are asked in the same way and take no part in the fit.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from petshop_score import BINS, calibration_error
from scipy import optimize, special
from simulated import FURTHER
from simulated_application import FAULTS
from simulated_views import VIEWS
from stress import SURE, answer, of_petshop, of_simulation
from stress_rows import ROWS, Asked

from tars_lib.engines.root_causes.confidence import WEIGHTS, features
from tars_lib.stats.counts import wilson_interval

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from petshop_dataset import Scenario

RIDGE = 1.0
"""Penalty on the squared weights but the constant; judgement, weak against hundreds of rows."""

FITTED, UNSEEN = (77, 12), (83, 8)
"""Seed, and incidents of each fault and kind of telemetry: of the simulated applications that take part in the fit, and of
those that do not; no rule was chosen on the latter."""

SIMULATED = ("as simulated", "quantiles", "client views", "at the caller")

ALWAYS = ("as they are", "cause unknown to the graph too")
"""Rows in which every simulated incident is asked; of the others `DRAWN` are drawn for each. Healthy ones are asked as they
are."""

DRAWN = 5

LISTED = 3
"""Causes of each answer that take part: what comes later is next to nothing."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """One row a listed cause: features, the most confidence that is left to it, whether it was right, its weight.

    `is_first` tells the first of an incident; `incidents` is the weight of all incidents asked, with those without an answer.
    """

    x: Floats
    most: Floats
    y: Floats
    weight: Floats
    is_first: NDArray[np.bool_]
    incidents: float

    def confidence(self, weights: Floats) -> Floats:
        """Confidence by other weights, with what nothing tells apart shared as before."""
        return np.asarray(np.minimum(special.expit(self.x @ weights), self.most))


def petshop_questions(scenarios: Sequence[Scenario]) -> Iterator[tuple[str, str, Asked]]:
    """Application, row and question: incidents and healthy windows in every row."""
    for one in of_petshop(tuple(scenarios)):
        for row in ROWS:
            yield "PetShop", row, one


def simulated_questions(seed: int, sets: int) -> Iterator[tuple[str, str, Asked]]:
    """The same of simulated applications, each incident in some of the rows."""
    others = [row for row in ROWS if row not in ALWAYS]
    for view in SIMULATED:
        faults = (*FAULTS, *FURTHER)
        rng = np.random.default_rng(seed)
        # other applications in each view
        for one in of_simulation(VIEWS[view], faults, sets, seed + zlib.crc32(view.encode()) % 50):
            drawn = rng.permutation(others)[:DRAWN].tolist() if one.case.cause else []
            for row in (*ALWAYS, *drawn) if one.case.cause else ALWAYS[:1]:
                yield view, row, one


def collect(questions: Iterable[tuple[str, str, Asked]]) -> Rows:
    """Ask all of them."""
    parts: list[tuple[Floats, Floats, Floats, tuple[str, str], bool]] = []
    asked: Counter[tuple[str, str]] = Counter()
    for application, row, one in questions:
        if not ROWS[row].is_measured and one.culprit == one.case.target[0]:
            continue
        changed = ROWS[row].change(one)
        if changed is None:
            continue
        is_incident = bool(one.case.cause)
        asked[application, row] += is_incident
        causes = answer(changed)
        if causes.empty or not causes["contribution"].any():
            continue
        causes = causes.head(LISTED)
        calls = changed.has_graph and changed.graph.out_degree(one.case.target[0])
        x = features(
            causes["contribution"].to_numpy(),
            causes.attrs["chance"],
            ((causes["repo"] == one.case.target[0]) & bool(calls)).to_numpy(),
            has_calls=changed.has_graph,
        )
        stated = causes["confidence"].to_numpy()
        most = np.where(stated < special.expit(x @ np.array(WEIGHTS)) - 1e-9, stated, 1.0)
        names = np.array(changed.names(causes["repo"]))
        parts.append((x, most, (names == one.case.cause).astype(float), (application, row), is_incident))
    sizes = [len(part[2]) for part in parts]
    weight = np.repeat([1.0 / asked[part[3]] for part in parts], sizes)
    starts = np.zeros(sum(sizes), dtype=np.bool_)
    starts[np.cumsum([0, *sizes[:-1]])] = True
    return Rows(
        x=np.concatenate([part[0] for part in parts]),
        most=np.concatenate([part[1] for part in parts]),
        y=np.concatenate([part[2] for part in parts]),
        weight=weight,
        is_first=starts & np.repeat([part[4] for part in parts], sizes),
        incidents=float(sum(1.0 for count in asked.values() if count)),
    )


def fit(*rows: Rows) -> Floats:
    """Weights of the logistic regression with a ridge on all but the constant."""
    x, y, weight = (np.concatenate([getattr(one, name) for one in rows]) for name in ("x", "y", "weight"))
    weight = weight / weight.mean()

    def loss(w: Floats) -> tuple[float, Floats]:
        z = x @ w
        penalty = np.r_[0.0, w[1:]]
        value = float(np.sum(weight * (np.logaddexp(0.0, z) - y * z)) + 0.5 * RIDGE * penalty @ penalty)
        return value, x.T @ (weight * (special.expit(z) - y)) + RIDGE * penalty

    result = optimize.minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B")
    weights: Floats = result.x
    return weights


def report(real: Rows, fitted: Rows, unseen: Rows, figure: Path | None) -> str:
    """Weights to copy into the engine, and how well they hold on applications that the fit has not seen."""
    weights = fit(real, fitted)
    lines = [
        f"WEIGHTS = ({', '.join(f'{w:.2f}' for w in weights)})",
        "",
        "| fitted on | asked of | first answers | calibration error | 0.8 or more | of these right | sure and wrong |",
        "|---|---|---:|---:|---:|---:|---:|",
        _line("PetShop and some simulated", "others", unseen, weights),
        _line("PetShop alone", "others", unseen, fit(real)),
        _line("some simulated", "PetShop", real, fit(fitted)),
        "",
        "First causes of simulated applications that the fit did not see:",
        "",
        "| confidence | causes | mean confidence | share right | 95 % interval |",
        "|---|---:|---:|---:|---|",
    ]
    table = bins(unseen.confidence(weights)[unseen.is_first], unseen.y[unseen.is_first])
    lines += [
        f"| {edge:.1f} to {edge + 1 / BINS:.1f} | {n} | {mean:.2f} | {share:.2f} | {low:.2f} to {high:.2f} |"
        for mean, share, n, low, high, edge in table
    ]
    if figure is not None:
        draw(table, figure)
    return "\n".join(lines)


def _line(seen: str, of: str, rows: Rows, weights: Floats) -> str:
    """Figures over first answers; shares weigh each row of `stress_rows` the same, the error each answer."""
    first = rows.is_first
    confidence, y, weight = rows.confidence(weights)[first], rows.y[first], rows.weight[first]
    sure = confidence >= SURE
    error = calibration_error(list(zip(confidence.tolist(), (y > 0).tolist(), strict=True)))
    right = float((weight * y)[sure].sum() / weight[sure].sum())
    wrong = float((weight * (1.0 - y))[sure].sum() / rows.incidents)
    return f"| {seen} | {of} | {len(y)} | {error:.3f} | {int(sure.sum())} | {right:.2f} | {wrong:.3f} |"


def bins(confidence: Floats, right: Floats) -> list[tuple[float, float, int, float, float, float]]:
    """Reliability diagram in numbers: mean confidence, share right, causes, interval of the share, lower edge."""
    chosen = np.minimum((confidence * BINS).astype(int), BINS - 1)
    rows = []
    for b in range(BINS):
        inside = chosen == b
        if inside.any():
            n, k = int(inside.sum()), int(right[inside].sum())
            rows.append((float(confidence[inside].mean()), k / n, n, *wilson_interval(k, n), b / BINS))
    return rows


def draw(rows: Sequence[tuple[float, float, int, float, float, float]], path: Path) -> None:
    """Draw the reliability diagram: share right over mean confidence with its interval, and the diagonal."""
    from matplotlib.figure import Figure

    from tars_lib.figures.style.theme import INK, MUTED, SERIES, render, themed

    with themed():
        figure = Figure(figsize=(4.6, 3.6), layout="constrained")
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=MUTED, linestyle=(0, (4, 3)), linewidth=1.0)
        axes.text(0.24, 0.30, "right as often as stated", color=MUTED, rotation=34, fontsize=7.5, ha="center")
        x, y = [row[0] for row in rows], [row[1] for row in rows]
        below = [row[1] - row[3] for row in rows]
        above = [row[4] - row[1] for row in rows]
        axes.errorbar(x, y, yerr=[below, above], fmt="o", color=SERIES[0], ecolor=SERIES[0], capsize=3)
        for row in rows:
            is_low = row[3] < 0.1
            where, gap, align = (row[:2], (10, -3), "left") if is_low else ((row[0], row[3]), (0, -11), "center")
            words = "1 cause" if row[2] == 1 else f"{row[2]} causes"
            axes.annotate(words, where, gap, textcoords="offset points", ha=align, fontsize=7.5, color=INK)
        axes.set(xlim=(-0.03, 1.05), ylim=(-0.03, 1.05), xlabel="confidence stated", ylabel="share that was right")
        axes.set_title("What the confidence of a root cause is worth")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(render(figure)[0])
