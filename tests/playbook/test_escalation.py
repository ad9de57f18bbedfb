"""Who is told when: the matrix, the conditions, acknowledgement and progress."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from case_samples import BARE, FULL, at
from hypothesis import given
from hypothesis import strategies as st

from tars_lib.model.names import AlertSeverity, AlertType, Severity
from tars_lib.playbook.config import read_playbook
from tars_lib.playbook.escalation import escalate, timeouts
from tars_lib.playbook.facts import BreachedSla, Facts, Status, ToldContact
from tars_lib.playbook.tables import Condition

SLA = (BreachedSla("availability", "Availability"),)


def due(facts: Facts, now: datetime) -> list[tuple[str, float]]:
    """Contacts that are due, with the minute."""
    return [(rung.contact, (rung.due_at - BARE.opened_at).total_seconds() / 60) for rung in escalate(facts, now).due]


@pytest.mark.parametrize(
    ("severity", "expected"),
    [
        ("SEV-1", [("On-call engineer", 0), ("Team lead", 15), ("Engineering manager", 30), ("VP Engineering", 60)]),
        # without progress the next tier follows where the row ends
        ("SEV-2", [("On-call engineer", 0), ("Team lead", 15), ("Engineering manager", 30), ("VP Engineering", 60)]),
        ("SEV-3", [("On-call engineer", 0), ("Team lead", 15), ("Engineering manager", 30), ("VP Engineering", 60)]),
        ("SEV-4", [("Create ticket", 0)]),
    ],
)
def test_every_rung_of_the_matrix_is_due_at_its_minute(severity: str, expected: list[tuple[str, float]]) -> None:
    facts = replace(BARE, severity=Severity(severity))
    assert due(facts, at(600)) == expected
    for contact, minute in expected:
        assert contact not in dict(due(facts, at(minute - 0.1)))
        assert contact in dict(due(facts, at(minute)))


@pytest.mark.parametrize(("severity", "rungs"), [("SEV-1", 4), ("SEV-2", 3), ("SEV-3", 2), ("SEV-4", 1)])
def test_the_rule_that_fired_is_the_matrix_up_to_the_end_of_its_row(severity: str, rungs: int) -> None:
    found = escalate(replace(BARE, severity=Severity(severity)), at(600)).due
    assert [rung.rule.startswith(f"matrix: {severity}") for rung in found] == [n < rungs for n in range(len(found))]
    assert all(rung.rule == "condition: No progress 30 min" for rung in found[rungs:])


@pytest.mark.parametrize(
    ("changes", "contacts", "methods", "rule"),
    [
        ({"slas": SLA}, ("VP Engineering",), ("Phone", "Email"), "condition: SLA breach"),
        ({"customer_impact": True}, ("Customer Success",), ("Slack", "Email"), "condition: Customer impact"),
        ({"data_loss_risk": True}, ("Security team",), ("Phone", "Slack"), "condition: Data loss risk"),
        (
            {"regulatory_impact": True},
            ("Legal", "Compliance"),
            ("Email (documented)",),
            "condition: Regulatory impact",
        ),
    ],
)
@pytest.mark.parametrize("severity", list(Severity))
def test_every_condition_names_its_contacts_at_once(
    changes: dict[str, object], contacts: tuple[str, ...], methods: tuple[str, ...], rule: str, severity: Severity
) -> None:
    facts = replace(BARE, severity=severity, acknowledged_at=at(0), **changes)
    found = {rung.contact: rung for rung in escalate(facts, at(0)).due}
    for contact in contacts:
        assert (found[contact].due_at, found[contact].methods, found[contact].rule) == (at(0), methods, rule)
    without = {rung.contact for rung in escalate(replace(BARE, severity=severity), at(0)).due}
    assert set(found) - without == set(contacts)


def test_where_two_rules_name_the_vp_the_more_urgent_wins_and_both_are_named() -> None:
    (vp,) = [r for r in escalate(replace(BARE, slas=SLA), at(5)).due if r.contact == "VP Engineering"]
    assert (vp.due_at, vp.rule) == (at(0), "condition: SLA breach")
    assert vp.also == ("matrix: SEV-1, 1 hour (15:30 UTC)", "condition: No progress 30 min (15:30 UTC)")


def test_a_condition_that_becomes_known_later_is_due_from_then() -> None:
    facts = replace(BARE, data_loss_risk=True, condition_since=((Condition.DATA_LOSS_RISK, at(7)),))
    assert ("Security team", 7) in due(facts, at(7))
    assert "Security team" not in dict(due(facts, at(6)))


def test_unanswered_conditions_are_unknown_and_not_no() -> None:
    unknown = escalate(BARE, at(0)).unknown
    assert unknown == (Condition.CUSTOMER_IMPACT, Condition.DATA_LOSS_RISK, Condition.REGULATORY_IMPACT)
    assert escalate(replace(FULL, status=Status.OPEN), at(0)).unknown == ()


def test_acknowledged_with_progress_stops_the_matrix_and_silence_starts_it_again() -> None:
    facts = replace(BARE, acknowledged_at=at(2), progress_at=(at(10),))
    assert due(facts, at(39)) == [("On-call engineer", 0)]
    # 30 minutes after the last progress: the tier after the on-call engineer
    assert due(facts, at(40))[1:] == [("Team lead", 40)]
    # the matrix's own rung of 60 minutes falls into silence, so it counts
    assert due(facts, at(60))[2:] == [("VP Engineering", 60)]


def test_acknowledged_without_progress_goes_on() -> None:
    assert due(replace(BARE, acknowledged_at=at(2)), at(15))[-1] == ("Team lead", 15)


def test_progress_without_acknowledgement_goes_on() -> None:
    assert due(replace(BARE, progress_at=(at(10),)), at(15))[-1] == ("Team lead", 15)


def test_steady_progress_escalates_to_nobody() -> None:
    facts = replace(BARE, acknowledged_at=at(1), progress_at=tuple(at(m) for m in range(5, 300, 20)))
    assert due(facts, at(300)) == [("On-call engineer", 0)]


def test_who_was_told_is_done_whatever_the_letter_case() -> None:
    facts = replace(BARE, told=(ToldContact("on-call ENGINEER", at(1)), ToldContact("Press office", at(3))))
    found = escalate(facts, at(20))
    assert [rung.contact for rung in found.due] == ["Team lead"]
    assert [(rung.contact, rung.told_at) for rung in found.told] == [
        ("On-call engineer", at(1)),
        ("Press office", at(3)),
    ]
    assert [rung.contact for rung in found.upcoming] == ["Engineering manager", "VP Engineering"]


def test_resolution_stops_the_matrix_but_not_untold_conditions() -> None:
    facts = replace(BARE, status=Status.RESOLVED, resolved_at=at(20), regulatory_impact=True)
    assert dict(due(facts, at(600))) == {"On-call engineer": 0, "Legal": 0, "Compliance": 0, "Team lead": 15}
    assert escalate(facts, at(600)).upcoming == ()
    closed = escalate(replace(facts, status=Status.CLOSED), at(600))
    assert (closed.due, closed.upcoming) == ((), ())


def test_overdue_rungs_become_alerts_with_a_stable_fingerprint() -> None:
    assert [alert.first_seen for alert in timeouts(BARE, at(0))] == []
    first, second = timeouts(BARE, at(16))
    assert (first.type, first.severity) == (AlertType.ESCALATION_TIMEOUT, AlertSeverity.CRITICAL)
    assert first.fingerprint == "escalation:INC-202601051430:On-call engineer"
    assert second.message == "notify Team lead (Phone) was due at 2026-01-05 14:45 UTC (matrix: SEV-1, 15 min)"
    assert {alert.fingerprint for alert in timeouts(BARE, at(16))} <= {a.fingerprint for a in timeouts(BARE, at(90))}


def test_an_organisations_matrix_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("escalation: {after: [0m, 5m, 10m, 20m], no_progress_after: 7m}\n", encoding="utf-8")
    found = escalate(BARE, at(6), read_playbook(path).playbook)
    assert [rung.contact for rung in found.due] == ["On-call engineer", "Team lead"]


MATRIX = {
    "SEV-1": {0: "On-call engineer", 15: "Team lead", 30: "Engineering manager", 60: "VP Engineering"},
    "SEV-2": {0: "On-call engineer", 15: "Team lead", 30: "Engineering manager"},
    "SEV-3": {0: "On-call engineer", 15: "Team lead"},
}
TIERS = list(MATRIX["SEV-1"].values())


def walked(severity: str, acknowledged: int | None, progress: set[int], until: int) -> dict[str, int]:
    """Minute by minute, by the words of the page: who is told first at which minute."""
    found: dict[str, int] = {}
    reached, since = 0, 0
    for minute in range(until + 1):
        if minute and minute in progress:
            since = minute
        is_silent = not any(minute - 30 < time <= minute for time in progress)
        is_acknowledged = acknowledged is not None and acknowledged <= minute
        before = reached
        contact = MATRIX[severity].get(minute)
        if contact and (minute == 0 or is_silent or not is_acknowledged):
            found.setdefault(contact, minute)
            reached = max(reached, TIERS.index(contact))
        if minute > since and (minute - since) % 30 == 0 and before + 1 < len(TIERS):
            found.setdefault(TIERS[before + 1], minute)
            reached = max(reached, before + 1)
    return found


@given(
    st.sampled_from(sorted(MATRIX)),
    st.none() | st.integers(0, 100),
    st.sets(st.integers(0, 150), max_size=6),
    st.integers(0, 200),
)
def test_a_walk_minute_by_minute_finds_the_same(
    severity: str, acknowledged: int | None, progress: set[int], until: int
) -> None:
    facts = replace(
        BARE,
        severity=Severity(severity),
        acknowledged_at=None if acknowledged is None else at(acknowledged),
        progress_at=tuple(at(minute) for minute in progress),
    )
    assert dict(due(facts, at(until))) == walked(severity, acknowledged, progress, until)
