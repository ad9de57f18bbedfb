"""`tars incident` commands about who hears what, and when: escalate, update, ics."""

from __future__ import annotations

from pathlib import Path

import click

from tars_lib.cli.incident_options import (
    case_in,
    judged,
    playbook_of,
    reader_of,
    show_written,
    span_of,
    text_of,
    time_of,
    writer_of,
)
from tars_lib.cli.shell import REPORT, guarded

TEMPLATES = ("escalation", "status-page", "slack", "email", "bridge")


@click.command(
    short_help="Who must be told; record that they were.", epilog="Example: tars incident escalate INC-202601051430"
)
@click.argument("incident_id", metavar="[ID]", required=False)
@click.option("--to", "contact", metavar="WHO", help="Who was told; default all who must be told now.")
@click.option("--reason", default="", metavar="TEXT", help="Why; default the rule that fired.")
@click.option("--show", is_flag=True, help="Only show who must be told now and next; record nothing.")
@click.option("--overdue", is_flag=True, help="Show whom open incidents should have told; no ID; code 1 if anybody.")
@judged
@guarded(REPORT)
def escalate(
    incident_id: str | None,
    contact: str | None,
    reason: str,
    show: bool,
    overdue: bool,
    incidents_dir: Path | None,
    tz: str | None,
    as_json: bool,
    verbose: bool,
    quiet: bool,
) -> int:
    """Say who must be told now, who next and when, and by which rule; record that they were told.

    It tells nobody by itself: `tars notify --incident ID --to WHO --send` does. Without --to all who must be told now are
    recorded as told, or the next rung of the matrix where nobody must. --show looks first.
    """
    from tars_lib.cli.incident_text import escalation_lines
    from tars_lib.incidents.telling import escalate as write
    from tars_lib.records import dumps

    if overdue:
        if incident_id is not None or contact is not None or reason or show:
            raise click.UsageError("--overdue looks at all open incidents; give it alone")
        return _overdue(incidents_dir, tz, as_json=as_json, quiet=quiet)
    if incident_id is None:
        raise click.UsageError("give an ID, or --overdue for all open incidents")
    if show:
        if contact is not None or reason:
            raise click.UsageError("--show records nothing; give it without --to and --reason")
        case = case_in(incidents_dir, incident_id, time_of(None))
        if as_json:
            click.echo(dumps({"escalation": case.escalation, "incident_id": incident_id}, ensure_ascii=True), nl=False)
        else:
            lines = list(escalation_lines(case.escalation, case.incident, reader_of(tz)))
            click.echo("\n".join(lines) or "nobody is to be told")
        return 0
    writer = writer_of(incidents_dir, incident_id)
    written = write(writer, None if contact is None else text_of(contact), reason)
    code = show_written(written, tz, as_json=as_json, quiet=quiet, given_dir=incidents_dir)
    if not (as_json or quiet):
        case = case_in(incidents_dir, incident_id, writer.time)
        click.echo("\n".join(escalation_lines(case.escalation, case.incident, reader_of(tz))))
    return code


@click.command(epilog="Example: tars incident update INC-202601051430 --template status-page --next-in 30m")
@click.argument("incident_id", metavar="ID")
@click.argument("text", required=False)
@click.option(
    "--template",
    type=click.Choice(TEMPLATES, case_sensitive=False),
    help="A text of the playbook, filled from the record; default escalation where no TEXT is given.",
)
@click.option("--next-in", metavar="SPAN", help="When the next update comes: 30m, 2h, 1d.")
@click.option("--eta", metavar="TEXT", help="When you expect the end, in words.")
@judged
@guarded(REPORT)
def update(
    incident_id: str,
    text: str | None,
    template: str | None,
    next_in: str | None,
    eta: str | None,
    incidents_dir: Path | None,
    tz: str | None,
    as_json: bool,
    verbose: bool,
    quiet: bool,
) -> int:
    """Record what stakeholders are told, and when they hear more.

    Without TEXT the text is filled from the record and printed, ready to be sent; the next update is promised for the time
    after which the playbook lets nothing stand still (30 min), unless --next-in says otherwise. It sends nothing: `tars
    notify --incident ID` does.
    """
    from tars_lib.incidents.acts import update as write
    from tars_lib.incidents.outgoing import next_update, text_for

    if text is not None and template is not None:
        raise click.UsageError("--template fills a text from the record; give it or TEXT")
    writer = writer_of(incidents_dir, incident_id)
    until = None if next_in is None else writer.time + span_of(next_in)
    if text is not None:
        written = write(writer, text_of(text), until, eta)
        return show_written(written, tz, as_json=as_json, quiet=quiet, given_dir=incidents_dir)
    case = case_in(incidents_dir, incident_id, writer.time)
    until = until or next_update(case)
    message = text_for(case, (template or TEMPLATES[0]).lower(), until, eta)
    written = write(writer, f"{message.subject}\n\n{message.body}", until, eta)
    if not (as_json or quiet):
        click.echo(f"{message.subject}\n\n{message.body}")
    return show_written(written, tz, as_json=as_json, quiet=quiet, given_dir=incidents_dir)


@click.command(
    short_help="Deadlines as a calendar file.",
    epilog="Example: tars incident ics INC-202601051430 --output deadlines.ics",
)
@click.argument("incident_id", metavar="ID")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write; default stdout.")
@judged
@guarded(REPORT)
def ics(
    incident_id: str,
    output: Path | None,
    incidents_dir: Path | None,
    tz: str | None,
    as_json: bool,
    verbose: bool,
    quiet: bool,
) -> int:
    """Write deadlines as iCalendar: respond, contain, next update, who is to be told, reviews."""
    from tars_lib.playbook.deadlines import calendar, deadlines
    from tars_lib.records import dumps, write_bytes

    case = case_in(incidents_dir, incident_id, time_of(None))
    entries = deadlines(case.facts, case.time, case.playbook)
    if output is not None:
        write_bytes(output, calendar(incident_id, entries, case.time).encode())
    if as_json:
        click.echo(dumps({"deadlines": entries, "incident_id": incident_id}, ensure_ascii=True), nl=False)
    elif output is None:
        click.echo(calendar(incident_id, entries, case.time).encode(), nl=False)
    elif not quiet:
        reader = reader_of(tz)
        for entry in entries:
            click.echo(f"{reader.time(entry.at)}  {entry.title}")
        click.echo(f"{len(entries)} deadlines: {output}")
    return 0


def _overdue(incidents_dir: Path | None, tz: str | None, *, as_json: bool, quiet: bool) -> int:
    from tars_lib.cli.incident_text import wrapped
    from tars_lib.incidents.cases import read_cases
    from tars_lib.incidents.register import incidents_dir as place
    from tars_lib.playbook.escalation import timeouts
    from tars_lib.records import dumps
    from tars_lib.visible import visible

    time, playbook, reader = time_of(None), playbook_of(incidents_dir), reader_of(tz)
    found = read_cases(place(incidents_dir), playbook)
    late = [late for facts in found.cases for late in timeouts(facts, time, playbook)]
    if as_json:
        click.echo(dumps({"overdue": late, "unreadable": found.unreadable}, ensure_ascii=True), nl=False)
    else:
        for one in late:
            click.echo("\n".join(wrapped(visible(one.title), "", "  ")))
            why = f"since {reader.time(one.first_seen)}: {visible(one.message)}"
            click.echo("\n".join(wrapped(why, "    ", "    ")))
        for name, problem in found.unreadable:
            click.echo("\n".join(wrapped(f"{name}: cannot be read: {visible(problem)}", "", "  ")))
        if not (late or found.unreadable or quiet):
            click.echo("nobody is waiting to be told")
    return 1 if late or found.unreadable else 0
