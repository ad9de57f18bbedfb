"""`tars incident` commands about who hears what, and when: escalate, update, ics."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tars_lib.cli.incident.options import Options, echo_json, id_argument, judged, span_of, text_of
from tars_lib.cli.incident.text import escalation_lines
from tars_lib.cli.shared.options import FILE
from tars_lib.cli.shared.screen import Tone, fitted, say, toned, wrapped
from tars_lib.errors import ConfigError, NotificationError
from tars_lib.text.visible import visible

if TYPE_CHECKING:
    from tars_lib.incidents.views.case import Case

TEMPLATES = ("escalation", "status-page", "slack", "email", "bridge")


@click.command(
    short_help="Show who must be notified, and record that they were.",
    epilog="Example: tars incident escalate INC-202601051430",
)
@id_argument
@click.option("--to", "contact", metavar="WHO", help="Who was notified; default all who must be notified now.")
@click.option("--reason", default="", metavar="TEXT", help="Why; default the rule that fired.")
@click.option("--show", is_flag=True, help="Only show whom to notify now and next; record nothing.")
@click.option("--send", is_flag=True, help="Send the playbook's text to the channels of TARS_NOTIFY_URLS first.")
@click.option(
    "--overdue", is_flag=True, help="Show overdue notifications of open incidents; no ID; code 1 if there are any."
)
@judged
def escalate(
    options: Options, incident_id: str | None, contact: str | None, reason: str, show: bool, send: bool, overdue: bool
) -> int:
    """Record who was notified, and show who must be notified next, when, and by which rule.

    It contacts nobody unless --send is given. Without --to it records everybody due now as notified, or the next rung of
    the matrix if nobody is due. --show only looks. Without ID: the one open incident.
    """
    from tars_lib.cli.incident.screens import due_label
    from tars_lib.incidents.response.escalating import escalate as write
    from tars_lib.incidents.response.escalating import is_task
    from tars_lib.incidents.views.standing import standing

    if overdue:
        if incident_id is not None or contact is not None or reason or show or send:
            raise click.UsageError("--overdue looks at all open incidents; give it alone")
        return _overdue(options)
    if show:
        if contact is not None or reason or send:
            raise click.UsageError("--show records nothing; give it without --to, --reason and --send")
        incident_id = options.chosen(incident_id)
        case = options.case(incident_id)
        if options.as_json:
            echo_json({"escalation": case.escalation, "incident_id": incident_id})
        else:
            lines = list(escalation_lines(case.escalation, case.incident, options.reader, due_label(standing(case))))
            say(fitted(lines or ["nobody to notify"], f"tars incident status {incident_id} --full"))
        return 0
    incident_id = options.chosen(incident_id)
    writer = options.writer(incident_id)
    receipt = _sent(options.case(incident_id, writer.time)) if send else ""
    written = write(writer, None if contact is None else text_of(contact), reason, receipt)
    if options.as_json or options.quiet:
        return options.show(written)
    now = [escalation.contact for escalation in written.incident.escalations if escalation.at == writer.time]
    people = ", ".join(name for name in now if not is_task(name))
    if receipt:
        say(toned(wrapped(f"SENT, AND RECORDED FOR {people or now[0]}: {receipt}"), Tone.GOOD))
    elif people:
        advice = (
            f"RECORDED ONLY: NOBODY HAS BEEN CONTACTED. Call or write to {people} yourself; or add --send next time."
        )
        say(toned(wrapped(advice), Tone.WARNING))
    else:
        say(toned(["RECORDED ONLY: NO TICKET HAS BEEN FILED."], Tone.WARNING))
    code = options.show(written)
    case = options.case(incident_id, writer.time)
    say(fitted(escalation_lines(case.escalation, case.incident, options.reader), "--show"))
    return code


def _sent(case: Case) -> str:
    """Send the texts of an incident; what each channel said. Nothing counts as recorded where all of them failed."""
    import os

    from tars_lib.channels.pagerduty import PagerDutyAction
    from tars_lib.channels.send import Receipt
    from tars_lib.channels.send import send as hand_over
    from tars_lib.incidents.response.messages import keep_receipts, receipt_lines, texts_for

    channels = os.environ.get("TARS_NOTIFY_URLS", "").split()
    if not channels:
        raise ConfigError(
            "--send: no channel; TARS_NOTIFY_URLS names them, or `tars notify --incident ID --url ... --send`"
        )
    texts, trigger = texts_for(case), PagerDutyAction.TRIGGER
    incident_id = case.incident.incident_id
    try:
        receipts = hand_over(texts, channels, at=case.time, is_real=True, incident_id=incident_id, action=trigger)
    except NotificationError as error:
        keep_receipts(case, texts, [receipt for receipt in error.receipts if isinstance(receipt, Receipt)], None)
        raise
    keep_receipts(case, texts, receipts, None)
    return "; ".join(receipt_lines(receipts))


@click.command(epilog="Example: tars incident update INC-202601051430 --template status-page --next-in 30m")
@id_argument
@click.argument("text", metavar="[TEXT]", required=False)
@click.option(
    "--template",
    type=click.Choice(TEMPLATES, case_sensitive=False),
    help="A text of the playbook, filled from the record; default escalation where no TEXT is given.",
)
@click.option("--next-in", metavar="SPAN", help="When the next update comes: 30m, 2h, 1d.")
@click.option("--eta", metavar="TEXT", help="When you expect the end, in words.")
@judged
def update(
    options: Options,
    incident_id: str | None,
    text: str | None,
    template: str | None,
    next_in: str | None,
    eta: str | None,
) -> int:
    """Record what stakeholders were told, and when the next update comes.

    Without TEXT the record fills a text, which is printed ready to send; the next update is set to the playbook's
    limit without progress (30 min), unless --next-in says otherwise. It sends nothing: `tars notify --incident ID`
    does. Without ID: the one open incident.
    """
    from tars_lib.incidents.response.acts import update as write
    from tars_lib.incidents.response.messages import next_update, text_for

    incident_id, text = options.addressed(incident_id, text)
    if text is not None and template is not None:
        raise click.UsageError("--template fills a text from the record; give it or TEXT")
    writer = options.writer(incident_id)
    until = None if next_in is None else writer.time + span_of(next_in)
    if text is not None:
        written = write(writer, text_of(text), until, eta)
        return options.show(written)
    case = options.case(incident_id, writer.time)
    until = until or next_update(case)
    message = text_for(case, (template or TEMPLATES[0]).lower(), until, eta)
    written = write(writer, f"{message.subject}\n\n{message.body}", until, eta)
    if not (options.as_json or options.quiet):
        click.echo(f"{message.subject}\n\n{message.body}")
    return options.show(written)


@click.command(
    short_help="Deadlines as a calendar file.",
    epilog="Example: tars incident ics INC-202601051430 --output deadlines.ics",
)
@id_argument
@click.option("--output", type=FILE, help="File to write; default stdout.")
@judged
def ics(options: Options, incident_id: str | None, output: Path | None) -> int:
    """Write deadlines as iCalendar: respond, contain, next update, notifications, reviews.

    Without ID: the one open incident.
    """
    from tars_lib.files.atomic import write_bytes
    from tars_lib.playbook.deadlines import calendar, deadlines

    incident_id = options.chosen(incident_id)
    case = options.case(incident_id)
    entries = deadlines(case.facts, case.time, case.playbook)
    if output is not None:
        write_bytes(output, calendar(incident_id, entries, case.time).encode())
    if options.as_json:
        echo_json({"deadlines": entries, "incident_id": incident_id})
    elif output is None:
        click.echo(calendar(incident_id, entries, case.time).encode(), nl=False)
    elif not options.quiet:
        reader = options.reader
        for entry in entries:
            click.echo(f"{reader.time(entry.at)}  {entry.title}")
        click.echo(f"{len(entries)} deadlines: {output}")
    return 0


def _overdue(options: Options) -> int:
    from tars_lib.incidents.views.all_cases import read_cases
    from tars_lib.playbook.escalation import timeouts

    time, playbook, reader = options.time, options.playbook, options.reader
    register = read_cases(options.root, playbook)
    late = [late for facts in register.cases for late in timeouts(facts, time, playbook)]
    if options.as_json:
        echo_json({"overdue": late, "unreadable": register.unreadable})
    else:
        for rung in late:
            say(wrapped(visible(rung.title), "", "  "))
            say(wrapped(f"since {reader.time(rung.first_seen)}: {visible(rung.message)}", "    ", "    "))
        for name, problem in register.unreadable:
            say(wrapped(f"{name}: cannot be read: {visible(problem)}", "", "  "))
        if not (late or register.unreadable or options.quiet):
            click.echo("no notification is overdue")
    return 1 if late or register.unreadable else 0
