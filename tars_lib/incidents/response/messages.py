"""Texts that leave an incident, filled from its record, and the receipts that come back into its timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from tars_lib.channels.send import Delivery, Receipt
from tars_lib.engines.queries.incident_state import State
from tars_lib.incidents.response.acts import Writer
from tars_lib.incidents.response.escalating import escalate
from tars_lib.incidents.store.journal import Written
from tars_lib.incidents.store.record import IncidentStatus
from tars_lib.incidents.store.register import actor
from tars_lib.incidents.store.timeline import Draft, EntryKind
from tars_lib.incidents.views.case import Case
from tars_lib.incidents.views.standing import standing
from tars_lib.playbook.documents.communication import Message, messages
from tars_lib.playbook.facts import Facts
from tars_lib.playbook.wording import found_text

_WORDS = {Delivery.SENT: "sent", Delivery.FAILED: "FAILED", Delivery.DRY_RUN: "not sent"}
_BY_CHANNEL = ("escalation", "slack", "email")
"""One text in each form (Markdown, Slack's, plain): what is sent where nobody chooses."""


def next_update(case: Case) -> datetime | None:
    """Return when the next update is due by default: after the time in which the playbook lets nothing stand still.

    None once the incident is over. Judgement: the page leaves it open.
    """
    return None if case.facts.is_over else case.time + case.playbook.no_progress_after


def text_for(case: Case, template: str, until: datetime | None, eta: str | None = None) -> Message:
    """Return one text of the playbook, by its key; `until` is the time of the next update that it announces."""
    return _text(_facts_now(case), case, template, until, eta)


def texts_for(case: Case, template: str | None = None) -> list[Message]:
    """Return the chosen text, or one in each form, so that every channel takes what suits it."""
    chosen = _BY_CHANNEL if template is None else (template.lower(),)
    facts = _facts_now(case)
    return [_text(facts, case, template_id, next_update(case)) for template_id in chosen]


def _facts_now(case: Case) -> Facts:
    """Return the facts, in today's words where the impact is over or the data are old: the record has the sentence of then."""
    state = standing(case)
    is_past = state.state in (State.OVER, State.STALE)
    return replace(case.facts, summary=state.sentence) if is_past else case.facts


def _text(known: Facts, case: Case, template: str, until: datetime | None, eta: str | None = None) -> Message:
    facts = replace(known, next_update_at=until, eta=eta or known.eta)
    # without a run the record's summary is its title, which no SLA report said
    filled = messages(facts, summary=found_text(facts), playbook=case.playbook)
    return next(message for message in filled if message.communication_id == template)


def keep_receipts(case: Case, texts: Sequence[Message], receipts: Sequence[Receipt], contact: str | None) -> None:
    """Write what was sent and what became of it into the timeline.

    Parameters
    ----------
    receipts : sequence of Receipt
        They name channels by place and scheme, so nothing secret enters the record.
    contact : str or None
        Who counts as told, if at least one channel took the text.
    """
    writer = Writer(case.folder, actor(), case.time, case.playbook)
    lines = receipt_lines(receipts)
    was_sent = any(item.delivery is Delivery.SENT for item in receipts)
    used = {item.communication_id for item in receipts}
    body = "\n\n".join(f"{item.subject}\n\n{item.body}" for item in texts if item.communication_id in used)
    is_filled = was_sent and not used.isdisjoint({"escalation", "status-page", "slack", "email", "bridge"})
    notified(writer, body, lines, next_update(case) if is_filled else None, was_sent=was_sent)
    if contact is not None and was_sent and case.incident.status is not IncidentStatus.CLOSED:
        escalate(writer, contact, receipt="; ".join(lines))


def receipt_lines(receipts: Sequence[Receipt]) -> list[str]:
    """Say what became of a text, a line for each channel."""
    return [
        f"channel {receipt.channel}: {_WORDS[receipt.delivery]}{f': {receipt.reason}' if receipt.reason else ''}"
        for receipt in receipts
    ]


def notified(
    writer: Writer, text: str, receipts: Sequence[str], next_update_at: datetime | None = None, *, was_sent: bool = True
) -> Written:
    """Record that a text was given to channels.

    Parameters
    ----------
    text : str
        Word for word.
    receipts : sequence of str
        What became of it, one a channel.
    next_update_at : datetime, optional
        The text announces it.
    was_sent : bool
        At least one channel took it, so stakeholders heard something.
    """
    changes: dict[str, object] = {"updated_at": writer.time} if was_sent else {}
    if next_update_at is not None:
        changes["next_update_at"] = next_update_at
    return writer.act("notify", lambda _: Draft(EntryKind.NOTIFIED, f"{'; '.join(receipts)}\n\n{text}", changes))
