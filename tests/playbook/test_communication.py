"""The texts of an incident: filled from facts, nothing left to fill in, hostile text stays text."""

from __future__ import annotations

import re
from dataclasses import fields, replace

import pytest
from case_samples import BARE, FULL, HOSTILE, at

from tars_lib.playbook.documents.communication import (
    Message,
    bridge_call,
    escalation_text,
    leadership_email,
    messages,
    status_page,
)
from tars_lib.playbook.facts import AffectedRepo, BreachedSla, Facts, Status, TakenAction

OPEN = replace(FULL, status=Status.MITIGATING, resolved_at=None, next_update_at=at(120), eta="about 16:30 UTC")
HEADINGS = (
    "Incident ID",
    "Severity",
    "Status",
    "Summary",
    "Impact",
    "Root Cause",
    "Current Actions",
    "ETA to Resolution",
    "Next Update",
)


@pytest.mark.parametrize("facts", [BARE, OPEN, FULL], ids=["bare", "open", "over"])
def test_no_text_has_an_empty_bracket_or_a_blank_to_fill_in(facts: Facts) -> None:
    found = messages(facts)
    assert [message.communication_id for message in found] == ["escalation", "status-page", "slack", "email", "bridge"]
    for message in found:
        assert not re.search(r"\[\s*\]|\(\s*\)|\.\.\.|___|None\b(?! (known|recorded)|:)|: *$(?!\n)", message.body), (
            message.body
        )
        assert not re.search(r"\[[A-Z][a-z ]+\]", message.body)


def test_the_escalation_template_is_the_pages() -> None:
    body = escalation_text(OPEN).body
    assert tuple(re.findall(r"\*\*(.+?):\*\*", body)) == HEADINGS
    assert "**Incident ID:** INC-202601051430\n**Severity:** SEV-1\n**Status:** Mitigating\n" in body
    assert "- SLAs affected: Availability (availability)\n- Repositories affected: web, api\n" in body
    assert "- Customer impact: Yes, through Web shop; how many customers is unknown\n" in body
    assert "**Root Cause:**\napi: error rate 4x its own past (confidence: 82%)\n" in body
    assert "1. Freeze deployments to api (core)\n" in body
    assert "**ETA to Resolution:**\nabout 16:30 UTC\n" in body


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("OPEN", "Investigating"),
        ("ACKNOWLEDGED", "Investigating"),
        ("MITIGATING", "Mitigating"),
        ("RESOLVED", "Resolved"),
        ("CLOSED", "Resolved"),
    ],
)
def test_the_status_is_one_of_the_pages_three(status: str, word: str) -> None:
    assert f"**Status:** {word}\n" in escalation_text(replace(FULL, status=Status(status))).body


def test_every_text_says_how_fresh_it_is_and_when_the_next_one_comes() -> None:
    for message in messages(OPEN):
        assert "no new data since 2026-01-05 16:00 UTC" in message.body[0].lower() + message.body[1:].replace(
            "No new", "no new"
        )
        assert "2026-01-05 16:30 UTC" in message.body


def test_what_is_unknown_is_said_as_unknown() -> None:
    body = escalation_text(BARE).body
    assert "- Customer impact: UNKNOWN\n" in body
    assert "**Root Cause:**\nUnder investigation\n" in body
    assert "**ETA to Resolution:**\nUNKNOWN\n" in body
    assert "not known yet" in status_page(BARE).body
    assert "Join: UNKNOWN" in bridge_call(BARE).body
    assert "no SLA report" in leadership_email(BARE).body


def test_texts_of_an_incident_of_which_only_the_title_is_known_mark_the_rest() -> None:
    texts = {one.communication_id: one.body for one in messages(BARE)}
    for key in ("escalation", "slack", "email"):
        assert texts[key].count("UNKNOWN: no run was recorded") == 2, key
        assert "Checkout fails." in texts[key]
        assert "Customer impact: UNKNOWN" in texts[key]
    assert "\nBegan: UNKNOWN\n" in texts["email"]
    assert "\nExecutive summary from SLA report:\nUNKNOWN: no SLA report is on record.\n" in texts["email"]
    assert "\nTeams: UNKNOWN\n" in texts["bridge"]
    seen = messages(replace(BARE, data_until=at(0), customer_impact=False))
    assert not any("no run was recorded" in one.body or "impact: UNKNOWN" in one.body for one in seen)
    assert "SLAs: none known\n" in next(one.body for one in seen if one.communication_id == "slack")


def test_unknown_customer_impact_is_not_none() -> None:
    said = {impact: status_page(replace(BARE, customer_impact=impact)).body for impact in (True, False, None)}
    assert len(set(said.values())) == 3


def test_customers_read_neither_causes_nor_repos_that_they_do_not_know() -> None:
    body = status_page(OPEN).body
    assert "Web shop" in body
    assert not re.search(r"api|API|error rate|freeze", body)


def test_the_page_words_begin_the_texts() -> None:
    found = {message.communication_id: message.body for message in messages(BARE)}
    assert found["status-page"].startswith("We are investigating")
    assert found["slack"].startswith("@channel Incident in progress")
    assert "Executive summary from SLA report" in found["email"]
    assert found["bridge"].startswith("Conference bridge for coordination")


def hostile(facts: Facts) -> Facts:
    """Every text of the facts replaced by a hostile one."""
    return replace(
        facts,
        title=HOSTILE,
        eta=HOSTILE,
        customer_impact_text=HOSTILE,
        slas=(BreachedSla(HOSTILE, HOSTILE),),
        repos=(AffectedRepo(HOSTILE, HOSTILE, HOSTILE, True),),
        actions=(TakenAction(HOSTILE, None, HOSTILE),),
    )


@pytest.mark.parametrize("message", messages(hostile(OPEN), HOSTILE, HOSTILE), ids=lambda m: m.communication_id)
def test_hostile_text_stays_text(message: Message) -> None:
    whole = message.subject + message.body
    assert "\x1b" not in whole
    assert "\u202e" not in whole
    assert "[U+202E]" in whole.replace("\\", "")
    assert "\n" not in message.subject
    if message.form == "MARKDOWN":
        assert not re.search(r"(?<!\\)<script|(?<!\\)\*\*b|(?<!\\)\[x|(?<!\\)`", message.body)
    if message.form == "SLACK":
        assert not re.search(r"<", message.body)


def test_a_long_title_is_kept_whole() -> None:
    assert "x" * 10_000 in escalation_text(replace(BARE, title="x" * 10_000)).body


def test_all_fields_of_a_message_are_filled() -> None:
    for message in messages(BARE):
        assert all(getattr(message, field.name) for field in fields(message))
