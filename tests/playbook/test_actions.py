"""Suggested actions: for each row of the containment table, with owner, revert step and the query that verifies success."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from case_samples import BARE, CAUSE, FULL, HOSTILE, at

from tars_lib.model.names import CauseType, ContainmentType, Severity
from tars_lib.pipeline import analyze, write_run
from tars_lib.pipeline.loading import load_org
from tars_lib.playbook.actions import suggest
from tars_lib.sources.demo import copy_demo

REPORTS = {
    "run_org_health --root-dir ./org-health": "org-health-report.json",
    "run_org_temporal_intelligence --org-report ./org-health-report.json": "temporal-intelligence-report.json",
    "run_org_trend_correlation --org-report ./org-health-report.json": "trend-correlation-report.json",
    "run_org_sla_intelligence --org-report ./org-health-report.json": "sla-intelligence-report.json",
}
"""What the playbook's commands print; their own tests run them as processes."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory of the demo organisation."""
    org = load_org(copy_demo(tmp_path_factory.mktemp("demo") / "org-health"))
    return write_run(analyze(org), tmp_path_factory.mktemp("runs"), timestamp="20260105-143000")


@pytest.mark.parametrize(
    ("kind", "action", "owner"),
    [
        ("SINGLE_REPO_DEGRADATION", "Freeze deployments to api", "core"),
        ("CASCADING_FAILURE", "Enable circuit breakers (api)", "Teams that call the failing service"),
        ("INFRASTRUCTURE_ISSUE", "Contact infrastructure team (api)", "Infrastructure team"),
        ("EXTERNAL_DEPENDENCY", "Activate fallback/cache (api)", "Teams that call the provider"),
    ],
)
def test_each_kind_of_cause_has_its_row(kind: str, action: str, owner: str) -> None:
    facts = replace(FULL, causes=(replace(CAUSE, containment_type=ContainmentType(kind)),))
    first = suggest(facts, at(5))[0]
    assert (first.kind, first.action, first.owner, first.start) == ("CONTAINMENT", action, owner, at(5))
    assert first.revert
    assert first.verify
    assert first.query.startswith("python -m analytics.run_org_")
    assert "{repo}" not in first.query


def test_without_a_cause_only_monitoring_is_suggested() -> None:
    assert {action.kind for action in suggest(BARE, at(0))} == {"MONITORING"}


def test_a_causes_repo_without_a_team_falls_to_the_role_of_the_table() -> None:
    assert suggest(replace(FULL, repos=()), at(0))[0].owner == "Team that owns the service"


def test_what_suggests_the_operational_actions() -> None:
    def ids(**changes: object) -> set[str]:
        facts = replace(FULL, causes=(replace(CAUSE, **changes),))
        return {action.action_id.partition(":")[0] for action in suggest(facts, at(0)) if action.kind != "CONTAINMENT"}

    assert "freeze-deployments" in ids(cause_type=CauseType.PROPAGATION_PATH)
    assert {"scale", "tracing"} <= ids(metric="latency_p95")
    assert "scale" not in ids()
    assert "redirect-traffic" in ids(containment_type=ContainmentType.INFRASTRUCTURE_ISSUE)


def test_read_only_mode_is_suggested_where_data_is_at_risk() -> None:
    assert "read-only" in {a.action_id for a in suggest(replace(BARE, data_loss_risk=True), at(0))}
    assert "read-only" not in {a.action_id for a in suggest(replace(BARE, data_loss_risk=None), at(0))}


def test_every_action_can_be_undone_and_judged_and_stands_once() -> None:
    facts = replace(FULL, causes=(CAUSE, CAUSE, replace(CAUSE, repo="web", metric="latency_p95")), data_loss_risk=True)
    found = suggest(facts, at(0))
    assert len({action.action_id for action in found}) == len(found)
    for action in found:
        assert all((action.owner, action.revert, action.verify, action.how, action.reason))


def test_a_sev_4_is_watched_by_an_alert() -> None:
    assert [a.action_id for a in suggest(replace(BARE, severity=Severity.SEV_4), at(0))] == ["custom-alerts"]


@pytest.mark.parametrize("repo", ["api'; rm -rf / #", "$(reboot)", "a b", '"x"', HOSTILE])
def test_a_repos_name_cannot_leave_its_place_in_the_query(repo: str) -> None:
    query = suggest(replace(FULL, causes=(replace(CAUSE, repo=repo),)), at(0))[0].query
    words = shlex.split(query)
    assert words[words.index("--arg") + 1] == "repo"
    assert len(words) == len(shlex.split(suggest(FULL, at(0))[0].query))


@pytest.mark.skipif(shutil.which("jq") is None, reason="the queries pipe into jq, which is not installed")
@pytest.mark.parametrize("kind", list(ContainmentType))
def test_the_verifying_query_answers_on_the_demo(kind: ContainmentType, run: Path) -> None:
    facts = replace(FULL, causes=(replace(CAUSE, containment_type=kind, repo="checkout"),))
    command, _, query = suggest(facts, at(0))[0].query.partition(" | ")
    assert command.startswith("python -m analytics.")
    assert command.endswith(" --json")
    report = (run / REPORTS[command.removeprefix("python -m analytics.").removesuffix(" --json")]).read_bytes()
    done = subprocess.run(shlex.split(query), input=report, capture_output=True, check=True)
    assert {"repo", "score", "status"} <= set(json.loads(done.stdout.split(b"\n}\n")[0] + b"\n}"))
    assert b'"checkout"' in done.stdout
