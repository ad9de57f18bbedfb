"""`events.csv`: changes and maintenance windows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from org_samples import T0, RootBuilder, series

from tars_lib.errors import InputError

HEAD = "timestamp,repo,kind,title,ref,until\n"
FIRST = "2026-01-01T00:00:00Z,web,deploy,Release,v1,\n"


@pytest.fixture
def web(root: RootBuilder) -> RootBuilder:
    return root.add(series("web", "health_score", [90] * 3))


def test_events_are_read_in_time_order_with_kinds_in_lower_case(web: RootBuilder) -> None:
    text = HEAD + '2026-01-02T00:00:00Z,,Maintenance,"Move, all\nof it",,2026-01-02T03:00:00Z\n' + FIRST
    deploy, move = web.file("events.csv", text).load().events
    assert (deploy.kind, deploy.repo, deploy.title, deploy.ref, deploy.until) == (
        "deploy",
        "web",
        "Release",
        "v1",
        None,
    )
    assert (move.kind, move.repo, move.title, move.ref) == ("maintenance", None, "Move, all\nof it", None)
    assert move.until == T0 + timedelta(days=1, hours=3)


def test_ref_and_until_may_be_absent_and_bom_and_crlf_do_not_matter(web: RootBuilder) -> None:
    text = "\ufefftimestamp,repo,kind,title\r\n2026-01-01T00:00:00Z,web,config,Flag\r\n"
    (event,) = web.file("events.csv", text).load().events
    assert (event.kind, event.ref, event.until) == ("config", None, None)


def test_an_event_without_a_title_is_called_by_its_kind(web: RootBuilder) -> None:
    assert web.file("events.csv", HEAD + "2026-01-01T00:00:00Z,web,deploy,,,\n").load().events[0].title == "deploy"


def test_a_repo_that_nobody_knows_and_a_window_without_an_end_are_warnings(web: RootBuilder) -> None:
    org = web.file("events.csv", HEAD + "2026-01-01T00:00:00Z,gost,maintenance,x,,\n").load()
    assert "events.csv names services without data or description: gost" in org.warnings
    assert any("1 maintenance events have no end (until) and exclude nothing" in w for w in org.warnings)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "events.csv: the file is empty; its first row must name the columns timestamp, repo, kind, title"),
        ("timestamp,repo,title\n", "events.csv, row 1: column kind is missing; needed: timestamp, repo, kind, title"),
        (
            HEAD + FIRST + "2026-01-01T00:00:00,web,deploy,x,,\n",
            "events.csv, row 3, column timestamp: .* has no time zone",
        ),
        (HEAD + FIRST + "soon,web,deploy,x,,\n", "events.csv, row 3, column timestamp: 'soon' is not a time"),
        (HEAD + FIRST + ",web,deploy,x,,\n", "events.csv, row 3, column timestamp: '' is not a time"),
        (
            HEAD + FIRST + "2026-01-01T00:00:00Z,web,,x,,\n",
            "events.csv, row 3, column kind: empty; a kind such as deploy",
        ),
        (
            HEAD + FIRST + "2026-01-01T00:00:00Z,web,maintenance,x,,later\n",
            "events.csv, row 3, column until: 'later' is not a time",
        ),
        (
            HEAD + FIRST + "2026-01-02T00:00:00Z,web,maintenance,x,,2026-01-01T00:00:00Z\n",
            "events.csv, row 3, column until: 2026-01-01T00:00:00Z is before the event's timestamp",
        ),
    ],
)
def test_a_bad_event_is_refused_with_row_and_column(web: RootBuilder, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        web.file("events.csv", text).load()


def test_events_that_are_not_utf8_are_refused(web: RootBuilder) -> None:
    with pytest.raises(InputError, match="events.csv, row 2: .* is not UTF-8 text"):
        web.file("events.csv", HEAD.encode() + b"\xff\n").load()


def test_an_assumed_zone_holds_for_events_too(web: RootBuilder) -> None:
    org = web.file("events.csv", HEAD + "2026-01-01T05:45:00,web,deploy,x,,\n").load(assume_tz="Asia/Kathmandu")
    assert org.events[0].timestamp == T0


def test_an_event_that_stands_twice_counts_once_and_a_service_does_not_call_itself(web: RootBuilder) -> None:
    """Two deploys of one second, title and ref are one; `org.yaml` without a word is told, since units are lost with it."""
    org = web.file("events.csv", HEAD + FIRST + FIRST.replace("v1", "v2") + FIRST)
    org.file(
        "org.yaml",
        "dependencies: [{from: web, to: web}, {from: web, to: api}, {from: Web, to: api}]\nrepos: {api: {}}\n",
    )
    loaded = org.load()
    assert [event.ref for event in loaded.events] == ["v1", "v2"]
    assert [(edge.caller, edge.callee) for edge in loaded.dependencies] == [("web", "api")]
    assert "events.csv: 1 events stand there more than once, and count once" in loaded.warnings
    assert "dependencies: web would call itself; that is left out" in loaded.warnings
    org.file("org.yaml", "# name: Acme\n")
    assert "org.yaml says nothing: it is empty, or all of it is a comment" in org.load().warnings
