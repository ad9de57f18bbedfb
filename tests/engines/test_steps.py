"""The one table of engines: every line leads somewhere, and none runs before what it rests on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from org_samples import STAMP, RootBuilder, counts, series

from tars_lib.engines.engine_input import EngineInput
from tars_lib.engines.report import Report
from tars_lib.engines.steps import STEPS, Step
from tars_lib.findings.exit_codes import DECISION_ORDER, EXIT_CODES
from tars_lib.pipeline import step_reports

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_every_line_leads_to_its_engine_and_its_report(step: Step) -> None:
    assert issubclass(step.load_report_type(), Report)
    assert callable(step.load_engine())
    assert callable(step.load_differences())
    module, name = step.report.split(":")
    assert f"-> {name}:" in Path(ROOT, *step.engine.split(":")[0].split(".")).with_suffix(".py").read_text()
    assert module.startswith("tars_lib.engines.")


def test_no_engine_runs_before_what_it_rests_on() -> None:
    ran: set[str] = set()
    for step in STEPS.values():
        assert set(step.upstream) <= ran, step.name
        ran.add(step.name)


@dataclass(frozen=True, slots=True, eq=False)
class _Watched(EngineInput):
    """Writes down which engine asks for which."""

    def result(self, engine: Any) -> Any:
        ASKED.append(engine.__name__)
        return EngineInput.result(self, engine)


ASKED: list[str] = []


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_an_engine_asks_for_the_reports_that_its_line_names(step: Step, root: RootBuilder) -> None:
    root.file(
        "sla-policies.yaml",
        "policies: [{sla_id: a, sla_type: t, objective: 0.99, good: {total: requests_total, bad: requests_failed}}]",
    )
    root.add(counts("web", [1000] * 40, [0] * 35 + [200] * 5)).add(series("web", "health_score", [90] * 40))
    known, as_of = root.load().at(None, STAMP.generated_at)
    ASKED.clear()
    step.load_engine()(_Watched(known, as_of, STAMP))
    names = {other.load_engine().__name__: name for name, other in STEPS.items()}
    assert {names[name] for name in ASKED if name in names} == set(step.upstream)


def test_a_result_is_computed_once_and_one_that_is_given_not_at_all(root: RootBuilder) -> None:
    known, as_of = root.add(series("web", "health_score", [90] * 9)).load().at(None, STAMP.generated_at)
    calls: list[EngineInput] = []

    def count(given: EngineInput) -> int:
        calls.append(given)
        return len(calls)

    given = EngineInput(known, as_of, STAMP)
    assert (given.result(count), given.result(count), len(calls)) == (1, 1, 1)
    assert EngineInput(known, as_of, STAMP, results={count: 7}).result(count) == 7


def test_a_later_engine_stands_higher_in_the_decision_tree() -> None:
    best = {
        name: min(DECISION_ORDER.index(c) for c in DECISION_ORDER if EXIT_CODES[c].source == name) for name in STEPS
    }
    assert sorted(best, key=best.__getitem__) == list(reversed(STEPS))


def test_type_checkers_know_every_engine() -> None:
    declared = re.findall(r"^        (\w+): \w+Report$", Path(step_reports.__file__).read_text(), re.MULTILINE)
    assert declared == list(STEPS)
    assert get_type_hints(Step)["upstream"] == tuple[str, ...]


def test_no_other_list_of_the_engines_stands_in_the_code() -> None:
    """A file name of a report stands in the table; where a sentence names one, it names one."""
    files = {step.file for step in STEPS.values()} | {step.context for step in STEPS.values()}
    allowed = {"steps.py", "compliance.py"}  # the playbook's own list of what an auditor is given
    for path in (*ROOT.glob("tars_lib/**/*.py"), *ROOT.glob("docs/*.py")):
        if path.name in allowed:
            continue
        text = path.read_text(encoding="utf-8")
        assert sum(f'"{name}"' in text for name in files) <= 1, path
