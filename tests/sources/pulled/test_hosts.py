"""What code hosts, pagers, status pages and catalogues are asked, and what becomes of their answers.

The answers are made by hand after the public documentation that each module cites.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from servers import said, scripted
from worlds import World

from tars_lib.config.pulling.file import FORMS
from tars_lib.errors import InputError
from tars_lib.sources.pulled.protocol import Pulled, PullOutlook, outlook_of
from tars_lib.sources.pulled.table import source_of

DAY = "2026-01-01T"


def read(kind: str, root: Path, answers: list[bytes], **fields: Any) -> tuple[Pulled, list[str], list[str]]:
    """What a source gives, the requests that it made, and its notes."""
    world = World(root, {"TOKEN": "s3cret"})
    with scripted(*answers) as server:
        given = {"name": "x", "kind": kind, "url": server.url, "auth": {"bearer_env": "TOKEN"}} | fields
        found = source_of(kind).read(FORMS[kind].model_validate(given), world.ask)
        asked = [re.sub(r" HTTP/1\.1\r\n.*", "", text, flags=re.DOTALL) for text in server.asked]
        heads = [
            line for text in server.asked for line in text.split("\r\n") if line.lower().startswith("authorization")
        ]
    assert all("s3cret" in line for line in heads)
    assert len(heads) == len(asked)
    return found, asked, world.notes


def told(found: Pulled) -> list[tuple[str, str | None, str, str, str | None]]:
    """Events as a test compares them."""
    return [(f"{one.timestamp:%dT%H:%M}", one.repo, one.kind, one.title, one.ref) for one in found.events]


def deployment(number: int, time: str, environment: str = "production") -> dict[str, Any]:
    return {"id": number, "sha": f"{number}" * 40, "ref": "main", "environment": environment, "created_at": time}


def test_github_deployments_are_read_page_by_page_down_to_the_begin_of_the_range(tmp_path: Path) -> None:
    later, inside, before = (deployment(n, time) for n, time in enumerate(
        ("2026-01-02T09:00:00Z", f"{DAY}09:00:00Z", "2025-12-31T09:00:00Z"), start=1))  # fmt: skip
    failed = [
        {"state": "failure", "created_at": f"{DAY}09:05:00Z"},
        {"state": "in_progress", "created_at": f"{DAY}09:01:00Z"},
    ]

    found, asked, _ = read(
        "github", tmp_path, [said([later, inside]), said(failed), said([before]), said([])],
        repos={"acme/web": "web"}, read=["deployments"],
    )  # fmt: skip
    assert told(found) == [("01T09:00", "web", "deploy", "Deploy main to production, failure", "2" * 12)]
    assert asked == [
        "GET /repos/acme/web/deployments?per_page=100",
        "GET /repos/acme/web/deployments/2/statuses?per_page=100",
    ]


def test_github_releases_runs_and_commits_are_changes(tmp_path: Path) -> None:
    release = {"tag_name": "v2", "name": "Two", "created_at": f"{DAY}01:00:00Z", "published_at": f"{DAY}02:00:00Z"}
    draft = release | {"draft": True, "published_at": None}
    run = {"name": "deploy", "conclusion": "success", "head_sha": "a" * 40, "created_at": f"{DAY}03:00:00Z"}
    commit = {"sha": "d" * 40, "commit": {"message": "Fix it\n\nAt last.", "committer": {"date": f"{DAY}01:30:00Z"}}}
    found, asked, _ = read(
        "github", tmp_path, [said([release, draft]), said({"workflow_runs": [run]}), said([commit])],
        repos={"acme/web": "web"}, read=["releases", "runs", "commits"],
    )  # fmt: skip
    assert told(found) == [
        ("01T02:00", "web", "change", "Release Two", "v2"),
        ("01T03:00", "web", "change", "Workflow deploy, success", "a" * 12),
        ("01T01:30", "web", "change", "Fix it", "d" * 12),
    ]
    assert asked[1].startswith(
        "GET /repos/acme/web/actions/runs?per_page=100&created=2026-01-01T00%3A00%3A00Z..2026-01-02"
    )


def test_gitlab(tmp_path: Path) -> None:
    deployed = {
        "iid": 1, "status": "success", "sha": "b" * 40, "ref": "main", "created_at": f"{DAY}04:00:00.000Z",
        "environment": {"name": "production", "tier": "production"},
    }  # fmt: skip
    released = {"tag_name": "v3", "name": "Three", "released_at": f"{DAY}05:00:00.000Z"}
    pipeline = {"id": 7, "sha": "c" * 40, "ref": "main", "status": "failed", "created_at": f"{DAY}06:00:00.000Z"}
    commits = [
        {
            "id": "e" * 40,
            "title": "Mend  the till",
            "committed_date": f"{DAY}03:30:00.000+02:00",
            "created_at": f"{DAY}09:00:00Z",
        },
        {"id": "f" * 40, "title": "", "committed_date": f"{DAY}01:00:00Z"},
    ]
    found, asked, _ = read(
        "gitlab", tmp_path, [said([deployed]), said([released]), said([pipeline]), said(commits)],
        repos={"acme/shop/web": "web"}, read=["deployments", "releases", "pipelines", "commits"],
    )  # fmt: skip
    assert told(found) == [
        ("01T04:00", "web", "deploy", "Deploy main to production", "b" * 12),
        ("01T05:00", "web", "change", "Release Three", "v3"),
        ("01T06:00", "web", "change", "Pipeline of main, failed", "c" * 12),
        ("01T01:30", "web", "change", "Mend the till", "e" * 12),
        ("01T01:00", "web", "change", "commit", "f" * 12),
    ]
    assert asked[3].startswith(
        "GET /api/v4/projects/acme%2Fshop%2Fweb/repository/commits?per_page=100&since=2026-01-01T00%3A00%3A00Z&until="
    )
    assert asked[0] == "GET /api/v4/projects/acme%2Fshop%2Fweb/deployments?per_page=100&order_by=created_at&sort=desc"


def incident(number: int, time: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"P{number}", "incident_number": number, "title": "Down", "created_at": time, "status": "triggered",
        "service": {"summary": "Shop"}, "urgency": "high",
    } | fields  # fmt: skip


def test_pagerduty(tmp_path: Path) -> None:
    first = said(
        {"incidents": [incident(1, f"{DAY}01:00:00Z", status="resolved", resolved_at=f"{DAY}02:00:00Z")], "more": True}
    )
    second = said({"incidents": [incident(2, f"{DAY}03:00:00Z")], "more": False})
    found, asked, _ = read("pagerduty", tmp_path, [first, second], repos={"Shop": "web"})
    assert [(one.ref, one.repo, one.resolved is not None) for one in found.incidents] == [
        ("P1", "web", True),
        ("P2", "web", False),
    ]
    assert asked[1].endswith("&time_zone=UTC&limit=100&offset=100")


def test_statuspage(tmp_path: Path) -> None:
    shown = {
        "id": "s1", "name": "Slow", "status": "resolved", "impact": "minor", "created_at": f"{DAY}01:00:00Z",
        "resolved_at": f"{DAY}02:00:00Z", "components": [{"name": "Shop"}], "incident_updates": [],
    }  # fmt: skip
    planned = shown | {"id": "s2", "scheduled_for": f"{DAY}05:00:00Z", "scheduled_until": f"{DAY}06:00:00Z"}
    answers = [said({"incidents": [shown]}), said({"scheduled_maintenances": [planned]})]
    found, asked, _ = read("statuspage", tmp_path, answers, repos={"Shop": "web"})
    assert [(one.title, one.repo) for one in found.incidents] == [("Slow", "web")]
    assert told(found) == [("01T05:00", "web", "maintenance", "Slow", "s2")]
    assert asked == ["GET /api/v2/incidents.json", "GET /api/v2/scheduled-maintenances.json"]


def test_backstage(tmp_path: Path) -> None:
    def entity(name: str, **fields: Any) -> dict[str, Any]:
        about = {"apiVersion": "backstage.io/v1alpha1", "kind": "Component", "metadata": {"name": name}}
        return about | {"spec": {"owner": "group:default/shop"} | fields}

    first = said({"items": [entity("web", dependsOn=["component:api"])], "pageInfo": {"nextCursor": "abc"}})
    found, asked, _ = read("backstage", tmp_path, [first, said({"items": [entity("api")], "pageInfo": {}})])
    assert [(repo.repo, repo.team) for repo in found.repos] == [("web", "shop"), ("api", "shop")]
    assert [(edge.caller, edge.callee) for edge in found.dependencies] == [("web", "api")]
    assert asked[1] == "GET /api/catalog/entities/by-query?cursor=abc&limit=500"


def test_alertmanager(tmp_path: Path) -> None:
    alert = {
        "labels": {"alertname": "Slow", "app": "web"}, "annotations": {}, "fingerprint": "f1",
        "startsAt": f"{DAY}01:00:00Z", "endsAt": "2026-01-09T00:00:00Z", "status": {"state": "active"},
    }  # fmt: skip
    found, asked, _ = read("alertmanager", tmp_path, [said([alert])], repo="app")
    assert [(one.title, one.repo, one.resolved) for one in found.incidents] == [("Slow", "web", None)]
    assert found.incidents[0].detected == datetime(2026, 1, 1, 1, tzinfo=UTC)
    assert asked == ["GET /api/v2/alerts"]


KINDS = {
    "github": {"repos": {"a/b": "b"}, "read": ["runs"]},
    "gitlab": {"repos": {"a/b": "b"}},
    "alertmanager": {},
    "pagerduty": {},
    "statuspage": {},
    "backstage": {},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", [{"incidents": 3}, [3], "text", None, {"items": [{"metadata": 3}]}])
def test_an_answer_of_another_form_is_refused_in_one_line(tmp_path: Path, kind: str, body: object) -> None:
    with pytest.raises(InputError) as error:
        read(kind, tmp_path, [said(body)], **KINDS[kind])
    assert str(error.value).startswith("source x")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ["alertmanager", "pagerduty", "github"])
def test_nothing_is_no_fault(tmp_path: Path, kind: str) -> None:
    empty = {"alertmanager": [], "pagerduty": {"incidents": []}, "github": {"workflow_runs": []}}[kind]
    world = World(tmp_path)
    with scripted(said(empty)) as server:
        form = FORMS[kind].model_validate({"name": "x", "kind": kind, "url": server.url} | KINDS[kind])
        assert outlook_of(source_of(kind), form, world.ask) == PullOutlook()
