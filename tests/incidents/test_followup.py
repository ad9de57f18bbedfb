"""Tickets of a run: repos of low health, and objectives that its own past calls unrealistic."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from incident_samples import Runs
from org_samples import RootBuilder, counts, series

from tars_lib.cli.main import cli
from tars_lib.incidents.response.opening import by_hand, from_run, open_incident
from tars_lib.incidents.store.register import now
from tars_lib.model.names import Severity
from tars_lib.pipeline import analyze, load_run, write_run
from tars_lib.pipeline.loading import load_org

POLICIES = """
policies:
  - {sla_id: too-strict, sla_name: Strict, sla_type: availability, good: {total: requests_total, bad: requests_failed},
     objective: 0.9999, period_days: 30}
  - {sla_id: kept, sla_name: Kept, sla_type: availability, good: {total: requests_total, bad: requests_failed},
     objective: 0.99, period_days: 30}
  - {sla_id: too-young, sla_name: Young, sla_type: health, metric: health_score, objective: 95, period_days: 60,
     higher_is_better: true, unit: points}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over 220 days: one objective is missed in every month, one is kept, one has three periods of history."""
    folder = tmp_path_factory.mktemp("followup")
    root = RootBuilder(folder / "org-health")
    root.add(counts("web", [10_000] * 220, [5 + day % 3 for day in range(220)]))
    root.add(series("web", "health_score", [55.0] * 220))
    root.file("sla-policies.yaml", POLICIES)
    return write_run(analyze(load_org(root.write())), folder / "runs")


def tickets(*words: object) -> tuple[str, str]:
    done = CliRunner().invoke(cli, ["incident", "tickets", *map(str, words)])
    assert done.exit_code == 0, done.output
    return done.stdout, done.stderr


def test_a_run_asks_for_improvement_and_for_another_objective_in_three_forms(place: Path) -> None:
    page, said = tickets("--from-run", place)
    assert "Improve the health of web" in page
    assert "7 of 7 windows of 30d missed 0.9999; nine of ten kept 0.9994" in page
    assert "slo:kept" not in page
    assert said == "objective of too-young not reviewed: 3 whole windows of 60d could be judged; 6 are needed\n"
    rows = list(csv.DictReader(io.StringIO(tickets("--from-run", place, "--format", "csv")[0])))
    assert [row["key"] for row in rows] == ["improve:web", "slo:too-strict"]
    issues = json.loads(tickets("--from-run", place, "--format", "github")[0])
    assert [issue["labels"] for issue in issues] == [["improvement"], ["slo"]]


def test_an_incident_gets_the_objectives_of_its_run_and_says_where_that_is_gone(place: Path, tmp_path: Path) -> None:
    run = load_run(place)
    found = open_incident(tmp_path, from_run(run), "ada", now(), run).incident.incident_id
    words = (found, "--incidents-dir", tmp_path, "--json")
    document = json.loads(tickets(*words)[0])
    assert [one["key"] for one in document["tickets"]] == ["improve:web", "slo:too-strict"]
    (place / "status.json").rename(tmp_path / "kept.json")
    try:
        document = json.loads(tickets(*words)[0])
    finally:
        (tmp_path / "kept.json").rename(place / "status.json")
    assert [one["key"] for one in document["tickets"]] == ["improve:web"]
    assert document["notes"] == [f"{run.run_id} can no longer be read, so no objective was reviewed"]
    bare = open_incident(tmp_path, by_hand(Severity.SEV_2, "Slow"), "ada", now()).incident.incident_id
    assert json.loads(tickets(bare, "--incidents-dir", tmp_path, "--json")[0])["tickets"] == []


def test_an_objective_that_most_windows_kept_is_left_alone(runs: Runs) -> None:
    page, _ = tickets("--from-run", runs.later)
    assert "objective" not in page


def test_either_an_incident_or_a_run_is_needed() -> None:
    for words in ((), ("INC-202601051430", "--from-run", "x")):
        done = CliRunner().invoke(cli, ["incident", "tickets", *words])
        assert done.exit_code == 2
        assert "either ID or --from-run" in done.stderr
