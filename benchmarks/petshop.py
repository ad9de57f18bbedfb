"""Real incidents: turns one into an org-health root, and fits the confidence of root causes."""

from __future__ import annotations

from pathlib import Path

import click
from petshop_calibrate import FITTED, UNSEEN, collect, petshop_questions, simulated_questions
from petshop_calibrate import report as calibration_report
from petshop_dataset import DatasetError, read_scenarios
from petshop_export import export as write_root

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
@click.option("--figure", type=click.Path(path_type=Path), help="Draw the reliability diagram into this SVG file.")
def calibrate(dataset: Path, figure: Path | None) -> None:
    """Fit the confidence anew and print the weights that tars_lib/engines/root_causes/confidence.py holds.

    About six minutes on an idle core.

    Example: python benchmarks/petshop.py calibrate --dataset ../shared/data/petshop
    """
    real = collect(petshop_questions(read_scenarios(dataset)))
    fitted, unseen = (collect(simulated_questions(*which)) for which in (FITTED, UNSEEN))
    click.echo(calibration_report(real, fitted, unseen, figure))


if __name__ == "__main__":
    main()
