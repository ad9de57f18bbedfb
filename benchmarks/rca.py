"""Root causes over real incidents, this package's method beside others, and whether its confidence means something."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
import pandas as pd
from petshop_calibrate import SEED, collect, confidence_without
from petshop_dataset import DatasetError, Scenario, read_scenarios
from petshop_peers import by_anomaly_traversal, by_nsigma, by_ranked_correlation, by_robust_scorer
from petshop_score import BINS, Answer, Figures, by_own_excess, calibration_error, run, summarise
from petshop_windows import degraded_cases, renamed

from tars_lib.engines.root_causes.ranking import rank_root_causes
from tars_lib.stats.counts import wilson_interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

METHODS = {
    "own excess": by_own_excess,
    "ranked correlation": by_ranked_correlation,
    "anomaly traversal": by_anomaly_traversal,
    "N-sigma": by_nsigma,
    "robust scorer": by_robust_scorer,
}
"""The first is this package's; each ratio is to the best of the others."""


@click.command()
@click.option(
    "--dataset",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the PetShop dataset; below it low_traffic/graph.csv and so on.",
)
@click.option(
    "--only", multiple=True, type=click.Choice(list(METHODS)[1:]), help="Compare with this one alone; repeatable."
)
@click.option("--random-names", type=int, metavar="SEED", help="Replace all names by random codes, shuffle columns.")
@click.option("--cases", "show_cases", is_flag=True, help="Also a line a case.")
@click.option(
    "--reliability", is_flag=True, help="Also confidence against the share that was right, each case left out."
)
@click.option("--figure", type=click.Path(path_type=Path), help="Draw the reliability diagram into this SVG file.")
@click.option("--degraded", is_flag=True, help="Also copies of the incidents with less to go by.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of tables.")
def main(
    dataset: Path,
    only: tuple[str, ...],
    random_names: int | None,
    show_cases: bool,
    reliability: bool,
    figure: Path | None,
    degraded: bool,
    as_json: bool,
) -> None:
    """Score root causes over all incidents and healthy windows, beside methods from papers.

    Example: python benchmarks/rca.py --dataset ../shared/data/petshop --reliability
    """
    try:
        scenarios = read_scenarios(dataset)
    except DatasetError as error:
        raise click.ClickException(str(error)) from error
    if random_names is not None:
        scenarios = tuple(renamed(scenario, random_names) for scenario in scenarios)
    chosen = {"own excess", *(only or METHODS)}
    answers = {name: run(method, scenarios) for name, method in METHODS.items() if name in chosen}
    figures = {name: summarise(*both) for name, both in answers.items()}
    cases = answers["own excess"][0]
    if as_json:
        document = {name.replace(" ", "_"): asdict(one) for name, one in figures.items()}
        click.echo(json.dumps({**document, "cases": [asdict(case) for case in cases]}, indent=1, sort_keys=True))
        return
    click.echo(summary_table(figures))
    click.echo()
    click.echo(fault_table(cases))
    if show_cases:
        other = list(answers)[1]
        click.echo()
        click.echo(case_table(cases, other, answers[other][0]))
    if degraded:
        click.echo()
        click.echo(degraded_table(scenarios))
    if reliability or figure is not None:
        rows = collect(scenarios)
        intact = rows.is_intact
        stated = {
            "each case left out": confidence_without(rows, rows.case)[intact],
            "each fault left out": confidence_without(rows, rows.fault)[intact],
        }
        click.echo()
        click.echo(reliability_table(stated, rows.y[intact]))
        if figure is not None:
            draw(stated["each case left out"], rows.y[intact], figure)
            click.echo(figure)


def summary_table(figures: Mapping[str, Figures]) -> str:
    """Each figure of each method, and the ratio of ours to the best of the others (of seconds: to the fastest)."""
    ours, *others = figures.values()
    rows = [
        ("true cause first (top-1)", "top1", max),
        ("true cause among the first three", "top3", max),
        ("healthy windows without a cause", "quiet", max),
        ("seconds a case, median", "median_s", min),
        ("seconds a case, largest", "max_s", min),
    ]
    lines = [
        f"{ours.cases} incidents, {ours.healthy} healthy windows",
        "",
        "| | " + " | ".join(figures) + " | ratio to the best other |",
        "|---|" + "---:|" * (len(figures) + 1),
    ]
    for name, field, best in rows:
        values = [getattr(one, field) for one in figures.values()]
        rival = best(values[1:])
        ratio = f"{values[0] / rival:.2f}" if rival > 0.0 else "-"
        lines.append(f"| {name} | " + " | ".join(f"{value:.3f}" for value in values) + f" | {ratio} |")
    if ours.calibration_error is not None:
        lines.append(f"| expected calibration error | {ours.calibration_error:.3f} |" + " - |" * (len(others) + 1))
    low, high = wilson_interval(round(ours.top1 * ours.cases), ours.cases)
    quiet_low, quiet_high = wilson_interval(round(ours.quiet * ours.healthy), ours.healthy)
    lines += [
        "",
        f"95 % Wilson intervals of ours: top-1 {low:.2f} to {high:.2f}, quiet {quiet_low:.2f} to {quiet_high:.2f}.",
    ]
    return "\n".join(lines)


def degraded_table(scenarios: Sequence[Scenario]) -> str:
    """How often the true cause comes first, another does, or none is named, by what was taken away."""
    counts: dict[str, list[int]] = {}
    for scenario in scenarios:
        for missing, case, baseline, graph in degraded_cases(scenario, SEED):
            began = case.started_at if pd.notna(case.started_at) else None
            named = rank_root_causes(case.frame, baseline, case.target, graph, began)["repo"].tolist()
            tally = counts.setdefault(missing, [0, 0, 0])
            tally[2 if not named else 0 if named[0] == case.cause else 1] += 1
    lines = ["| with less to go by | cases | cause first | another first | none named |", "|---|---:|---:|---:|---:|"]
    lines += [
        f"| {missing} | {sum(tally)} | " + " | ".join(map(str, tally)) + " |" for missing, tally in counts.items()
    ]
    return "\n".join(lines)


def fault_table(cases: Sequence[Answer]) -> str:
    """Top-1 by fault: nothing in the ranking is fitted, so the ranking is the same with any fault left out."""
    kinds = sorted({(case.cause, case.target) for case in cases})
    lines = ["| fault (cause, target metric) | cases | top-1 |", "|---|---:|---:|"]
    for cause, target in kinds:
        ranks = [case.rank for case in cases if (case.cause, case.target) == (cause, target)]
        lines.append(f"| {cause}, {target} | {len(ranks)} | {sum(r == 1 for r in ranks) / len(ranks):.2f} |")
    faults = sorted({case.cause for case in cases})
    means = [np.mean([case.rank == 1 for case in cases if case.cause == fault]) for fault in faults]
    lines.append(f"| mean over {len(faults)} faults, each weighing the same | {len(cases)} | {np.mean(means):.2f} |")
    return "\n".join(lines)


def case_table(cases: Sequence[Answer], other: str, peer: Sequence[Answer]) -> str:
    """One line a case: rank of the true cause, with another method's, and what was named first."""
    lines = [
        f"| case | target | rank | {other} | confidence | ms | named first |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for case, rival in zip(cases, peer, strict=True):
        first = f"{case.confidence[0]:.2f}" if case.ranked else "-"
        lines.append(
            f"| {case.issue} | {case.target} | {case.rank or '-'} | {rival.rank or '-'} | {first} | "
            f"{1e3 * case.seconds:.0f} | {case.ranked[0] if case.ranked else '(none)'} |"
        )
    return "\n".join(lines)


def bins(confidence: np.ndarray, right: np.ndarray) -> list[tuple[float, float, int, float, float, float]]:
    """Reliability diagram in numbers: mean confidence, share right, causes, interval of the share, lower edge."""
    chosen = np.minimum((confidence * BINS).astype(int), BINS - 1)
    rows = []
    for b in range(BINS):
        inside = chosen == b
        if inside.any():
            n, k = int(inside.sum()), int(right[inside].sum())
            rows.append((float(confidence[inside].mean()), k / n, n, *wilson_interval(k, n), b / BINS))
    return rows


def reliability_table(stated: Mapping[str, np.ndarray], right: np.ndarray) -> str:
    """Share right by confidence, and the expected calibration error of each way of leaving out."""
    lines = []
    for name, confidence in stated.items():
        error = calibration_error(list(zip(confidence.tolist(), (right > 0).tolist(), strict=True)))
        lines += [
            f"{name}: {len(right)} causes listed for intact incidents and healthy windows, "
            f"expected calibration error {error:.3f}",
            "",
            "| confidence | causes | mean confidence | share right | 95 % interval |",
            "|---|---:|---:|---:|---|",
        ]
        lines += [
            f"| {edge:.1f} to {edge + 1 / BINS:.1f} | {n} | {mean:.2f} | {share:.2f} | {low:.2f} to {high:.2f} |"
            for mean, share, n, low, high, edge in bins(confidence, right)
        ]
        lines.append("")
    return "\n".join(lines).rstrip()


def draw(confidence: np.ndarray, right: np.ndarray, path: Path) -> None:
    """Draw the reliability diagram: share right over mean confidence with its interval, and the diagonal."""
    from matplotlib.figure import Figure

    from tars_lib.figures.style.theme import INK, MUTED, SERIES, render, themed

    rows = bins(confidence, right)
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


if __name__ == "__main__":
    main()
