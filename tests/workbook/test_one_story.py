"""One incident, one story: all reports, the terminal and the texts agree on state, plan, recipients, clock and numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner
from run_samples import cells, told
from workbook.test_incident_states import runs as runs  # noqa: PLC0414 - a fixture
from workbook.test_one_number import QUANTITIES

from tars_lib.cli.engines.summaries import sla_lines
from tars_lib.cli.main import cli
from tars_lib.engines.queries.incident_state import IncidentState, State
from tars_lib.findings.exit_policy import EVERY_FINDING, decide
from tars_lib.incidents.response.messages import texts_for
from tars_lib.incidents.views.case import read_case
from tars_lib.pipeline import SUMMARY_FILE, Run
from tars_lib.playbook.packaged import packaged
from tars_lib.reports.blocks.plain_text import plain_text
from tars_lib.reports.summaries.job_summary import job_summary
from tars_lib.workbook.parameters.register import state_of

NOTEBOOKS = sorted(path.stem for path in (Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
OF_THE_RECORD = ("golden_path", "postmortem", "trend_review")
"""Pages about the record; those of a run lead with its state."""
COMMANDS = ("status", "golden", "contain --show", "escalate --show")
MESSAGES = ("escalation", "status-page", "slack", "email", "bridge")
STORIES = ("active", "open", "recovering", "over", "resolved", "stale", "over, open", "stale, open")
OF_A_RECORD = ("executive_summary", "golden_path", "incident_report", "postmortem", "sla_breach")
"""Pages that a record changes: for the last two stories the others say what they say without one."""
CALLS = re.compile(
    r"\b(?:do now|do first|notify now|contain (?:within|by|first|that|the)|respond within|go to the)\b|\[To do\]|\bdo: ",
    re.IGNORECASE,
)
"""What nobody reads of an incident that is over, resolved, or told from old data."""
PRESENT = re.compile(
    r"requests? to [\w-]+ fails?:|at this rate|(?<!where )\bSLAs? is breached\b|it is still active|we have found",
    re.IGNORECASE,
)
RUN_ALONE = ("console", SUMMARY_FILE, "welcome")
"""What tells the run as it was made, and cannot know that its incident was resolved since."""
ACTION = re.compile(
    r"(?:Contain (?:within|by) [^:]+(?:\d:\d\d UTC)?|Do (?:first|now)): +((?:\w+ ){1,3}(?:'[^']+' )?[^.(;]{0,60})"
)
CLOCK = re.compile(r"\bContain (within \d+ \w+|by [\d-]+ [\d:]+ UTC): ")
NOTIFY = re.compile(r"\bNotify now: +((?:(?:VP|Team|On-call|Customer|Engineering) \w+(?:, )?)+)")


@pytest.fixture(scope="module")
def told_of(runs: dict[str, tuple[Run, str, str]]) -> dict[str, dict[str, str]]:
    return {name: dict(texts(*runs[name], OF_A_RECORD if ", " in name else NOTEBOOKS)) for name in STORIES}


def texts(
    run: Run, incident_id: str, incidents_dir: str, notebooks: Sequence[str] = NOTEBOOKS
) -> Iterator[tuple[str, str]]:
    """Everything that a person reads of an incident."""
    given = {"run_dir": str(run.directory), "incident_id": incident_id, "incidents_dir": incidents_dir}
    state = state_of(run, incident_id, incidents_dir)
    for name in notebooks:
        if incident_id or name not in OF_THE_RECORD:
            only = given if name not in ("welcome", "trend_review") else {"run_dir": given["run_dir"]}
            yield name, told(cells(name, **only))
    yield "console", "\n".join(map(plain_text, run.blocks()))
    yield SUMMARY_FILE, (run.directory / SUMMARY_FILE).read_text(encoding="utf-8").replace("\\", "")
    codes = {step.step: step.exit_code for step in run.status.steps}
    yield (
        "build",
        job_summary(run.sla, state, "Shop", codes, decide(EVERY_FINDING, codes.values(), {})).replace("\\", ""),
    )
    yield "sla", "\n".join(sla_lines(run.sla, state))
    yield (
        "classify",
        command(
            f"classify --run {run.directory}" + (f" --incidents-dir {incidents_dir}" if incidents_dir else ""), run
        ),
    )
    if incident_id:
        for line in COMMANDS:
            yield line, command(f"{line} {incident_id} --incidents-dir {incidents_dir}", run)
        case = read_case(Path(incidents_dir) / incident_id, packaged(), run.status.generated_at)
        for name in MESSAGES:
            (message,) = texts_for(case, name)
            yield name, f"{message.subject}\n{message.body}".replace("\\", "")


def command(line: str, run: Run) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", str(round(run.status.generated_at.timestamp())))
        done = CliRunner().invoke(cli, line.split())
    assert done.exit_code == 0, done.output
    return done.stdout


def contradictions(texts: dict[str, str], state: IncidentState) -> list[str]:
    """Where a text says something else than the state, its plan, or another text."""
    plain = {name: " ".join(text.replace("\u00a0", " ").split()) for name, text in texts.items()}
    found = [
        f"{name} does not lead with the state"
        for name, text in plain.items()
        if name in (*NOTEBOOKS, "build", "sla", "status", "classify")
        and name not in (*OF_THE_RECORD, *RUN_ALONE)
        and state.headline.partition(": ")[0] not in text
    ]
    for name, text in plain.items():
        if state.is_settled:
            if name in RUN_ALONE and state.state is State.RESOLVED:
                continue
            found += [f"{name} calls for action: {hit[0]}" for hit in CALLS.finditer(text)]
            found += [f"{name} tells the past as present: {hit[0]}" for hit in PRESENT.finditer(text)]
            continue
        plan = state.plan
        assert plan is not None
        due = [one.who for one in plan.recipients if one.is_due]
        found += [f"{name}: first {hit[1]}" for hit in ACTION.finditer(text) if not hit[1].startswith(plan.first)]
        found += [f"{name}: {hit[1]}" for hit in CLOCK.finditer(text) if hit[1] != plan.clock]
        found += [
            f"{name} notifies {hit[1]}" for hit in NOTIFY.finditer(text) if not set(hit[1].split(", ")) <= set(due)
        ]
    for quantity, pattern in QUANTITIES.items():
        values: dict[str, set[str]] = {}
        for name, text in plain.items():
            for hit in pattern.finditer(text):
                values.setdefault(next(value for value in hit.groups() if value), set()).add(name)
        # the last two samples have three budgets
        if len(values) > 1 and not (quantity.startswith("budget") and state.state in (State.OVER, State.RECOVERING)):
            found.append(f"{quantity}: {values}")
    return found


@pytest.mark.parametrize("story", STORIES)
def test_all_that_people_read_of_one_incident_agrees(
    story: str, told_of: dict[str, dict[str, str]], runs: dict[str, tuple[Run, str, str]]
) -> None:
    assert len([name for name in told_of[story] if name in NOTEBOOKS]) >= (5 if ", " in story else 10)
    assert contradictions(told_of[story], state_of(*runs[story])) == []


@pytest.mark.parametrize(
    ("story", "name", "said", "instead"),
    [
        ("resolved", "sla_breach", "Resolved: no action needed", "Do now: Resolved"),
        ("resolved", "slack", "Incident resolved", "Contain within 15 minutes. Incident"),
        ("over", "critical_alerts", "failed", "requests to web fails: 1 of 2, it failed"),
        ("open", "incident_report", "Roll back deploy", "Freeze deploy"),
        ("open", "classify", "Notify now: Team lead", "Notify now: VP Engineering"),
        ("open", "sla_breach", ":19 UTC", ":24 UTC"),
        ("over, open", "status", "Not notified", "Notify now"),
        ("over, open", "postmortem", "The impact lasted 9 h", "It is still active"),
        ("stale, open", "email", "As of", "SLA is breached as of"),
        ("active", "sla", "5,855 of 35,452", "5,861 of 35,452"),
        ("active", "executive_summary", "One in six requests to ledger fails", "Some requests fail"),
    ],
)
def test_one_text_that_says_something_else_is_found(
    story: str,
    name: str,
    said: str,
    instead: str,
    told_of: dict[str, dict[str, str]],
    runs: dict[str, tuple[Run, str, str]],
) -> None:
    texts = told_of[story]
    assert said in texts[name]
    assert contradictions({**texts, name: texts[name].replace(said, instead)}, state_of(*runs[story])) != []
