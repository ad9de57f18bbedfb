"""The texts of an incident, filled from its facts: nothing is left to fill in, and what is not known is said so."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tars_lib.playbook.facts import Facts, Status
from tars_lib.playbook.packaged import packaged
from tars_lib.playbook.tables import CommunicationRow, Playbook
from tars_lib.playbook.wording import (
    cause_text,
    customer_impact_text,
    freshness_text,
    impact_end,
    line,
    listed,
    repo_text,
    sla_text,
    status_text,
    summary_sentences,
    time_text,
)
from tars_lib.text.visible import markdown_text

UNKNOWN = "UNKNOWN"
"""What stands for a fact that nobody recorded; in capitals, so that whoever sends the text sees what is missing."""


@dataclass(frozen=True, slots=True)
class Message:
    """A text to send. `form` is MARKDOWN, SLACK (mrkdwn) or TEXT; `communication_id` the playbook's key, or "escalation"."""

    communication_id: str
    audience: str
    subject: str
    body: str
    form: str


def escalation_text(facts: Facts) -> Message:
    """Return the escalation communication template, in Markdown."""
    body = f"""\
**Incident ID:** {markdown_text(facts.incident_id)}
**Severity:** {facts.severity.value}
**Status:** {status_text(facts)}

**Summary:**
{markdown_text(" ".join(summary_sentences(facts)))}

**Impact:**
- SLAs affected: {markdown_text(_slas(facts))}
- Repositories affected: {markdown_text(_repos(facts))}
- Customer impact: {markdown_text(_impact(facts))}

**Root Cause:**
{markdown_text(cause_text(facts))}

**Current Actions:**
{_actions(facts)}

**ETA to Resolution:**
{markdown_text(_eta(facts))}

**Next Update:**
{_next(facts)} ({freshness_text(facts)})
"""
    return Message("escalation", "Escalation", _subject(facts), body, "MARKDOWN")


def status_page(facts: Facts, playbook: Playbook | None = None) -> Message:
    """Return the text for customers: names they know, no internal causes, plain text."""
    row = _row(playbook, "status-page")
    over = impact_end(facts)
    facing = listed([repo_text(repo) for repo in facts.repos if repo.customer_facing], nothing="")
    where = f" with {facing}" if facing else ""
    times = "When it began is not known." if facts.started_at is None else f"It began at {time_text(facts.started_at)}."
    if facts.is_over:
        lead = f"The problem{where} is resolved."
        ended = facts.resolved_at or facts.closed_at
        times += f" It was resolved at {time_text(ended)}." if ended else ""
    elif over is not None:
        lead = f"The problem{where} ended at {time_text(over)}. We are watching it."
    elif facts.status is Status.MITIGATING:
        lead = f"We have found a problem{where} and are working on it."
    else:
        lead = f"{_opening(row.template)} a problem{where}."
    felt = {
        True: "Customers were affected." if facts.is_over or over is not None else "Customers are affected.",
        False: "We know of no effect on customers.",
        None: "Whether customers are affected is not known yet.",
    }[facts.customer_impact]
    effect = f"{felt} {line(facts.customer_impact_text)}".strip() if facts.customer_impact_text.strip() else felt
    status = "Monitoring" if over is not None and not facts.is_over else status_text(facts)
    body = f"{lead} {times}\n{effect}\n{_capital(freshness_text(facts))}. {_update(facts)}\n"
    return Message(row.communication_id, row.audience, f"{status}: {facing or 'service problem'}", body, "TEXT")


def slack(facts: Facts, playbook: Playbook | None = None) -> Message:
    """Return the message to engineering, in Slack's mrkdwn."""
    row = _row(playbook, "slack")
    lead = "Incident resolved:" if facts.is_over else f"{_opening(row.template)}:"
    body = "\n".join(
        [
            f"{lead} *{_mrkdwn(facts.incident_id)}* {facts.severity.value} {_mrkdwn(facts.incident_type)}",
            _mrkdwn(_summary(facts)),
            f"Status: {status_text(facts)}",
            f"SLAs: {_mrkdwn(_slas(facts))}",
            f"Services: {_mrkdwn(_repos(facts))}",
            f"Cause: {_mrkdwn(cause_text(facts))}",
            f"Customer impact: {_mrkdwn(_impact(facts))}",
            f"{_capital(freshness_text(facts))}. {_update(facts)}",
        ]
    )
    return Message(row.communication_id, row.audience, _subject(facts), f"{body}\n", "SLACK")


def leadership_email(facts: Facts, summary: str = "", playbook: Playbook | None = None) -> Message:
    """Return the e-mail to leadership, as plain text.

    Parameters
    ----------
    summary : str
        Executive summary of the SLA report (`risk_narrative`); empty: said to be unknown.
    """
    row = _row(playbook, "email")
    text = "\n".join(line(part) for part in summary.splitlines()).strip()
    body = f"""\
{line(_summary(facts))}

Severity: {facts.severity.value}
Status: {status_text(facts)}
Began: {UNKNOWN if facts.started_at is None else time_text(facts.started_at)}
SLAs breached: {_slas(facts)}
Services affected: {_repos(facts)}
Customer impact: {_impact(facts)}
Root cause: {cause_text(facts)}
ETA to resolution: {_eta(facts)}

{row.template}:
{text or f"{UNKNOWN}: no SLA report is on record."}

{_capital(freshness_text(facts))}. {_update(facts)}
"""
    return Message(row.communication_id, row.audience, _subject(facts), body, "TEXT")


def bridge_call(facts: Facts, bridge: str = "", playbook: Playbook | None = None) -> Message:
    """Return the invitation to the bridge call, as plain text. `bridge` is its number or address."""
    row = _row(playbook, "bridge")
    teams = listed(dict.fromkeys(line(repo.team) for repo in facts.repos if repo.team), nothing=UNKNOWN)
    body = f"""\
{row.template}: {line(facts.incident_id)}
Join: {line(bridge) or f"{UNKNOWN}; ask the on-call engineer"}
Teams: {teams}
Where it stands: {status_text(facts)}. {line(_summary(facts))}
Root cause: {cause_text(facts)}
Agenda: 1. what is known  2. containment and who does it  3. who is told what  4. time of the next update
{_capital(freshness_text(facts))}. {_update(facts)}
"""
    return Message(row.communication_id, row.audience, _subject(facts), body, "TEXT")


def messages(
    facts: Facts, summary: str = "", bridge: str = "", playbook: Playbook | None = None
) -> tuple[Message, ...]:
    """Return all texts: the escalation template and the four communication actions."""
    return (
        escalation_text(facts),
        status_page(facts, playbook),
        slack(facts, playbook),
        leadership_email(facts, summary, playbook),
        bridge_call(facts, bridge, playbook),
    )


def _row(playbook: Playbook | None, key: str) -> CommunicationRow:
    return next(row for row in (playbook or packaged()).communication if row.communication_id == key)


def _opening(template: str) -> str:
    """Return the words of a template without the dots that stand for what follows."""
    return re.sub(r"\s*(\.{3}|…)\s*$", "", template)


def _summary(facts: Facts) -> str:
    return f"{line(facts.title).rstrip('.') or facts.incident_type}."


def _subject(facts: Facts) -> str:
    return f"[{facts.severity.value}] {line(facts.incident_id)}: {line(facts.title) or facts.incident_type}"


def _slas(facts: Facts) -> str:
    return listed(map(sla_text, facts.slas), nothing=_nothing(facts))


def _repos(facts: Facts) -> str:
    return listed((line(repo.repo) for repo in facts.repos), nothing=_nothing(facts))


def _nothing(facts: Facts) -> str:
    """That a run found none, or that nobody looked."""
    return f"{UNKNOWN}: no run was recorded" if facts.data_until is None else "none known"


def _impact(facts: Facts) -> str:
    is_known = facts.customer_impact is not None or facts.customer_impact_text.strip()
    return customer_impact_text(facts) if is_known else UNKNOWN


def _eta(facts: Facts) -> str:
    if facts.is_over:
        return f"Resolved at {time_text(facts.resolved_at or facts.closed_at)}"
    return line(facts.eta) if facts.eta and facts.eta.strip() else UNKNOWN


def _next(facts: Facts) -> str:
    if facts.is_over:
        return "None: resolved"
    return f"{UNKNOWN}: no time is set" if facts.next_update_at is None else time_text(facts.next_update_at)


def _update(facts: Facts) -> str:
    if facts.is_over:
        return "There will be no further update."
    if facts.next_update_at is None:
        return "The time of the next update is not set yet."
    return f"Next update: {time_text(facts.next_update_at)}."


def _actions(facts: Facts) -> str:
    if not facts.actions:
        return "None recorded yet"
    return "\n".join(
        f"{n}. {markdown_text(action.text)}{f' ({markdown_text(action.owner)})' if action.owner else ''}"
        for n, action in enumerate(facts.actions, start=1)
    )


def _mrkdwn(text: str) -> str:
    """Slack's three control characters escaped; for the signs of bold and the like it has no escape,
    https://docs.slack.dev/messaging/formatting-message-text.
    """
    return line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
