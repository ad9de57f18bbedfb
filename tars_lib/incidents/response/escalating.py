"""Telling people: who the playbook says must hear now, and what the record keeps of it."""

from __future__ import annotations

from tars_lib.errors import InputError
from tars_lib.incidents.response.acts import Writer
from tars_lib.incidents.store.journal import Written
from tars_lib.incidents.store.record import EscalationRecord, Incident
from tars_lib.incidents.store.timeline import Draft, EntryKind
from tars_lib.incidents.views.case import case_of
from tars_lib.incidents.views.clocks import rungs_left
from tars_lib.playbook import escalation as rules


def escalate(writer: Writer, contact: str | None = None, reason: str = "", receipt: str = "") -> Written:
    """Record that somebody was told: `contact`, else all who must be told now, else the next rung of the matrix.

    Without a `reason` the rule that fired, or would fire next, is the reason.

    Parameters
    ----------
    receipt : str
        What a channel said, where one carried the message.

    Raises
    ------
    InputError
        If nobody is left to be told and no contact is given.
    """

    def draft(incident: Incident) -> Draft:
        facts = case_of(writer.folder, incident, writer.playbook, with_notes=False)
        escalation = rules.escalate(facts, writer.time, writer.playbook)
        rule = {rung.contact.casefold(): f"ahead of {rung.rule}" for rung in escalation.upcoming}
        rule |= {rung.contact.casefold(): rung.rule for rung in escalation.due}
        if contact is not None:
            chosen = [contact]
        else:
            chosen = [rung.contact for rung in escalation.due] or rungs_left(incident, writer.playbook)[:1]
        if not chosen:
            rungs = ", ".join(writer.playbook.severity(incident.severity).escalation)
            raise InputError(
                f"{incident.incident_id}: everybody in the matrix for {incident.severity.value} was notified ({rungs}); "
                "--to WHO names somebody else"
            )
        records = [
            EscalationRecord(name, writer.time, writer.actor, reason or rule.get(name.casefold(), ""), receipt)
            for name in chosen
        ]
        text = "; ".join(
            f"{'done:' if is_task(record.contact) else 'notified'} {record.contact}"
            f"{f': {record.reason}' if record.reason else ''}"
            for record in records
        )
        if receipt:
            text = f"{text} ({receipt})"
        return Draft(EntryKind.ESCALATED, text, {"escalations": (*incident.escalations, *records)})

    return writer.act("escalate", draft)


def is_task(contact: str) -> bool:
    """Return whether a rung is a task: the matrix's row for SEV-4 names one instead of a contact."""
    return contact.startswith("Create ")
