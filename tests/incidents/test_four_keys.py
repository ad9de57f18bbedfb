"""Deploys and incidents that were planted give the four keys by hand; what nobody recorded is unknown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from org_samples import history_of, series

from tars_lib.errors import InputError
from tars_lib.incidents.views.four_keys import DoraKey, four_keys, read_past
from tars_lib.model.names import Event, PastIncident
from tars_lib.playbook.past_facts import facts_of_past

END = datetime(2026, 6, 1, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def deploy(days_before: float, repo: str | None = "web", title: str = "Deploy v1", kind: str = "deploy") -> Event:
    return Event(END - days_before * DAY, repo, kind, title)


def incident(days_before: float, hours: float | None, repo: str | None = "web", start: float = 0.0) -> PastIncident:
    at = END - days_before * DAY
    return PastIncident(
        at,
        "Down",
        "pager",
        None,
        repo,
        started=at - start * HOUR,
        resolved=None if hours is None else at + hours * HOUR,
    )


def keys(events: list[Event], incidents: list[PastIncident], lead: Sequence[float] = ()) -> tuple[DoraKey, ...]:
    history = history_of(series("web", "lead_time", lead, END - len(lead) * DAY))
    return four_keys(events, facts_of_past(incidents), history, END)


def test_the_keys_are_those_of_the_planted_deploys_and_incidents() -> None:
    events = [deploy(day) for day in (80, 60, 40, 20)]
    events += [
        deploy(100),
        deploy(10, title="Deploy v2 to production, failure"),
        deploy(9, kind="config"),
        deploy(50, "api"),
    ]
    events += [deploy(0.5)]  # too new to be judged
    found = keys(
        events,
        [
            incident(39.5, 3, start=1),  # 11 h after a deploy, lasted 4 h
            incident(18.9, 2),  # 26.4 h after: of no deploy
            incident(59.9, 1),  # another one of the same deploy is one failure
            incident(59.8, 5),
            incident(49.9, None, "web"),  # of another service than the one deployed, and without an end
            incident(120, 500),  # before the period
            incident(30, 9, None),
        ],
        [10.0, 20.0, 60.0],
    )
    frequency, lead, failed, restore = found
    assert (frequency.n, frequency.value) == (6, 6 / 90)
    assert (lead.value, lead.unit, lead.n) == (20.0, "h", 3)
    assert (failed.n, failed.value) == (5, 2 / 5)
    assert (failed.low, failed.high) == pytest.approx((0.1176, 0.7693), abs=1e-3)
    assert (restore.value, restore.n) == (4.0, 5)
    assert restore.basis.endswith("; 1 without an end")


def test_lead_time_is_from_a_commit_to_the_next_deploy_of_its_service() -> None:
    def commit(days_before: float, repo: str = "web", ref: str = "3f1b2a9", title: str = "Fix it") -> Event:
        return Event(END - days_before * DAY, repo, "change", title, ref)

    deploys = [deploy(30), deploy(20), deploy(19, title="Deploy v2, failed"), deploy(10), deploy(12, "api")]
    commits = [
        commit(31),  # of the first deploy that is known: it may have been out before
        commit(21),  # a day
        commit(19.5),  # the deploy that failed brought it to nobody: nine days and a half
        commit(11, title="Merge branch 'x'"),  # a day
        commit(9),  # still waits
        commit(13, "api"),
        commit(11, ref="v2", title="Release v2"),
        commit(10.5, title="Workflow deploy, success"),
    ]
    lead = keys(deploys + commits, [])[1]
    assert (lead.value, lead.unit, lead.n, lead.basis) == (
        24.0,
        "h",
        3,
        "median from the commit to the next deploy of its service",
    )
    assert keys(deploys + commits, [], [10.0])[1].value == 10.0, "what a service reports itself counts"
    assert keys([deploy(30), *commits], [])[1].basis.startswith("no deploy after another follows one")


def test_a_young_record_is_no_quarter() -> None:
    assert keys([deploy(10), deploy(5)], [])[0].value == 0.2


def test_what_nobody_recorded_is_unknown_and_says_why() -> None:
    found = keys([deploy(3, kind="config")], [])
    assert [one.value for one in found] == [None] * 4
    assert all(one.basis for one in found)
    # deploys without any incident that is known are no proof of faultless changes
    assert keys([deploy(30), deploy(3)], [incident(2.9, 1, None)])[2].value is None
    assert keys([deploy(30), deploy(3)], [incident(9, 1)])[2].value == 0.0


def test_a_folder_without_incidents_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"incidents.csv: not there; tars import makes it"):
        read_past(tmp_path)
