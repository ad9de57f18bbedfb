"""The postmortem, the reviews that follow, and deadlines as a calendar."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from case_samples import BARE, CAUSE, FULL, HOSTILE, OPENED, at

from tars_lib.playbook.deadlines import Deadline, calendar, deadlines
from tars_lib.playbook.documents.communication import escalation_text
from tars_lib.playbook.documents.postmortem import impact, item_ids, overdue_items, postmortem, review_deadlines
from tars_lib.playbook.facts import ActionItem, BreachedSla, ContainmentOutcome, HeldReview, Status, TimelineRow
from tars_lib.playbook.packaged import packaged
from tars_lib.playbook.wording import distinct

DAY = 1440
RESOLVED = 95


def test_the_template_is_the_pages() -> None:
    text = postmortem(FULL, at(200))
    assert "# Incident Postmortem: INC-202601051430\n" in text
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings[:8] == [
        "Summary",
        "Timeline",
        "Root Cause",
        "Impact",
        "What Went Well",
        "What Could Be Improved",
        "Action Items",
        "Lessons Learned",
    ]
    assert "| ID | Action | Owner | Due Date | Status |\n" in text
    assert not re.search(r"\[\s*\]|\(\s*\)|\bNone\b(?! recorded)", text.partition("---\n\n")[2])


def test_impact_is_computed_from_the_facts() -> None:
    cost = impact(FULL)
    assert (cost.duration, cost.is_from_start) == (timedelta(minutes=115), True)
    assert (cost.slas, cost.repos, cost.budget_consumed) == (
        ("availability",),
        ("web", "api"),
        (("availability", 1.6),),
    )
    text = postmortem(FULL, at(200))
    assert "- Duration: 1.9 hours (1 h 55 min), since 2026-01-05 14:10 UTC\n" in text
    assert "- Error budget of availability: 160% consumed\n" in text
    assert "- SLAs breached: Availability (availability)\n" in text


def test_what_is_not_known_is_not_made_up() -> None:
    text = postmortem(BARE, at(10))
    assert "- Duration: not over yet\n" in text
    assert "- Customers affected: Unknown\n" in text
    assert "| unknown | Nothing was recorded | - |\n" in text
    over = postmortem(replace(BARE, status=Status.RESOLVED, resolved_at=at(60)), at(61))
    assert "- Duration: at least 1.0 hours (1 h); when it began is unknown\n" in over


def test_the_timeline_is_in_order_with_the_source_of_each_row() -> None:
    rows = re.findall(r"^\| (\d{4}-\d\d-\d\d \d\d:\d\d) \| (.+) \| (.+) \|$", postmortem(FULL, at(200)), re.MULTILINE)
    assert rows == [
        ("2026-01-05 14:10", "availability left its objective", "run tars-run-20260105-143000"),
        ("2026-01-05 14:32", "Acknowledged", "register"),
    ]


def test_the_head_is_yaml_and_reads_back() -> None:
    hostile = replace(FULL, title=f"{HOSTILE}: - 'x' \x85 \U0001f600 # no")
    head = yaml.safe_load(postmortem(hostile, at(200)).split("---\n")[1])
    assert head["severity"] == "SEV-1"
    assert head["slas"] == ["availability"]
    assert head["duration_minutes"] == 115
    assert head["title"].startswith("<script>")
    assert "\U0001f600" in head["title"]
    assert head["playbook_sha256"] == packaged().sha256


def test_hostile_text_breaks_neither_table_nor_heading() -> None:
    facts = replace(
        FULL,
        title=HOSTILE,
        timeline=(TimelineRow(at(1), HOSTILE, HOSTILE),),
        action_items=(ActionItem(HOSTILE, HOSTILE),),
    )
    body = postmortem(facts, at(200)).split("---\n", 2)[2]
    assert "\x1b" not in body
    for row in re.findall(r"^\|.*\|$", body, re.MULTILINE):
        assert len(re.findall(r"(?<!\\)\|", row)) in (4, 6)
    assert not re.search(r"(?<!\\)<script", body)


def test_clocks_that_were_met_and_missed_are_told_apart() -> None:
    good = postmortem(FULL, at(200))
    assert (
        "1. Acknowledged after 2 min; 15 min are allowed\n2. Contained after 12 min; 15 min are allowed\n"
        in good.partition("What Could")[0]
    )
    late = postmortem(replace(FULL, acknowledged_at=at(16)), at(200))
    assert "1. Acknowledged after 16 min; 15 min are allowed\n" in late.partition("What Could")[2]


def test_action_items_get_ids_that_do_not_collide() -> None:
    facts = replace(
        FULL, action_items=(ActionItem("a"), ActionItem("b", item_id="INC-202601051430-1"), ActionItem("c"))
    )
    assert [key for key, _ in item_ids(facts)] == ["INC-202601051430-2", "INC-202601051430-1", "INC-202601051430-3"]


def test_overdue_items_are_open_ones_past_their_date() -> None:
    items = (
        ActionItem("a", due=at(10)),
        ActionItem("b", due=at(10), is_done=True),
        ActionItem("c"),
        ActionItem("d", due=at(30)),
    )
    facts = replace(FULL, action_items=items)
    assert [item.text for _, item in overdue_items(facts, at(20))] == ["a"]
    assert overdue_items(facts, at(10)) == ()
    assert re.findall(r"\| (Done|Overdue|Open) \|", postmortem(facts, at(20))) == ["Overdue", "Done", "Open", "Open"]


@pytest.mark.parametrize(
    ("review_id", "due"),
    [
        ("debrief", at(RESOLVED + DAY)),
        ("postmortem", at(RESOLVED + 5 * DAY)),
        ("action-items", at(RESOLVED + 7 * DAY)),
        ("trend", datetime(2026, 2, 5, 16, 5, tzinfo=UTC)),
    ],
)
def test_every_row_of_the_review_timeline_has_its_deadline(review_id: str, due: datetime) -> None:
    (found,) = [row for row in review_deadlines(FULL, due) if row.review_id == review_id]
    assert (found.due_at, found.is_overdue) == (due, False)
    (late,) = [row for row in review_deadlines(FULL, due + timedelta(seconds=1)) if row.review_id == review_id]
    assert late.is_overdue


def test_reviews_begin_when_the_incident_is_over() -> None:
    assert review_deadlines(BARE, at(10_000)) == ()


def test_a_review_that_was_held_is_done_and_a_weekly_one_comes_back_while_items_are_open() -> None:
    held = replace(
        FULL,
        reviews=tuple(
            HeldReview(key, at(RESOLVED + DAY)) for key in ("debrief", "postmortem", "action-items", "trend")
        ),
    )
    (weekly,) = review_deadlines(held, at(RESOLVED + DAY))
    assert (weekly.review_id, weekly.due_at) == ("action-items", at(RESOLVED + 8 * DAY))
    done = tuple(replace(item, is_done=True) for item in FULL.action_items)
    assert review_deadlines(replace(held, action_items=done), at(RESOLVED + DAY)) == ()


def test_a_month_after_the_31st_is_the_last_of_the_next() -> None:
    facts = replace(FULL, resolved_at=datetime(2026, 1, 31, 9, tzinfo=UTC))
    (trend,) = [row for row in review_deadlines(facts, OPENED) if row.review_id == "trend"]
    assert trend.due_at == datetime(2026, 2, 28, 9, tzinfo=UTC)


def unfolded(text: str) -> list[tuple[str, str]]:
    """Content lines of a calendar as name and value, by RFC 5545 section 3.1."""
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    return [tuple(line.split(":", 1)) for line in text.replace("\r\n ", "").split("\r\n") if line]  # type: ignore[misc]


def test_deadlines_make_a_calendar_that_parses() -> None:
    entries = deadlines(BARE, at(0))
    lines = unfolded(calendar(BARE.incident_id, entries, at(0)))
    assert lines[0] == ("BEGIN", "VCALENDAR")
    assert lines[-1] == ("END", "VCALENDAR")
    assert lines.count(("BEGIN", "VEVENT")) == lines.count(("END", "VEVENT")) == len(entries)
    starts = [value for name, value in lines if name == "DTSTART"]
    assert starts == sorted(starts)
    assert starts[0] == "20260105T143000Z"
    titles = [value for name, value in lines if name == "SUMMARY"]
    assert {f"{BARE.incident_id}: respond", f"{BARE.incident_id}: contain"} <= set(titles)
    uids = [value for name, value in lines if name == "UID"]
    assert len(set(uids)) == len(uids)


def test_the_deadlines_of_a_resolved_incident_are_its_reviews() -> None:
    assert {
        entry.key
        for entry in deadlines(replace(FULL, slas=(), customer_impact=False, told=()), at(96))
        if not entry.key.startswith("notify")
    } == {
        "review debrief",
        "review postmortem",
        "review action-items",
        "review trend",
    }


def test_hostile_text_in_a_calendar_stays_one_property() -> None:
    title = "a;b,c\\d\nEND:VEVENT\r\nX:1 " + "é" * 200 + HOSTILE
    lines = unfolded(calendar("INC-1", [Deadline("k", at(0), title)], at(0)))
    assert [name for name, _ in lines].count("END") == 3
    (summary,) = [value for name, value in lines if name == "SUMMARY"]
    assert summary.startswith("INC-1: a\\;b\\,c\\\\d\\nEND:VEVENT\\nX:1 é")


def test_front_matter_values_are_json() -> None:
    for line in postmortem(FULL, at(200)).split("---\n")[1].splitlines():
        json.loads(line.partition(": ")[2])


def test_the_summary_says_what_was_found_how_it_ended_and_whether_containment_worked() -> None:
    told = replace(
        FULL,
        summary="Availability is breached in api: 99.5% against 99.9%.",
        resolution="the deploy was taken back",
        outcome=ContainmentOutcome("RECOVERED", "met again: availability", is_known=True),
    )
    said = postmortem(told, at(200)).partition("## Summary\n")[2].partition("\n\n## Timeline")[0]
    assert said == (
        "Availability was breached in api: 99.5% against 99.9%. SEV-1, SLA Breach.\n"
        "How it ended: the deploy was taken back.\n"
        "After containment: recovered; met again: availability."
    )
    assert escalation_text(told).body.partition("**Summary:**\n")[2].startswith("Availability was breached in api")


def test_an_end_that_no_data_shows_qualifies_the_duration() -> None:
    blind = replace(FULL, outcome=ContainmentOutcome("UNKNOWN", "no new data", is_known=False))
    text = postmortem(blind, at(200))
    assert (
        "(1 h 55 min), since 2026-01-05 14:10 UTC; no data after 2026-01-05 16:00 UTC shows that it ended then\n"
    ) in text
    assert "no data after" not in postmortem(replace(blind, outcome=None), at(200))


def test_a_missed_target_of_a_metric_is_to_be_improved_and_a_met_one_went_well() -> None:
    detected = "Detected after 16 min; the target is under 5 min"
    assert detected in postmortem(FULL, at(200)).partition("What Could")[2]
    quick = postmortem(replace(FULL, detected_at=at(-19)), at(200))
    assert "Detected after 1 min" in quick.partition("What Could")[0]
    assert "Detected" not in postmortem(replace(FULL, started_at=None), at(200)), "an unknown begin is no praise"


def test_the_same_change_of_the_same_repo_is_no_alternative_to_itself() -> None:
    first = replace(CAUSE, sla_id="availability", change="deploy of api")
    again = replace(first, cause="api: latency", metric="latency_p99", sla_id="latency", confidence=0.7)
    other = replace(CAUSE, cause="web: error rate", repo="web", sla_id="latency", confidence=0.2)
    text = postmortem(replace(FULL, causes=(first, again, other)), at(200))
    said = text.partition("## Root Cause\n")[2].partition("\n\n## Impact")[0]
    assert said == (
        "api: error rate 4x its own past (confidence: 82%); also explains latency\n"
        "- Also considered: web: error rate (confidence: 20%)"
    )


def test_causes_that_people_said_or_that_explain_nothing_stand_for_themselves() -> None:
    said = replace(CAUSE, repo=None, confidence=None)
    nothing = replace(CAUSE, confidence=0.0, sla_id="latency")
    assert distinct([said, said, CAUSE, nothing]) == [(said, ""), (said, ""), (CAUSE, ""), (nothing, "")]


def test_an_sla_without_an_error_budget_does_not_read_as_one_that_used_none() -> None:
    slow = BreachedSla("latency", "Latency", "latency", 900.0, 500.0, "ms")
    text = postmortem(replace(FULL, slas=(slow, BreachedSla("errors", "Errors"))), at(200))
    assert "- Error budget of latency: n/a\n- Error budget of errors: unknown\n" in text
