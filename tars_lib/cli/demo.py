"""`tars demo`: the main job on the organisation that ships with the package."""

from __future__ import annotations

import os
import shlex
from datetime import timedelta
from pathlib import Path

import click

from tars_lib.cli.shared.options import PATH
from tars_lib.cli.shared.screen import paragraph, say
from tars_lib.cli.shared.shell import PIPELINE, guarded, progress
from tars_lib.cli.shared.verdict import next_lines, scorecard_lines, state_lines
from tars_lib.engines.steps import STEPS

READ_AFTER = timedelta(minutes=30)
"""When the demo's pages are read, after its last sample; judgement: as soon as somebody would."""


@click.command(epilog="Example: tars demo --output ./outputs/demo")
@click.option(
    "--output",
    default=Path("outputs/demo"),
    show_default=True,
    type=PATH,
    help="Where org-health folder, run and report are written.",
)
@guarded(PIPELINE)
def demo(output: Path, quiet: bool) -> int:
    """Run the main job on a small synthetic organisation with a planted incident.

    Copies the demo organisation to OUTPUT/org-health, checks it and writes the incident report. Returns 0 on success,
    although the demo has an SLA breach (142 from `tars run`).
    """
    from tars_lib.engines.queries.incident_state import incident_state
    from tars_lib.model.history import from_micros
    from tars_lib.pipeline import analyze, write_report, write_run
    from tars_lib.pipeline.loading import load_org
    from tars_lib.sources.demo import copy_demo

    with progress(len(STEPS) + 3, "step", quiet=quiet) as begin:
        begin("copying the demo organisation")
        root = copy_demo(output / "org-health")
        begin("reading")
        org = load_org(root)
        # judged at its own end and told as on the day of its incident, whatever the clock of the machine says
        end = from_micros(org.history.end or 0)
        os.environ.setdefault("SOURCE_DATE_EPOCH", str(round((end + READ_AFTER).timestamp())))
        analysis = analyze(org, end, on_step=begin)
        run = write_run(analysis, output / "runs")
        begin("report")
        written = write_report("incident_report", run, output / "report", ("html", "pdf"))
    state = incident_state(analysis.health.history.interval, analysis.sla)
    note = (
        "The organisation is synthetic, its incident planted; the reports are dated half an hour after the last sample."
    )
    say([*state_lines(state), "", *scorecard_lines(analysis.sla), "", *paragraph(note)])
    for label, path in (("run", run), *((kind, path) for kind, path in written.items())):
        click.echo(f"{label + ':':10}{path}")
    say(next_lines(analysis.exit_code, shlex.quote(str(run))))
    return 0
