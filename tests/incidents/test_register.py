"""Ids, folders, clocks, and what is possible in which state."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from tars_lib.errors import ConfigError, InputError
from tars_lib.incidents.response import acts
from tars_lib.incidents.response.acts import ALLOWED, Writer, possible
from tars_lib.incidents.response.escalating import escalate
from tars_lib.incidents.response.follow_up_acts import add_item, hold_review
from tars_lib.incidents.response.legal_hold import hold, release
from tars_lib.incidents.response.messages import notified
from tars_lib.incidents.response.opening import by_hand, from_codes, open_incident
from tars_lib.incidents.store.journal import Written, read_entries, read_incident
from tars_lib.incidents.store.record import Condition, CustomerImpact, Incident, IncidentStatus
from tars_lib.incidents.store.register import folder_of, folders, is_incident_id, new_folder
from tars_lib.incidents.views.clocks import contain_clock, is_late, respond_clock, rungs_left
from tars_lib.model.names import ContainmentType, Severity
from tars_lib.playbook.packaged import packaged

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)  # a Monday
OPEN = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from tars_lib.incidents.response.opening import by_hand, open_incident
from tars_lib.model.names import Severity
open_incident(Path(sys.argv[1]), by_hand(Severity.SEV_3, sys.argv[2]), "ada", datetime(2026, 5, 4, 12, tzinfo=UTC))
"""


def opened(root: Path, *codes: int, severity: Severity | None = None) -> Written:
    opening = from_codes(codes, severity) if codes else by_hand(severity or Severity.SEV_2, "Slow")
    return open_incident(root, opening, "ada", NOON)


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_ids_are_the_minute_in_utc_and_a_taken_one_gets_the_next_number(tmp_path: Path) -> None:
    nepal = datetime(2026, 5, 4, 17, 45, 30, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    names = [new_folder(tmp_path, nepal).name for _ in range(11)]
    assert names == ["INC-202605041200", *(f"INC-202605041200-{n}" for n in range(2, 12))]
    (tmp_path / "INC-202605041159").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "notes").mkdir()
    assert [path.name for path in folders(tmp_path)] == [*reversed(names), "INC-202605041159"]


@pytest.mark.parametrize(
    "name", ["", "..", "INC-", "INC-202605041200/..", "INC-2026", "inc-202605041200", "INC-202605041200-0"]
)
def test_other_names_are_no_ids_and_lead_nowhere(tmp_path: Path, name: str) -> None:
    assert not is_incident_id(name)
    with pytest.raises(InputError, match="is no incident id; INC-YYYYMMDDHHMM is"):
        folder_of(tmp_path, name)


@pytest.mark.usefixtures("forked_code")
@pytest.mark.parametrize("processes", [8, pytest.param(50, marks=pytest.mark.thorough)])
def test_processes_in_the_same_minute_open_an_incident_each(tmp_path: Path, processes: int) -> None:
    words = [sys.executable, "-c", OPEN, str(tmp_path / "incidents")]
    started = [subprocess.Popen([*words, f"no {number}"]) for number in range(processes)]
    assert [process.wait() for process in started] == [0] * processes
    there = folders(tmp_path / "incidents")
    incidents = [read_incident(folder) for folder in there]
    assert len(there) == processes
    assert sorted(incident.title for incident in incidents if incident) == sorted(f"no {n}" for n in range(processes))
    assert {incident.incident_id for incident in incidents if incident} == {folder.name for folder in there}
    assert {folder.name for folder in there} == {
        "INC-202605041200",
        *(f"INC-202605041200-{n}" for n in range(2, processes + 1)),
    }


@pytest.mark.parametrize(
    ("codes", "respond", "contain"),
    [
        ((142,), 15, 15),
        ((132,), 15, 15),
        ((122,), 15, 30),
        ((102,), 15, 30),
        ((92,), 60, None),
        ((141,), 60, None),
        ((121,), 240, None),
        ((131, 92, 142), 15, 15),
    ],
)
def test_clocks_are_the_playbooks(tmp_path: Path, codes: tuple[int, ...], respond: int, contain: int | None) -> None:
    incident = opened(tmp_path, *codes).incident
    assert respond_clock(incident, packaged()).due_at == after(respond)
    assert contain_clock(incident).due_at == (None if contain is None else after(contain))
    assert incident.exit_codes == codes
    assert not is_late(incident, after(respond), packaged())
    assert is_late(incident, after(respond + 1), packaged())


def test_a_ticket_is_due_at_the_end_of_the_next_business_day(tmp_path: Path) -> None:
    incident = opened(tmp_path, severity=Severity.SEV_4).incident
    assert respond_clock(incident, packaged()).due_at == datetime(2026, 5, 6, tzinfo=UTC)


def test_each_clock_stops_when_its_act_is_done_and_says_whether_that_was_in_time(tmp_path: Path) -> None:
    folder = tmp_path / opened(tmp_path, 142).incident.incident_id
    acts.acknowledge(Writer(folder, "ada", after(14)))
    acts.start_containment(Writer(folder, "ada", after(15)), text="Shed load")
    done = acts.finish_containment(Writer(folder, "ada", after(20)), None).incident
    assert respond_clock(done, packaged()).left(after(90)) == timedelta(minutes=1)
    assert contain_clock(done).left(after(90)) == timedelta(minutes=-5)
    assert not is_late(done, after(90), packaged())
    acts.resolve(Writer(folder, "ada", after(30)), "load is back")
    again = acts.reopen(Writer(folder, "ada", after(60)), "it is back, too").incident
    assert (again.status, again.resolved_at, again.contained_at) == (IncidentStatus.ACKNOWLEDGED, None, None)
    assert contain_clock(again).due_at == after(75)
    assert respond_clock(again, packaged()).stopped_at == after(14)


ACTS: dict[str, Callable[[Writer], Written]] = {
    "ack": acts.acknowledge,
    "note": lambda writer: acts.note(writer, "text"),
    "record": lambda writer: acts.record_fact(writer, cause="a full disk"),
    "contain": lambda writer: acts.start_containment(writer, text="Shed load"),
    "escalate": lambda writer: escalate(writer, "Legal"),
    "notify": lambda writer: notified(writer, "We are on it", ["1 slack: sent"]),
    "action": lambda writer: add_item(writer, "Alert on the queue", "grace"),
    "review": lambda writer: hold_review(writer, "debrief"),
    "update": lambda writer: acts.update(writer, "text"),
    "resolve": lambda writer: acts.resolve(writer, "over"),
    "close": acts.close,
    "reopen": lambda writer: acts.reopen(writer, "not over"),
    "hold": lambda writer: hold(writer, "a claim is made"),
    "release": lambda writer: release(writer, "the claim is settled"),
}
PATHS: dict[IncidentStatus, list[str]] = {
    IncidentStatus.OPEN: [],
    IncidentStatus.ACKNOWLEDGED: ["ack"],
    IncidentStatus.MITIGATING: ["ack", "contain"],
    IncidentStatus.RESOLVED: ["ack", "resolve"],
    IncidentStatus.CLOSED: ["ack", "resolve", "close"],
}


@pytest.mark.parametrize("status", IncidentStatus)
@pytest.mark.parametrize("name", ALLOWED)
def test_an_act_is_done_where_it_is_possible_and_refused_with_what_is_elsewhere(
    tmp_path: Path, status: IncidentStatus, name: str
) -> None:
    folder = tmp_path / opened(tmp_path, 142).incident.incident_id
    writer = Writer(folder, "ada", after(1))
    for step in PATHS[status]:
        ACTS[step](writer)
    if name == "release":
        hold(writer, "a claim is made")
    count = len(read_entries(folder))
    before = read_incident(folder)
    assert before is not None
    assert before.status is status
    if name in possible(status):
        ACTS[name](writer)
        assert len(read_entries(folder)) == count + 1
        return
    with pytest.raises(InputError, match=f"is {status.value}.*possible now: {', '.join(possible(status))}"):
        ACTS[name](writer)
    assert read_incident(folder) == before


def test_escalation_goes_up_the_matrix_and_refuses_when_every_rung_was_told(tmp_path: Path) -> None:
    folder = tmp_path / opened(tmp_path, severity=Severity.SEV_2).incident.incident_id
    writer = Writer(folder, "ada", NOON)
    acts.acknowledge(writer)
    told = [escalate(writer).incident.escalations[-1].contact for _ in range(2)]
    assert told == ["Team lead", "Engineering manager"]
    with pytest.raises(InputError, match="everybody in the matrix for SEV-2 was notified"):
        escalate(writer)
    raised = acts.record_fact(writer, severity=Severity.SEV_1, conditions=[Condition.DATA_LOSS_RISK]).incident
    assert (rungs_left(raised, packaged()), raised.conditions) == (["VP Engineering"], (Condition.DATA_LOSS_RISK,))


def test_a_cause_that_a_person_found_stands_first_and_brings_its_row_of_the_playbook(tmp_path: Path) -> None:
    folder = tmp_path / opened(tmp_path).incident.incident_id
    writer = Writer(folder, "grace", NOON)
    kind = ContainmentType.SINGLE_REPO_DEGRADATION
    found: Incident = acts.record_fact(
        writer, cause="a full disk", containment_type=kind, repo="api", customer_impact=CustomerImpact.YES
    ).incident
    again = acts.record_fact(writer, cause="the log of debug", containment_type=kind, repo="api").incident
    assert (found.causes[0].cause, found.causes[0].source, found.causes[0].confidence) == ("a full disk", "grace", None)
    assert [action.text for action in again.actions] == [
        "Freeze deployments to api",
        "Enable Feature Flags (api)",
        "Increase Check Frequency",
        "Enable Verbose Logging",
    ]
    assert [cause.cause for cause in again.causes] == ["the log of debug", "a full disk"]


def test_actions_go_from_suggested_to_started_to_done_and_back(tmp_path: Path) -> None:
    folder = tmp_path / opened(tmp_path).incident.incident_id
    writer = Writer(folder, "ada", NOON)
    acts.acknowledge(writer)
    with pytest.raises(InputError, match="no action is SUGGESTED; the checklist: none; TEXT adds"):
        acts.start_containment(writer)
    acts.start_containment(writer, text="Shed load", owner="grace")
    with pytest.raises(InputError, match="action 'A2' is not STARTED; the checklist: A1 STARTED"):
        acts.finish_containment(writer, "A2")
    acts.finish_containment(writer, "a1")
    last = acts.finish_containment(writer, "A1", revert=True).incident
    assert [(action.owner, action.state.value) for action in last.actions] == [("grace", "REVERTED")]


@pytest.mark.parametrize("codes", [(0,), (130,), (124,)])
def test_codes_that_name_no_incident_open_none_unless_a_person_insists(tmp_path: Path, codes: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="no incident to open"):
        opened(tmp_path, *codes)
    assert opened(tmp_path, *codes, severity=Severity.SEV_3).incident.severity is Severity.SEV_3
