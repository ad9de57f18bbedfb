"""`tars incident hold` and `release`: keep an incident and what belongs to it out of retention's reach."""

from __future__ import annotations

import click

from tars_lib.cli.incident_options import Options, common, text_of


@click.command(
    short_help="Legal hold: nothing of it is moved or deleted.",
    epilog="Example: tars incident hold INC-202601051430 --reason 'claim 4711'",
)
@click.argument("incident_id", metavar="ID")
@click.option("--reason", required=True, metavar="TEXT", help="Why; goes into the timeline. - reads it from stdin.")
@common
def hold(options: Options, incident_id: str, reason: str) -> int:
    """Put an incident on legal hold.

    Until it is released, `tars retention` neither moves nor deletes it, the runs that its record names, or the bundles and
    reports of either. Possible in every state.
    """
    from tars_lib.incidents.holding import hold as write

    written = write(options.writer(incident_id), text_of(reason))
    return options.show(written)


@click.command(
    short_help="End a legal hold.", epilog="Example: tars incident release INC-202601051430 --reason 'claim settled'"
)
@click.argument("incident_id", metavar="ID")
@click.option("--reason", required=True, metavar="TEXT", help="Why; goes into the timeline. - reads it from stdin.")
@common
def release(options: Options, incident_id: str, reason: str) -> int:
    """End a legal hold; retention then applies by age again."""
    from tars_lib.incidents.holding import release as write

    written = write(options.writer(incident_id), text_of(reason))
    return options.show(written)
