"""Root causes over real incidents, this package's method beside others."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from petshop_dataset import DatasetError, read_scenarios
from petshop_peers import by_anomaly_traversal, by_nsigma, by_ranked_correlation, by_robust_scorer
from petshop_score import Answer, Figures, by_own_excess, run, summarise
from petshop_windows import renamed

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
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of tables.")
def main(
    dataset: Path,
    only: tuple[str, ...],
    random_names: int | None,
    show_cases: bool,
    as_json: bool,
) -> None:
    """Score root causes over all incidents and healthy windows, beside methods from papers.

    Example: python benchmarks/rca.py --dataset ../shared/data/petshop
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


if __name__ == "__main__":
    main()
