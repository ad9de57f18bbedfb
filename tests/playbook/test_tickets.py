"""Tickets and suggested objectives, and the forms that trackers take."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace

import pytest
from case_samples import BARE, FULL, HOSTILE

from tars_lib.model.names import Severity
from tars_lib.playbook.documents.tickets import (
    SloPast,
    Ticket,
    TicketKind,
    as_csv,
    as_github_issues,
    as_markdown,
    improvement_tickets,
    slo_tickets,
    slo_updates,
    tickets,
)
from tars_lib.playbook.facts import ActionItem, AffectedRepo


def test_a_sev_4_is_a_ticket_and_others_are_not() -> None:
    (made,) = tickets(replace(BARE, severity=Severity.SEV_4))
    assert (made.key, made.kind) == (BARE.incident_id, TicketKind.INCIDENT)
    assert tickets(BARE) == ()


def test_open_action_items_are_tickets_under_their_ids() -> None:
    facts = replace(FULL, action_items=(*FULL.action_items, ActionItem("done", is_done=True)))
    assert [(row.key, row.title, row.owner) for row in tickets(facts)] == [
        ("INC-202601051430-1", "Add a canary", "core"),
        ("INC-202601051430-2", "Test the breaker", None),
    ]


def test_low_health_repos_get_improvement_tickets_worst_first_and_unknown_ones_none() -> None:
    repos = (
        AffectedRepo("a", score=59.9),
        AffectedRepo("b", score=60.0),
        AffectedRepo("c", score=None),
        AffectedRepo("d", score=10.0),
    )
    assert [row.key for row in improvement_tickets(repos)] == ["improve:d", "improve:a"]


@pytest.mark.parametrize(
    ("values", "higher", "objective", "suggested"),
    [
        ((0.99, 0.98, 0.97, 0.96, 0.95, 0.999), True, 0.999, 0.95),
        ((0.5, 0.6, 0.7, 0.8, 0.9, 0.1), False, 0.2, 0.9),
        (tuple(0.990 + n / 10_000 for n in range(20)), True, 0.999, 0.9902),
        # kept at least as often as missed
        ((0.99, 0.99, 0.99, 0.999, 0.999, 0.999), True, 0.999, None),
        # too few windows to tell, unknown ones not counted
        ((0.99, 0.98, 0.97, 0.96, 0.95, float("nan")), True, 0.999, None),
    ],
)
def test_an_objective_is_unrealistic_where_most_windows_missed_it(
    values: tuple[float, ...], higher: bool, objective: float, suggested: float | None
) -> None:
    found = slo_updates([SloPast("s", objective, higher, values)])
    assert [row.suggested for row in found] == ([] if suggested is None else [pytest.approx(suggested)])
    assert len(slo_tickets(found)) == len(found)


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])
def test_csv_cells_are_never_formulas(start: str) -> None:
    row = Ticket(start, TicketKind.ACTION_ITEM, start, f'{start}\nsecond, "quoted"', start)
    head, cells = csv.reader(io.StringIO(as_csv([row]), newline=""))
    assert head == ["key", "kind", "title", "text", "owner", "due", "labels"]
    assert len(cells) == len(head)
    for column in (0, 2, 3, 4):
        assert cells[column].startswith("'")


def test_ordinary_cells_stay_as_they_are() -> None:
    (_, cells) = csv.reader(io.StringIO(as_csv([Ticket("k", TicketKind.INCIDENT, "a=b", "t", "o")]), newline=""))
    assert cells[:5] == ["k", "INCIDENT", "a=b", "t", "o"]


def test_github_issues_are_json_and_hostile_text_stays_text() -> None:
    row = Ticket("k", TicketKind.INCIDENT, HOSTILE * 20, HOSTILE, HOSTILE)
    (issue,) = json.loads(json.dumps(as_github_issues([row])))
    assert set(issue) == {"title", "body", "labels"}
    assert len(issue["title"]) <= 256
    assert not re.search(r"(?<!\\)<script|\x1b", issue["body"])
    assert not re.search(r"(?<!\\)<script|\x1b", as_markdown([row]))


def test_no_tickets_is_said() -> None:
    assert as_markdown([]) == "No tickets.\n"
    assert as_github_issues([]) == []
