"""`tars package`: what leadership is handed of a run, in one folder."""

from __future__ import annotations

from pathlib import Path

import click

from tars_lib.cli.shared.options import PATH, incidents_option
from tars_lib.cli.shared.shell import REPORT, expand, guarded, progress
from tars_lib.errors import InputError


@click.command(epilog="Example: tars package --run ./reports/runs/tars-run-20260105-143000 --incident INC-202601051430")
@click.option(
    "--run", "run_dir", required=True, metavar="RUN_DIR", help="Run directory; a glob means the newest match."
)
@click.option(
    "--incident",
    metavar="ID",
    help="Incident that it belongs to; where the register has it, its response is packed too.",
)
@incidents_option
@click.option(
    "--output",
    type=PATH,
    help="The package's folder; default release/leadership/<run>. An earlier package there is replaced.",
)
@click.option("--workers", type=click.IntRange(1, 16), default=2, show_default=True, help="Notebooks run at once.")
@guarded(REPORT)
def package(
    run_dir: str, incident: str | None, incidents_dir: Path | None, output: Path | None, workers: int, quiet: bool
) -> int:
    """Pack a run for leadership: executive summary and full report as PDF and HTML, figures, numbers, one index page.

    Everything in the folder comes from the one run. It appears whole or not at all: if a report fails, nothing is
    left and the code is 1. The numbers are unrounded, in CSV files without formulas.
    """
    from tars_lib.leadership.package import INDEX_FILE, PackageRequest, reports_for, write_package
    from tars_lib.workbook.parameters.checks import incident_id

    try:
        run = expand([run_dir], "a run directory that `tars run` wrote")
    except InputError as error:
        raise InputError(f"--run: {error}") from error
    request = PackageRequest(run, incident_id(incident or ""), incidents_dir)
    with progress(len(reports_for(request)) + 1, "report", quiet=quiet) as begin:
        begin("started")
        folder = write_package(request, output, workers=workers, on_done=begin)
    if not quiet:
        click.echo(folder / INDEX_FILE)
    return 0
