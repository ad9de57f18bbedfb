"""`tars incident hold` and `release`: keep an incident and what belongs to it out of retention's reach."""

from __future__ import annotations

from pathlib import Path

import click

from tars_lib.cli.incident_options import common, show_written, text_of, writer_of
from tars_lib.cli.shell import REPORT, guarded


@click.command(
    short_help="Legal hold: nothing of it is moved or deleted.",
    epilog="Example: tars incident hold INC-202601051430 --reason 'claim 4711'",
)
@click.argument("incident_id", metavar="ID")
@click.option("--reason", required=True, metavar="TEXT", help="Why; goes into the timeline. - reads it from stdin.")
@common
@guarded(REPORT)
def hold(
    incident_id: str,
    reason: str,
    incidents_dir: Path | None,
    tz: str | None,
    as_json: bool,
    verbose: bool,
    quiet: bool,
) -> int:
    """Put an incident on legal hold.

    Until it is released, `tars retention` neither moves nor deletes it, the runs that its record names, or the bundles and
    reports of either. Possible in every state.
    """
    from tars_lib.incidents.holding import hold as write

    written = write(writer_of(incidents_dir, incident_id), text_of(reason))
    return show_written(written, tz, as_json=as_json, quiet=quiet, given_dir=incidents_dir)


@click.command(
    short_help="End a legal hold.", epilog="Example: tars incident release INC-202601051430 --reason 'claim settled'"
)
@click.argument("incident_id", metavar="ID")
@click.option("--reason", required=True, metavar="TEXT", help="Why; goes into the timeline. - reads it from stdin.")
@common
@guarded(REPORT)
def release(
    incident_id: str,
    reason: str,
    incidents_dir: Path | None,
    tz: str | None,
    as_json: bool,
    verbose: bool,
    quiet: bool,
) -> int:
    """End a legal hold; retention then applies by age again."""
    from tars_lib.incidents.holding import release as write

    written = write(writer_of(incidents_dir, incident_id), text_of(reason))
    return show_written(written, tz, as_json=as_json, quiet=quiet, given_dir=incidents_dir)
