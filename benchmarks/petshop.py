"""Real incidents: turns one into an org-health root, and scores root causes over all of them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from petshop_calibrate import collect
from petshop_calibrate import report as calibration_report
from petshop_dataset import DatasetError, read_scenarios
from petshop_export import export as write_root
from petshop_score import Answer, Figures, by_own_excess, by_ranked_correlation, run, summarise
from petshop_windows import renamed

if TYPE_CHECKING:
    from collections.abc import Sequence

DATASET = click.option(
    "--dataset",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the dataset; below it low_traffic/graph.csv and so on.",
)


@click.group(help=__doc__)
def main() -> None:
    """Entry point."""


@main.command()
@DATASET
@click.option("--issue", required=True, help="Folder of the incident, as in low_traffic/test/issue_4.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="New or empty folder to write.")
def export(dataset: Path, issue: str, out: Path) -> None:
    """Write one incident as an org-health root.

    The baseline, recorded months later, is moved in time to end right before the incident.

    Example: python benchmarks/petshop.py export --dataset ../shared/data/petshop --issue
    low_traffic/test/issue_4 --out /tmp/petshop
    """
    try:
        write_root(dataset, issue, out)
    except DatasetError as error:
        raise click.ClickException(str(error)) from error
    click.echo(out)


@main.command()
@DATASET
@click.option("--random-names", type=int, metavar="SEED", help="Replace all names by random codes, shuffle columns.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of tables.")
def score(dataset: Path, random_names: int | None, as_json: bool) -> None:
    """Score root causes over all incidents, beside ranked correlation.

    Example: python benchmarks/petshop.py score --dataset ../shared/data/petshop
    """
    try:
        scenarios = read_scenarios(dataset)
    except DatasetError as error:
        raise click.ClickException(str(error)) from error
    if random_names is not None:
        scenarios = tuple(renamed(scenario, random_names) for scenario in scenarios)
    cases, healthy = run(by_own_excess, scenarios)
    peer_cases, peer_healthy = run(by_ranked_correlation, scenarios)
    ours, peer = summarise(cases, healthy), summarise(peer_cases, peer_healthy)
    if as_json:
        document = {
            "own_excess": asdict(ours),
            "ranked_correlation": asdict(peer),
            "cases": [asdict(c) for c in cases],
        }
        click.echo(json.dumps(document, indent=1, sort_keys=True))
        return
    click.echo(case_table(cases, peer_cases))
    click.echo()
    click.echo(summary_table(ours, peer))
    click.echo()
    click.echo(fault_table(cases))


@main.command()
@DATASET
def calibrate(dataset: Path) -> None:
    """Fit the confidence anew and print the weights that tars_lib/engines/rootcause_confidence.py holds.

    Example: python benchmarks/petshop.py calibrate --dataset ../shared/data/petshop
    """
    click.echo(calibration_report(collect(read_scenarios(dataset))))


def case_table(cases: Sequence[Answer], peer: Sequence[Answer]) -> str:
    """One line a case."""
    width = max(len(case.issue) for case in cases)
    lines = [f"{'case':{width}s}  target        rank  peer  confidence      ms  named first"]
    for case, other in zip(cases, peer, strict=True):
        first = f"{case.confidence[0]:10.2f}" if case.ranked else f"{'-':>10s}"
        lines.append(
            f"{case.issue:{width}s}  {case.target:12s}  "
            f"{case.rank or '-':>4}  {other.rank or '-':>4}  {first}  "
            f"{1e3 * case.seconds:6.1f}  {case.ranked[0] if case.ranked else '(none)'}"
        )
    return "\n".join(lines)


def summary_table(ours: Figures, peer: Figures) -> str:
    """Each figure with the peer's and the ratio of the two."""
    rows = [
        ("true cause first (top-1)", ours.top1, peer.top1),
        ("true cause in the first three", ours.top3, peer.top3),
        ("healthy windows without a cause", ours.quiet, peer.quiet),
        ("seconds a case, median", ours.median_s, peer.median_s),
        ("seconds a case, largest", ours.max_s, peer.max_s),
    ]
    lines = [f"{ours.cases} cases, {ours.healthy} healthy windows        own excess  ranked correlation   ratio"]
    lines += [f"{name:38s}  {a:10.3f}  {b:18.3f}  {_ratio(a, b):>6s}" for name, a, b in rows]
    if ours.calibration_error is not None:
        lines.append(f"{'expected calibration error':38s}  {ours.calibration_error:10.3f}  {'-':>18s}  {'-':>6s}")
    return "\n".join(lines)


def fault_table(cases: Sequence[Answer]) -> str:
    """Top-1 for each kind of fault: nothing in the ranking is fitted, so each is also a figure on an unseen
    fault.
    """
    kinds = sorted({(case.cause, case.target) for case in cases})
    lines = ["fault (cause, target metric)                               cases  top-1"]
    for cause, target in kinds:
        ranks = [case.rank for case in cases if (case.cause, case.target) == (cause, target)]
        lines.append(f"{cause + ', ' + target:58.58s} {len(ranks):5d}  {sum(r == 1 for r in ranks) / len(ranks):5.2f}")
    return "\n".join(lines)


def _ratio(a: float, b: float) -> str:
    return f"{a / b:.2f}" if b > 0.0 else "-"


if __name__ == "__main__":
    main()
