"""`tars incident hold` and `release`: keep an incident and what belongs to it out of retention's reach."""

from __future__ import annotations

from pathlib import Path

import click

from tars_lib.cli.incident.options import Options, common, echo_json, text_of
from tars_lib.cli.shared.options import FOLDER
from tars_lib.errors import InputError
from tars_lib.text.times import MINUTES
from tars_lib.text.visible import visible

_reason = click.option(
    "--reason", required=True, metavar="TEXT", help="Why; goes into the timeline. - reads it from stdin."
)
_archive = click.option(
    "--archive-dir",
    type=FOLDER,
    help="Archive to look in for an incident that is not at hand; default archive beside the incidents.",
)


@click.command(
    short_help="Legal hold: nothing of it is moved or deleted.",
    epilog="Example: tars incident hold INC-202601051430 --reason 'claim 4711'",
)
@click.argument("incident_id", metavar="ID")
@_reason
@_archive
@common
def hold(options: Options, incident_id: str, reason: str, archive_dir: Path | None) -> int:
    """Put an incident on legal hold.

    Until it is released, `tars retention` neither moves nor deletes it, the runs that its record names, or the bundles and
    reports of either. Possible in every state; for an archived incident it is kept in the archive's register.
    """
    return _write(options, incident_id, reason, archive_dir, is_hold=True)


@click.command(
    short_help="End a legal hold.", epilog="Example: tars incident release INC-202601051430 --reason 'claim settled'"
)
@click.argument("incident_id", metavar="ID")
@_reason
@_archive
@common
def release(options: Options, incident_id: str, reason: str, archive_dir: Path | None) -> int:
    """End a legal hold; retention then applies by age again."""
    return _write(options, incident_id, reason, archive_dir, is_hold=False)


def _archive_with(options: Options, incident_id: str, archive_dir: Path | None) -> Path | None:
    """Return the archive that has the incident; None where its folder stands among the incidents.

    Raise InputError if it is in neither; the message says where it was looked for.
    """
    from tars_lib.incidents.store.register import is_incident_id
    from tars_lib.retention.holding import archived_incidents
    from tars_lib.retention.register import archive_of

    archive = archive_dir or archive_of(options.root)
    try:
        options.folder(incident_id)
    except InputError as error:
        if not is_incident_id(incident_id):
            raise
        if archived_incidents(archive, incident_id):
            return archive
        raise InputError(f"{error}; nor is it in the archive {archive}, and --archive-dir names another") from error
    return None


def _write(options: Options, incident_id: str, text: str, archive_dir: Path | None, *, is_hold: bool) -> int:
    """Enter a hold or its end, in the incident's timeline or in the register of the archive that has it."""
    from tars_lib.incidents.response import legal_hold
    from tars_lib.incidents.store.register import actor, now
    from tars_lib.retention import holding
    from tars_lib.retention.register import REGISTER_FILE

    archive = _archive_with(options, incident_id, archive_dir)
    reason = text_of(text)
    if archive is None:
        act = legal_hold.hold if is_hold else legal_hold.release
        return options.show(act(options.writer(incident_id), reason))
    line = (holding.hold if is_hold else holding.release)(archive, incident_id, actor(), now(), reason)
    if options.as_json:
        echo_json({"line": line})
    elif not options.quiet:
        outcome = "on legal hold in the archive" if is_hold else "released; retention applies by age again"
        click.echo(f"Incident:        {incident_id}  ARCHIVED  {outcome}")
        click.echo(f"Written:         {line.time:{MINUTES}} by {visible(line.actor)} to {archive / REGISTER_FILE}")
    return 0
