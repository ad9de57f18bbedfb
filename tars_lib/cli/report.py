"""`tars report`: from a run directory to an executed notebook, HTML and PDF."""

from __future__ import annotations

from pathlib import Path

import click

from tars_lib.cli.shell import REPORT, expand, guarded, logging_options


@click.command(epilog="Example: tars report incident_report --run ./reports/runs/tars-run-20260105-143000")
@click.argument("notebook")
@click.option(
    "--run", "run_pattern", required=True, metavar="RUN_DIR", help="Run directory; a glob means the newest match."
)
@click.option("--incident", metavar="ID", help="Incident id that the report belongs to.")
@click.option("--output", type=click.Path(path_type=Path), help="Where to write; default outputs/<run>/.")
@click.option(
    "--format",
    "formats",
    default="html,pdf",
    show_default=True,
    help="What to export: html, pdf or both, comma separated.",
)
@logging_options
@guarded(REPORT)
def report(
    notebook: str,
    run_pattern: str,
    incident: str | None,
    output: Path | None,
    formats: str,
    verbose: bool,
    quiet: bool,
) -> int:
    """Execute NOTEBOOK (such as incident_report) on a run and export it.

    The executed notebook, the HTML page and the PDF stand in the output folder; their paths are printed. A notebook that
    fails is kept for the analyst and never exported; the code is then 1.
    """
    wanted = tuple(part.strip().lower() for part in formats.split(",") if part.strip())
    strange = [part for part in wanted if part not in ("html", "pdf")]
    if strange or not wanted:
        raise click.BadParameter(f"{formats!r}; allowed: html, pdf or html,pdf", param_hint="--format")
    from tars_lib.pipeline import write_report

    run = expand([run_pattern], "a run directory")
    parameters = {} if incident is None else {"incident_id": incident}
    written = write_report(notebook, run, output, wanted, parameters=parameters)
    for path in written.values():
        if not quiet:
            click.echo(path)
    return 0
