"""The golden path, the postmortem and trend review tell what the register holds, with the numbers of the commands."""

from __future__ import annotations

import json
import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from register_samples import COURSES, begun, history, opened, planted, walked
from run_samples import RunSamples, cells, told

from tars_lib.cli.main import cli
from tars_lib.errors import InputError
from tars_lib.incidents.views.all_cases import read_cases
from tars_lib.pipeline import Run, analyze, write_run
from tars_lib.pipeline.loading import load_org
from tars_lib.playbook.metrics import MetricId, measure
from tars_lib.playbook.packaged import packaged
from tars_lib.playbook.wording import length_text
from tars_lib.reports.blocks.document import Document
from tars_lib.reports.blocks.kinds import Block, FigureBlock, Table, TitleBlock
from tars_lib.reports.pages.html import render_html
from tars_lib.sources.demo import demo_root
from tars_lib.workbook.pages import executive_summary as executive
from tars_lib.workbook.pages.trend_review import value_of
from tars_lib.workbook.parameters.register import open_register

PAGES = ("golden_path", "postmortem", "trend_review")
START = datetime(2026, 11, 2, 15, 4, tzinfo=UTC)
READ = "2026-11-02T15:28:00Z"


@pytest.fixture(scope="module")
def run(samples: RunSamples) -> Run:
    return samples.run("demo")


@pytest.fixture(scope="module")
def registers(samples: RunSamples, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`begun`: under way; `walked`: resolved; `many`: seven of known lengths; `empty`: a folder and nothing in it."""
    folder = tmp_path_factory.mktemp("registers")
    begun(folder / "begun", run)
    walked(folder / "walked", run)
    history(folder / "many", run, samples.run("calm"))
    (folder / "empty").mkdir()
    return folder


def page(notebook: str, run: Run, root: Path, as_of: str = READ, **more: object) -> list[Block]:
    return cells(notebook, run_dir=str(run.directory), incidents_dir=str(root), as_of=as_of, **more)


def command(*words: str) -> Any:
    done = CliRunner().invoke(cli, [*words, "--json"])
    return json.loads(done.stdout)


def table(blocks: list[Block], caption: str) -> Table:
    return next(block for block in blocks if isinstance(block, Table) and caption in block.caption)


def test_the_golden_path_says_in_which_minute_what_comes_now_and_what_is_late(run: Run, registers: Path) -> None:
    shown = page("golden_path", run, registers / "begun")
    title = shown[0]
    assert isinstance(title, TitleBlock)
    assert title.headline.startswith("Minute 24: contain is due now, 9 min over the limit to contain. SLA Breach: ")
    assert [badge.text for badge in title.badges] == ["SEV-1", "SLA Breach", "Mitigating"]
    text = told(shown)
    assert "[Behind: do now] Minute 8-12, Contain: Stop the impact." in text
    steps = table(shown, "fifteen minutes").rows
    assert [row[0] for row in steps] == ["0-2 min", "2-5 min", "5-8 min", "8-12 min", "12-15 min"]
    assert [row[-1].text for row in steps] == ["Done", "Done", "Done", "Behind", "Behind"]
    (row,) = table(shown, "row for this cause").rows
    assert row[:2] == ("Cascading failure", "Enable circuit breakers (ledger)")
    assert "[x] Enable circuit breakers" not in text, "it was begun and is not done"
    assert "ada, started 15:13 UTC" in text


def test_a_duration_reads_the_same_on_a_page_and_in_a_command(run: Run, registers: Path) -> None:
    odd = "2026-11-02T15:28:33Z"
    said = CliRunner().invoke(cli, ["metrics", "--incidents-dir", str(registers / "many"), "--now", odd]).stdout
    found = read_cases(registers / "many", packaged())
    durations = [one for one in measure(found.cases, datetime.fromisoformat(odd), packaged()) if one.unit == "min"]
    assert len(durations) > 1
    for one in durations:
        assert one.value is None or f"{one.name}: {value_of(one)}; target" in " ".join(said.split())
    told_late = page("golden_path", run, registers / "begun", as_of=odd)[0]
    assert isinstance(told_late, TitleBlock)
    assert told_late.headline.startswith("Minute 24: contain is due now, 9 min 33 s over the limit to contain.")
    (incident,) = [folder.name for folder in (registers / "begun").iterdir() if folder.is_dir()]
    golden = CliRunner().invoke(
        cli, ["incident", "golden", incident, "--incidents-dir", str(registers / "begun"), "--now", odd]
    )
    assert "OVERDUE by 9 min 33 s" in " ".join(golden.stdout.split())


@pytest.mark.parametrize("as_of", ["2026-11-02T15:06:00Z", READ, "2026-11-03T15:04:00Z"])
def test_clocks_steps_rungs_and_next_command_are_those_of_the_commands(run: Run, registers: Path, as_of: str) -> None:
    root = registers / "begun"
    (folder,) = root.iterdir()
    where = ("--now", as_of, "--incidents-dir", str(root))
    path, status = (command("incident", verb, folder.name, *where) for verb in ("golden", "status"))
    shown = page("golden_path", run, root, as_of, incident_id=folder.name)
    text = told(shown)
    for clock in path["clocks"]:
        left = abs(timedelta(seconds=clock["left_seconds"]))
        taken = datetime.fromisoformat(clock["stopped_at"]) - START if clock["stopped_at"] else left
        assert f"{clock['name'].capitalize()} clock: {length_text(taken)}" in text
    assert [row[-1].text == "Done" for row in table(shown, "fifteen minutes").rows] == [
        step["next_command"] is None for step in path["path"]["steps"]
    ]
    assert path["path"]["next_command"] in [row[1] for row in table(shown, "What to do next").rows]
    whom = table(shown, "Notify")
    said = status["escalation"]
    assert [row[0].partition(" (")[0] for row in whom.rows] == [
        rung["contact"] for kind in ("due", "upcoming", "told") for rung in said[kind]
    ]


def test_the_path_of_an_incident_that_is_over_leads_to_the_postmortem(run: Run, registers: Path) -> None:
    (folder,) = (registers / "walked").iterdir()
    shown = page("golden_path", run, registers / "walked", incident_id=folder.name)
    assert "The incident is resolved: 4 of 5 steps are on record" in told(shown)
    assert "tars incident close" in told(shown)


def test_the_newest_incident_under_way_is_taken_where_none_is_named(run: Run, tmp_path: Path) -> None:
    walked(tmp_path, run)
    newest = opened(tmp_path, run, START + timedelta(hours=3))
    title = page("golden_path", run, tmp_path, "2026-11-02T18:10:00Z")[0]
    assert isinstance(title, TitleBlock)
    assert title.title == f"Golden path: {newest.folder.name}"
    past = page("postmortem", run, tmp_path, "2026-11-02T18:10:00Z")[0]
    assert isinstance(past, TitleBlock)
    assert past.title == "Incident postmortem: INC-202611021504"


def test_the_postmortem_follows_the_page_and_computes_the_impact(run: Run, registers: Path) -> None:
    root = registers / "walked"
    (folder,) = root.iterdir()
    shown = page("postmortem", run, root, "2026-11-20T00:00:00Z")
    text = told(shown)
    parts = (
        "Summary",
        "Timeline",
        "Root cause",
        "Impact",
        "What went well",
        "What could be improved",
        "Action items",
        "Lessons learned",
    )
    places = [text.find(f"# {part}") for part in parts]
    assert -1 not in places
    assert places == sorted(places)
    answer = command(
        "incident", "postmortem", folder.name, "--incidents-dir", str(root), "--now", "2026-11-20T00:00:00Z"
    )
    assert answer["impact"]["duration_minutes"] == 519.0
    assert "Duration: 8.7 hours (8 h 39 min), since 2026-11-02 08:00 UTC." in text
    assert "Duration: 8.7 hours (8 h 39 min), since 2026-11-02 08:00 UTC" in answer["markdown"]
    for sla, share in answer["impact"]["budget_consumed"]:
        name = next(row[0] for row in table(shown, "SLAs breached").rows if sla.split("-")[0] in row[0].lower())
        bar = next(row[-1] for row in table(shown, "SLAs breached").rows if row[0] == name)
        assert ((bar if isinstance(bar, str) else bar.text) in ("n/a", "unknown")) == (share is None)
        assert isinstance(bar, str) or bar.value == share
    assert "source: entry 6, ada" in text
    assert "The pool is back to 50 connections" in text
    assert "Acknowledged after 3 min; 15 min are allowed" in text
    ((key, *_, state),) = table(shown, "Action items").rows
    assert (key, state.text) == (f"{folder.name}-AI1", "Overdue")
    assert [row[0] for row in table(shown, "Reviews").rows if row[-1].text == "Overdue"] == [
        "Blameless postmortem",
        "Action item review",
    ]


def test_a_time_that_cannot_be_is_not_told_as_a_length(run: Run, tmp_path: Path) -> None:
    """The alert's time lies before the harm: a run that was stamped with a pinned clock."""
    walked(tmp_path, planted(run, START, START - timedelta(days=300)))
    text = told(page("postmortem", run, tmp_path))
    assert "Time to detect: unknown" in text


def test_the_metrics_are_those_of_the_command(run: Run, registers: Path) -> None:
    root, as_of = registers / "many", "2027-02-12T15:28:00Z"
    shown = page("trend_review", run, root, as_of)
    answer = command("metrics", "--by-month", "--incidents-dir", str(root), "--now", as_of)
    rows = table(shown, "playbook's metrics").rows
    assert len(rows) == len(answer["metrics"]) == 4

    def words(value: float | None, unit: str) -> str:
        return "-" if value is None else f"{value:.0%}" if unit == "ratio" else length_text(timedelta(minutes=value))

    for row, one in zip(rows, answer["metrics"], strict=True):
        assert row[:5] == (one["name"], one["n"], *(words(one[key], one["unit"]) for key in ("value", "median", "p90")))
        assert (row[6], row[7].text.upper()) == (one["target"], one["verdict"])
        if one["low"] is not None:
            assert row[5] == f"{words(one['low'], one['unit'])} – {words(one['high'], one['unit'])}"
    months = table(shown, "By the month").rows
    assert [row[0] for row in months] == sorted(answer["months"], reverse=True)
    assert sum(row[1] for row in months) == answer["incidents"] == 7


def test_the_four_keys_take_deploys_of_the_run_and_incidents_of_a_folder(
    run: Run, registers: Path, tmp_path: Path
) -> None:
    alone = table(page("trend_review", run, registers / "many"), "four keys").rows
    assert alone[1][1].text == "Unknown"
    assert "no service reports lead_time" in alone[1][4]
    deploys = [one for one in run.org.events if one.kind == "deploy"]
    assert alone[0][2] == len(deploys) > 0
    past = tmp_path / "incidents.csv"
    noticed = deploys[0].timestamp + timedelta(hours=1)
    past.write_text(
        f"detected,repo,title,resolved\n{noticed:%FT%TZ},{deploys[0].repo},x,{noticed + timedelta(hours=3):%FT%TZ}\n",
        encoding="utf-8",
    )
    both = table(page("trend_review", run, registers / "empty", org_root=str(tmp_path)), "four keys").rows
    assert [row[1].text for row in both][3] == "3 h"
    assert both[2][1].text == f"{1 / both[2][2]:.0%}"
    with pytest.raises(InputError, match=r"org_root: .*incidents.csv: not there"):
        page("trend_review", run, registers / "empty", org_root=str(tmp_path / "nowhere"))


def test_planted_lengths_come_out_and_open_incidents_stand_apart(run: Run, registers: Path) -> None:
    shown = page("trend_review", run, registers / "many", "2027-02-12T15:28:00Z")
    detect = [course[0] for course in COURSES] + [5]
    rows = {row[0]: row for row in table(shown, "playbook's metrics").rows}
    mean = sum(detect) / len(detect)
    assert rows["MTTD (Mean Time to Detect)"][2] == length_text(timedelta(minutes=mean))
    assert rows["SLA Recovery Time"][1] == 3
    text = told(shown)
    assert "0 of 4 targets are met over 7 incidents" in text
    assert "Still open, so no value yet: MTTR: INC-202702101500" in text
    (again,) = table(shown, "Recurring causes").rows
    assert again[1:3] == ("ledger", 6)
    assert "16 overdue" in text


def test_months_and_runs_change_what_is_shown(samples: RunSamples, registers: Path, tmp_path: Path) -> None:
    org = load_org(demo_root())
    times = ("2026-10-20T00:00:00Z", "2026-11-02T12:00:00Z")
    places = [
        write_run(analyze(org, time), tmp_path, timestamp=f"2026110{n}-120000") for n, time in enumerate(times, 3)
    ]
    run = samples.run("demo")
    alone, both = (
        page("trend_review", run, registers / "many", "2027-02-12T15:28:00Z", months=2, runs=pattern)
        for pattern in ("", str(tmp_path / "tars-run-*"))
    )
    assert len(table(alone, "By the month").rows) == 2
    assert "One run, no trend yet" in told(alone)
    figure = next(block for block in both if isinstance(block, FigureBlock) and "Readiness over" in block.alt)
    assert "Readiness over 3 runs" in figure.alt
    report = places[0] / "sla-intelligence-report.json"
    report.write_text(report.read_text(encoding="utf-8") + " ", encoding="utf-8")
    text = told(page("trend_review", run, registers / "many", runs=str(tmp_path / "tars-run-*")))
    assert "Readiness over 2 runs" in text
    assert f"{places[0].name}: cannot be read" in text
    with pytest.raises(InputError, match="runs '.*nowhere.*': nothing found"):
        page("trend_review", run, registers / "many", runs=str(tmp_path / "nowhere-*"))


@pytest.mark.parametrize("root", ["empty", "missing"])
@pytest.mark.parametrize("name", ["demo", "calm"])
@pytest.mark.parametrize("notebook", PAGES)
def test_where_nothing_is_recorded_the_page_says_so_and_is_whole(
    samples: RunSamples, registers: Path, monkeypatch: pytest.MonkeyPatch, notebook: str, name: str, root: str
) -> None:
    given = "" if root == "missing" else registers / root
    monkeypatch.setenv("TARS_INCIDENTS_DIR", str(registers / root))
    shown = page(notebook, samples.run(name), given)
    text = told(shown)
    assert ("There is no incident register" in text) == (root == "missing")
    assert "What to do next" in text
    assert "None" not in text.replace("None is", "")
    assert render_html(Document(tuple(shown), START)).count("<table") >= 1
    if (notebook, name) == ("golden_path", "demo"):
        assert "tars incident open --from-run" in text
    if (notebook, name) == ("golden_path", "calm"):
        assert "No immediate response needed" in text
        assert "incident open" not in text


@pytest.mark.parametrize("notebook", PAGES)
def test_commands_that_the_pages_name_are_accepted(run: Run, registers: Path, notebook: str) -> None:
    for root in ("begun", "walked", "many", "empty"):
        for _, line in table(page(notebook, run, registers / root), "What to do next").rows:
            words = shlex.split(str(line))
            assert words.pop(0) == "tars"
            command = cli.get_command(click.Context(cli), words.pop(0))
            assert command is not None
            if isinstance(command, click.Group):
                command = command.commands[words.pop(0)]
            command.make_context("tars", words)


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"incidents_dir": 7}, "incidents_dir 7: the path of a folder is allowed"),
        ({"as_of": "yesterday"}, "as_of"),
        ({"as_of": "2026-11-02T15:28:00"}, "as_of"),
        ({"as_of": 3}, "as_of 3: a time such as"),
        ({"incident_id": "INC-209901010000"}, "incident_id: INC-209901010000: no such incident in"),
        ({"incident_id": "Vorfall 7"}, "incident_id: 'Vorfall 7' is no incident id"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(
    run: Run, registers: Path, parameters: dict[str, object], says: str
) -> None:
    given = {"run_dir": str(run.directory), "incidents_dir": str(registers / "begun"), **parameters}
    with pytest.raises(InputError, match=re.escape(says)):
        cells("golden_path", **given)


@pytest.mark.parametrize("given", ["as_of=soon", "incident_id=INC-209901010000"])
def test_it_is_refused_before_a_kernel_starts(run: Run, registers: Path, tmp_path: Path, given: str) -> None:
    done = CliRunner().invoke(
        cli,
        ["report", "golden_path", "--run", str(run.directory), "--output", str(tmp_path / "out"), "-p", given,
         "-p", f"incidents_dir={registers / 'begun'}"],
    )  # fmt: skip
    assert done.exit_code == 1
    assert given.partition("=")[0] in done.stderr
    assert not (tmp_path / "out").exists()


def test_every_metric_of_the_playbook_has_a_short_name() -> None:
    from tars_lib.workbook.pages.trend_review import _NAMES

    assert set(_NAMES) == set(MetricId)


def test_leadership_reads_how_the_response_stands_or_what_comes_first(run: Run, registers: Path) -> None:
    (folder,) = [one for one in (registers / "begun").iterdir() if one.is_dir()]
    shown = told(cells("executive_summary", run_dir=str(run.directory), incidents_dir=str(registers / "begun"),
                       incident_id=folder.name))  # fmt: skip
    assert "Mitigating; actions: 0 done, 1 under way" in shown
    assert "containment: not checked yet" in shown
    (over,) = [one for one in (registers / "walked").iterdir() if one.is_dir()]
    done = told(executive.response(run, executive.case_of(open_register(str(registers / "walked"), READ), over.name)))
    assert "Resolved; actions: " in done
    assert "next update" not in done
    first = told(executive.response(run, None))
    assert run.sla.breaches[0].recommended_actions[0] in first
    assert "Owner: " in first
    assert executive.response(run, None, "INC-1") == [], "an incident is named, so none is missing"


def test_the_narrative_tells_the_evidence_of_a_deploy_once(run: Run) -> None:
    text = run.sla.risk_narrative.text
    assert text.count("Connection pool rewrite") == 1
    assert "ledger, as for Availability." in text
