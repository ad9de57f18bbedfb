"""`tars run`: from an org-health folder to a run directory."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tars_lib.cli.engines.overdue import overdue_of, register_option
from tars_lib.cli.shared.build_server import build_of, junit_option, policy_option, summary_option
from tars_lib.cli.shared.options import policy_files_option, scheduler_option, zone_option
from tars_lib.cli.shared.screen import say
from tars_lib.cli.shared.shell import PIPELINE, guarded, progress
from tars_lib.cli.shared.stores import PLACE, stores
from tars_lib.cli.shared.verdict import next_lines, plan_lines, scorecard_lines, state_lines
from tars_lib.engines.steps import STEPS
from tars_lib.errors import ConfigError
from tars_lib.model.names import SlaStatus
from tars_lib.text.counts import plural
from tars_lib.text.times import MINUTES

if TYPE_CHECKING:
    from datetime import datetime

    from tars_lib.files.object_store import StorePath
    from tars_lib.pipeline import Analysis

MAX_WARNINGS = 5
"""Warnings on a terminal; the rest stands in the summary. Judgement: as many as leave the verdict in sight."""


@click.command(epilog="Example: tars run --root ./org-health --outdir ./incidents/INC-202601051430 --print-paths")
@click.option("--root", required=True, type=PLACE, help="The org-health folder; s3://, gs:// or abfs:// too.")
@click.option(
    "--pull", "is_pulled", is_flag=True, help="Fetch the last 30 days first, as tars pull does; 95 if a source fails."
)
@click.option(
    "--outdir",
    default=Path("reports/runs"),
    show_default=True,
    type=PLACE,
    help="Where the run directory is made; s3://, gs:// or abfs:// too.",
)
@click.option("--timestamp", metavar="YYYYMMDD-HHMMSS", help="Time in the run directory's name; default now, UTC.")
@policy_files_option("the root's own")
@click.option("--as-of", metavar="TIME", help="Judge what was known at this time; default the last sample.")
@zone_option
@register_option
@scheduler_option
@click.option(
    "--history",
    type=click.Choice(("copy", "reference")),
    default="copy",
    show_default=True,
    help="Samples in the run directory, or left in the root and referred to by digest.",
)
@click.option("--print-paths", is_flag=True, help="Print the path of every file written, one a line.")
@click.option("--html", is_flag=True, help="Make the incident report as an HTML page too, in outputs/<run>/.")
@click.option("--dry-run", is_flag=True, help="Read and check the input, say what would be written, write nothing.")
@click.option("--exit-zero", is_flag=True, help="Return 0 for findings; errors keep their code.")
@policy_option
@summary_option
@junit_option
@guarded(PIPELINE)
def run(
    root: Path | StorePath,
    is_pulled: bool,
    outdir: Path | StorePath,
    timestamp: str | None,
    sla_policy: tuple[Path, ...],
    as_of: str | None,
    assume_tz: str | None,
    incidents_dir: Path | None,
    scheduler: str | None,
    history: str,
    print_paths: bool,
    html: bool,
    dry_run: bool,
    exit_zero: bool,
    exit_policy: Path | None,
    github_summary: str | None,
    junit: Path | None,
    quiet: bool,
) -> int:
    """Check an org-health folder: health, SLAs, root causes.

    Writes a run directory tars-run-YYYYMMDD-HHMMSS with all reports, or nothing at all, and returns the finding that stands
    highest in the playbook's decision tree: 142 SLA breach, 132 critical propagation risk, 122 critical cross-repo anomaly,
    102 critical alerts, 92 high organisation risk, 141 SLAs at risk, 121 correlations, 131 temporal correlations, 101 alerts,
    91 organisation SLO violated, 0 nothing found; 93 no repositories, 94 configuration error, 95 input could not be read, 96
    nothing could be judged, 1 a step failed. An exit policy changes the code that is returned; status.json keeps the finding.
    """
    from tars_lib.engines.queries.incident_state import incident_state
    from tars_lib.engines.queries.response_plan import response_plan
    from tars_lib.model.times import read_time, read_zone
    from tars_lib.pipeline import (
        MANIFEST_FILE,
        RUN_PREFIX,
        STATUS_FILE,
        analyze,
        now,
        run_name,
        write_report,
        write_run,
    )
    from tars_lib.pipeline.history_file import parts_of
    from tars_lib.pipeline.loading import load_org

    build = build_of(github_summary, junit, exit_policy, exit_zero)
    with build.reporting_errors("tars run"), stores() as places:
        name = run_name(timestamp)
        late = overdue_of(incidents_dir)
        if history == "reference" and not (isinstance(root, Path) and isinstance(outdir, Path)):
            raise ConfigError("--history reference: an object store is given; folders of this machine are allowed")
        if is_pulled:
            if not isinstance(root, Path):
                raise ConfigError(f"--pull: {root} is an object store; a folder of this machine is allowed")
            from tars_lib.cli.data.pull import pull_before_run

            pull_before_run(root, check=dry_run, quiet=quiet)
        with progress(len(STEPS) + 2 + html, "step", quiet=quiet) as begin:
            begin("reading")
            org = load_org(places.fetched(root), sla_policy=sla_policy or None, assume_tz=assume_tz)
            if history == "reference" and isinstance(outdir, Path):
                parts_of(org, outdir)
            build.check([policy.sla_id for policy in org.policies])
            zone = None if assume_tz is None else read_zone(assume_tz)
            time = None if as_of is None else read_time(as_of, "--as-of", zone)
            if dry_run:
                _, judged_at = org.at(time, now())
                samples = ", ".join(
                    (
                        plural(len(org.repos), "service"),
                        plural(len(org.history), "sample"),
                        plural(len(org.policies), "SLA policy", "SLA policies"),
                    )
                )
                click.echo(f"input accepted: {samples}, judged as of {judged_at:{MINUTES}}")
                if incidents_dir is not None:
                    click.echo(f"would raise: {len(late.rungs)} alerts for overdue escalations in {incidents_dir}")
                click.echo(f"would write: {outdir / name}")
                return 0
            analysis = analyze(org, time, on_step=begin, overdue=late, scheduler=scheduler)
            begin("writing")
            folder = places.staged(outdir, taken=f"{name}*")
            run_dir = write_run(
                analysis, folder, timestamp=name.removeprefix(RUN_PREFIX), root=str(root), history=history
            )
            places.send(last=(MANIFEST_FILE, STATUS_FILE))
            made, files = places.shown(run_dir), [places.shown(path) for path in sorted(run_dir.iterdir())]
            page = None
            if html:
                begin("page")
                page = write_report("incident_report", run_dir, None, ("html",))["html"]
    _warn(analysis, now())
    state = incident_state(analysis.health.history.interval, analysis.sla)
    if not quiet:
        plan = response_plan(
            analysis.org, analysis.exit_code, analysis.sla, analysis.alerts, analysis.correlation, analysis.temporal
        )
        screen = [*state_lines(state), *plan_lines(state, plan), "", *scorecard_lines(analysis.sla), ""]
        if late.rungs and incidents_dir is not None:
            where = shlex.quote(str(incidents_dir))
            screen.append(
                f"{len(late.rungs)} escalations are overdue: tars incident escalate --overdue --incidents-dir {where}"
            )
        screen += [f"run: {made}", *([] if page is None else [f"page: {page}"])]
        screen += next_lines(analysis.exit_code, shlex.quote(str(made)))
        say(screen if build.summary is None else map(build.line, screen))
    if print_paths:
        for path in files:
            click.echo(path)
    return build.tell(analysis.sla, state, analysis.org.name, analysis.codes, run_dir.name)


def _warn(analysis: Analysis, time: datetime) -> None:
    """Say on stderr how old the data are, and how they were read where that could be meant otherwise."""
    import logging

    from tars_lib.engines.health.assess import data_age

    logger = logging.getLogger("tars_lib")
    aged = data_age(analysis.org, analysis.as_of, time)
    if aged is not None:
        logger.warning(aged)
    # why an SLA is UNKNOWN stands beside it already
    open_ones = tuple(
        f"SLA {row.sla_id} is UNKNOWN" for row in analysis.sla.compliance_results if row.status is SlaStatus.UNKNOWN
    )
    warnings = [warning for warning in dict.fromkeys(analysis.sla.warnings) if not warning.startswith(open_ones)]
    for warning in warnings[:MAX_WARNINGS]:
        logger.warning(warning)
    if len(warnings) > MAX_WARNINGS:
        logger.warning("%s in executive-summary.md", plural(len(warnings) - MAX_WARNINGS, "more warning"))
