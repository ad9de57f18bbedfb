"""All pages, texts and commands of one run agree where the incident stands, and call for action only while it is under way."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from org_samples import RootBuilder, counts
from register_samples import begun, opened, walked
from run_samples import RunSamples, cells, told

from tars_lib.cli.main import cli
from tars_lib.engines.queries.incident_state import State
from tars_lib.incidents.store.record import ActionState
from tars_lib.incidents.views.case import read_case
from tars_lib.pipeline import SUMMARY_FILE, Run, analyze, load_run, write_run
from tars_lib.pipeline.loading import load_org
from tars_lib.playbook.packaged import packaged
from tars_lib.reports.blocks.kinds import Block, TitleBlock
from tars_lib.sources.demo import demo_root
from tars_lib.workbook.parameters.register import state_of

PAGES = (
    "at_risk_monitoring",
    "correlation_investigation",
    "critical_alerts",
    "cross_repo_anomaly",
    "executive_summary",
    "incident_report",
    "org_risk",
    "propagation",
    "sla_breach",
)
SAMPLE = ("executive_summary", "incident_report", "sla_breach")
"""Pages of which each state is looked at in every run of the tests; the others in `make thorough`."""
pytestmark = pytest.mark.xdist_group("incident states")

ALARM = re.compile(r"\b(do now|notify now|contain within|contain first|respond within)\b|\[To do\]", re.IGNORECASE)
START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
POLICIES = """policies:
- {sla_id: availability, sla_name: Availability, sla_type: availability, objective: 0.999, period_days: 7,
   good: {total: requests_total, bad: requests_failed}}
- {sla_id: checkout, sla_name: Checkout, sla_type: availability, objective: 0.999, period_days: 7, repos: [web],
   good: {total: requests_total, bad: requests_failed}}
- {sla_id: search, sla_name: Search, sla_type: availability, objective: 0.999, period_days: 7, repos: [api],
   good: {total: requests_total, bad: requests_failed}}
"""


def in_part(pages: Iterable[str]) -> list[object]:
    """Mark the pages that are not of the sample as thorough."""
    return [page if page in SAMPLE else pytest.param(page, marks=pytest.mark.thorough) for page in pages]


def failing(hours: int, first: int, last: int) -> list[float]:
    """A tenth of 1,000 requests fails from one hour to another, none before and after."""
    return [100.0 if first <= hour < last else 0.0 for hour in range(hours)]


def made(folder: Path, root: Path, age: timedelta = timedelta(minutes=30)) -> Run:
    """A run, made so long after its last sample."""
    org = load_org(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", str(round((org.at(None, START)[1] + age).timestamp())))
        return load_run(write_run(analyze(org), folder, timestamp="20260301-000000"))


@pytest.fixture(scope="module")
def runs(samples: RunSamples, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Run, str, str]]:
    """Each state's run, with the incident that it belongs to and the folder of incidents; empty where there is none."""
    folder = tmp_path_factory.mktemp("states")
    hours = 24 * 20
    found: dict[str, tuple[Run, str, str]] = {}
    for name, web, api in (
        ("over", (hours - 30, hours - 20), (hours, hours)),
        ("recovering", (hours - 30, hours - 20), (hours - 6, hours)),
    ):
        root = RootBuilder(folder / f"{name}-health")
        root.add(counts("web", [1000.0] * hours, failing(hours, *web), START, HOUR))
        root.add(counts("api", [1000.0] * hours, failing(hours, *api), START, HOUR))
        root.file("sla-policies.yaml", POLICIES)
        root.load()
        found[name] = (made(folder / name, root.folder), "", "")
    demo = samples.run("demo")
    found["active"] = (demo, "", "")
    found["stale"] = (made(folder / "stale", demo_root(), timedelta(days=25, hours=3)), "", "")
    for name, act in (("open", begun), ("resolved", walked)):
        writer = act(folder / f"{name}-incidents", demo)
        found[name] = (demo, writer.folder.name, str(writer.folder.parent))
    for name in ("over", "stale"):
        writer = opened(folder / f"{name}-incidents", found[name][0])
        found[f"{name}, open"] = (found[name][0], writer.folder.name, str(writer.folder.parent))
    return found


def page(notebook: str, known: tuple[Run, str, str]) -> list[Block]:
    run, incident_id, incidents_dir = known
    return cells(notebook, run_dir=str(run.directory), incident_id=incident_id, incidents_dir=incidents_dir)


def test_the_state_follows_from_data_and_record(runs: dict[str, tuple[Run, str, str]]) -> None:
    found = {name: state_of(*known).state for name, known in runs.items()}
    assert found == {
        "active": State.ACTIVE,
        "open": State.ACTIVE,
        "recovering": State.RECOVERING,
        "over": State.OVER,
        "resolved": State.RESOLVED,
        "stale": State.STALE,
        "over, open": State.OVER,
        "stale, open": State.STALE,
    }


def test_a_calm_run_is_calm(samples: RunSamples) -> None:
    assert state_of(samples.run("calm")).state is State.CALM


def test_sentences_of_what_is_settled_say_when_and_what_is_left(runs: dict[str, tuple[Run, str, str]]) -> None:
    assert state_of(*runs["over"]).sentence == (
        "Checkout failed in web from 2026-03-19 18:00 to 2026-03-20 03:00 UTC (9 h): 1,000 of 10,000 requests, "
        "one in ten. The error budget is spent. "
        "One other SLA failed too. Keep watching; no containment is needed now."
    )
    assert state_of(*runs["stale"]).sentence.startswith(
        "As of 2026-11-02 15:00 UTC, 25 days old: One in six requests to "
    )
    assert state_of(*runs["resolved"]).sentence == (
        "Resolved at 2026-11-02 16:39 UTC by ada: The deploy was rolled back. One in six requests to "
        "ledger failed: 5,855 of 35,452 "
        "from 2026-11-02 08:00 to 15:00 UTC (7 h). Customers saw it at checkout and web."
    )


@pytest.mark.parametrize("notebook", in_part(PAGES))
@pytest.mark.parametrize("state", ["over", "resolved", "stale"])
def test_what_is_settled_calls_for_no_action(notebook: str, state: str, runs: dict[str, tuple[Run, str, str]]) -> None:
    blocks = page(notebook, runs[state])
    assert ALARM.search(told(blocks)) is None
    (head,) = (block for block in blocks if isinstance(block, TitleBlock))
    assert f"{head.headline} {head.detail}" == state_of(*runs[state]).sentence
    assert {badge.tone for badge in head.badges[:2]} <= {"good", "neutral", "unknown"}


def test_the_plan_and_the_golden_path_of_an_open_incident_name_the_same_action(
    runs: dict[str, tuple[Run, str, str]],
) -> None:
    known = runs["open"]
    plan = state_of(*known).plan
    assert plan is not None
    run, incident_id, folder = known
    case = read_case(Path(folder) / incident_id, packaged(), run.status.generated_at)
    first = next(action for action in case.incident.actions if action.state is ActionState.STARTED)
    assert plan.first == first.text == "Roll back deploy 'Connection pool rewrite' of ledger"
    assert f"contain {incident_id} --done {first.action_id}" in told(page("golden_path", known))
    # whoever was notified is not to be notified again
    assert set(plan.notified) == {"On-call engineer", "VP Engineering", "Customer Success"}
    assert not set(plan.notified) & {one.who for one in plan.recipients}


@pytest.mark.parametrize(
    "notebook", in_part([name for name in PAGES if name not in ("at_risk_monitoring", "org_risk")])
)
def test_what_is_active_does(notebook: str, runs: dict[str, tuple[Run, str, str]]) -> None:
    known = runs["active"]
    if notebook == "propagation":
        pytest.skip("nothing travels in the demo")
    assert ALARM.search(told(page(notebook, known))) is not None


def test_the_golden_path_of_a_resolved_incident_is_walked(runs: dict[str, tuple[Run, str, str]]) -> None:
    text = told(page("golden_path", runs["resolved"]))
    assert "The incident is resolved" in text
    assert ALARM.search(text) is None


def test_summary_and_command_say_the_same_sentence(
    runs: dict[str, tuple[Run, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs["stale"][0]
    sentence = state_of(run).sentence
    assert sentence in (run.directory / SUMMARY_FILE).read_text(encoding="utf-8").replace("\\", "")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(round(run.status.generated_at.timestamp())))
    done = CliRunner().invoke(cli, ["run", "--root", str(demo_root()), "--outdir", str(tmp_path)])
    assert sentence in " ".join(done.stdout.split())
