"""`tars incident`: open an incident, walk the golden path, keep a record that nobody can rewrite unseen."""

from __future__ import annotations

import click

from tars_lib.cli.incident import acts, keeping, people, views
from tars_lib.cli.incident import follow_up as after
from tars_lib.cli.incident import legal_hold as holds


class InOrder(click.Group):
    """A group that lists its commands in the order of an incident."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=InOrder, epilog="Example: tars incident open --severity SEV-2 --title 'Checkout is slow'")
def incident() -> None:
    """Open incidents, respond to them, and keep their record.

    An incident is a folder with incident.json, an append-only timeline.jsonl and its runs. Code 0: done; 1: refused, or
    altered (verify, timeline); 2: wrong usage.
    """


for _command in (
    acts.open_command,
    views.golden,
    acts.ack,
    acts.note,
    acts.record,
    acts.contain,
    people.escalate,
    people.update,
    people.ics,
    acts.resolve,
    acts.close,
    acts.reopen,
    after.postmortem,
    after.action,
    after.review,
    after.tickets,
    holds.hold,
    holds.release,
    views.status,
    views.list_command,
    views.timeline,
    keeping.verify,
    keeping.head,
    keeping.repair,
):
    incident.add_command(_command)
