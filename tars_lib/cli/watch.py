"""`tars watch`: run the pipeline again and again, and say what changed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tars_lib.cli.incident.options import Options, echo_json, span_of
from tars_lib.cli.shared.options import PATH, incidents_option, zone_option
from tars_lib.cli.shared.screen import wrapped
from tars_lib.cli.shared.shell import PIPELINE, guarded
from tars_lib.errors import TarsError
from tars_lib.reports.blocks.lengths import LINE_LIMIT, visible
from tars_lib.text.times import MINUTES

if TYPE_CHECKING:
    from tars_lib.incidents.response.acts import Writer
    from tars_lib.incidents.response.watching import Round

_SHOWN = 12
"""Changes shown a round; judgement, `tars diff` lists all."""


@click.command(epilog="Example: tars watch --root ./org-health --incident INC-202601051430 --rounds 8")
@click.option("--root", required=True, type=PATH, help="The org-health folder.")
@click.option(
    "--outdir", default=Path("reports/runs"), show_default=True, type=PATH, help="Where run directories are made."
)
@click.option(
    "--every", metavar="SPAN", help="Time between runs: 15m, 30s; default 1h, 15m while an SLA is at risk or breached."
)
@click.option("--rounds", type=click.IntRange(1, 10_000), default=24, show_default=True, help="Runs to make, then end.")
@click.option("--incident", "incident_id", metavar="ID", help="Keep each run in this incident.")
@zone_option
@incidents_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document at the end and nothing else.")
@guarded(PIPELINE)
def watch(
    root: Path,
    outdir: Path,
    every: str | None,
    rounds: int,
    incident_id: str | None,
    assume_tz: str | None,
    incidents_dir: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Run the pipeline repeatedly; show what changed since the last run, and how each path's impact score develops.

    Each run writes a run directory. --incident also records it there and says whether containment works; the watch
    ends when the incident is closed. A failed run is reported and does not end the watch. The code is that of the
    last run.

    If there are incidents, an overdue escalation becomes an alert of the run.
    """
    from tars_lib.incidents.response.watching import baseline, courses, keep, look, pause

    options = Options(incidents_dir)
    # where nobody named a place and there are no incidents yet, none are looked at
    register = options.root if incidents_dir is not None or options.root.is_dir() else None
    span = None if every is None else span_of(every, "--every")
    last = baseline(outdir, None if incident_id is None else options.writer(incident_id))
    seen: list[Round] = []
    failures: list[str] = []
    code = 0
    for number in range(1, rounds + 1):
        if incident_id is not None and _is_closed(options.writer(incident_id)):
            click.echo(f"{incident_id} is closed; the watch ends", err=True)
            break
        begun = time.monotonic()
        wait = None
        try:
            run, finding = look(root, outdir, last, assume_tz, register)
        except (TarsError, OSError) as error:
            if number == 1:
                raise
            # a file that is being written is there in the next round
            code = PIPELINE.of(error)
            failures.append(f"round {number}: {error}")
            click.echo(f"round {number} of {rounds}: error: {visible(' '.join(str(error).split()))}", err=True)
        else:
            seen.append(finding)
            code, last, wait = finding.exit_code, run, pause(run, span)
            if not (as_json or quiet):
                click.echo("\n".join(_lines(finding, number, rounds)))
            if incident_id is not None:
                record = keep(options.writer(incident_id), run, seen).entry.text
                if not (as_json or quiet):
                    click.echo(
                        "\n".join(wrapped(visible(f"recorded in {incident_id}: {record}", LINE_LIMIT), "  ", "    "))
                    )
        if number < rounds:
            step = wait or span or pause(run, None)
            time.sleep(max(0.0, step.total_seconds() - (time.monotonic() - begun)))
    course = courses(seen)
    if as_json:
        echo_json({"failures": failures, "impact_scores": course, "rounds": seen})
    else:
        for name, values in course.items():
            click.echo(f"impact_score of {visible(name)}: {', '.join(f'{value:.0f}' for value in values)}")
    return code


def _is_closed(writer: Writer) -> bool:
    from tars_lib.incidents.store.journal import read_incident
    from tars_lib.incidents.store.record import IncidentStatus

    incident = read_incident(writer.folder)
    return incident is not None and incident.status is IncidentStatus.CLOSED


def _lines(finding: Round, number: int, rounds: int) -> Iterator[str]:

    as_of = f"data until {finding.as_of:{MINUTES}}"
    yield from wrapped(f"round {number} of {rounds}: {finding.finding} ({finding.exit_code}), {as_of}", "", "  ")
    yield f"  run: {finding.directory}"
    if not finding.has_new_data:
        yield "  no new data since the last run"
    for change in finding.changes[:_SHOWN]:
        text = f"{change.subject}: {change.before} -> {change.after}"
        yield from wrapped(visible(text), f"  {change.direction.value:8}", " " * 10)
    if len(finding.changes) > _SHOWN:
        yield f"  {len(finding.changes) - _SHOWN} more; tars diff lists all"
    if finding.has_new_data and not finding.changes:
        yield "  nothing changed"
