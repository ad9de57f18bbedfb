"""What a build server sees of a run: the summary of the job, annotations, test cases, and the code."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result
from run_samples import RUNS, RunSamples

from tars_lib.cli.main import cli
from tars_lib.engines.queries.incident_state import incident_state
from tars_lib.engines.sla.report import SlaReport
from tars_lib.findings.exit_policy import EVERY_FINDING, NO_FINDING, decide
from tars_lib.model.names import SlaStatus
from tars_lib.reports.summaries.annotations import PER_LEVEL, Annotation, annotate, inert
from tars_lib.reports.summaries.job_summary import MAX_BYTES, job_summary
from tars_lib.reports.summaries.junit import error_case, sla_cases
from tars_lib.sources.demo import demo_root

HOSTILE = "x\n::add-mask::y ##[stop-commands]z\x00\x1b[31m\u202e\ufffe<failure/>&]]> | [a](b) 100%\r%0A"

# Jenkins' junit-10.xsd: element to its required attributes, its optional ones, and what may stand inside
SHAPE: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"time", "skipped", "timestamp", "hostname", "id", "package", "group", "file", "log", "url"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "testcase": (
        {"name"},
        {"time", "classname", "group"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    **dict.fromkeys(("failure", "error", "skipped"), (set(), {"type", "message"}, set())),
    "system-out": (set(), set(), set()),
}


def check_shape(element: ET.Element) -> None:
    """Hold an element and all inside it against the XSD."""
    required, optional, inside = SHAPE[element.tag]
    assert required <= set(element.attrib) <= required | optional, element.tag
    assert {child.tag for child in element} <= inside
    assert re.fullmatch(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?", element.get("time", "0"))
    for child in element:
        check_shape(child)


def hostile(report: SlaReport) -> SlaReport:
    """The report with names that try to be more than names."""
    rename = {"sla_id": HOSTILE, "sla_name": HOSTILE}
    first, *others = report.compliance_results
    breaches = tuple(
        dataclasses.replace(
            breach,
            **rename,
            root_causes=tuple(dataclasses.replace(cause, cause=HOSTILE) for cause in breach.root_causes),
        )
        if breach.sla_id == first.sla_id
        else breach
        for breach in report.breaches
    )
    card = tuple(dataclasses.replace(row, sla_name=HOSTILE) for row in report.scorecard)
    narrative = dataclasses.replace(report.risk_narrative, headline=HOSTILE)
    return dataclasses.replace(
        report,
        compliance_results=(dataclasses.replace(first, **rename), *others),
        breaches=breaches,
        scorecard=card,
        risk_narrative=narrative,
    )


@pytest.mark.parametrize("name", RUNS)
def test_every_sla_is_a_test_case_with_its_verdict(samples: RunSamples, name: str) -> None:
    report = samples.run(name).sla
    document = ET.fromstring(sla_cases(report, "Acme"))  # noqa: S314 - our own bytes
    check_shape(document)
    (suite,) = document
    summary = report.summary
    counts = (summary.total, summary.breached, 0, summary.unknown)
    assert tuple(int(suite.get(key, "")) for key in ("tests", "failures", "errors", "skipped")) == counts
    for case, result in zip(suite, report.compliance_results, strict=True):
        assert case.get("name") == result.sla_id
        (said,) = case
        tag = {SlaStatus.BREACHED: "failure", SlaStatus.UNKNOWN: "skipped"}.get(result.status, "system-out")
        assert said.tag == tag
        if tag == "skipped":
            assert said.get("message") == f"UNKNOWN: {result.reason}"
        if tag == "system-out":
            assert (said.text or "").startswith(f"{result.status.value}\n")


def test_a_failed_case_says_value_cause_and_what_to_do(samples: RunSamples) -> None:
    report = samples.run("demo").sla
    document = ET.fromstring(sla_cases(report, "Acme"))  # noqa: S314
    failure = document.find("testsuite/testcase[@name='availability']/failure")
    assert failure is not None
    assert failure.get("message") == "Availability: measured 99.68%, objective >= 99.9%"
    assert "Cause: ledger: deploy 'Connection pool rewrite'" in (failure.text or "")
    assert "Do: Enable circuit breakers (ledger)" in (failure.text or "")


def test_hostile_names_are_inert_in_test_cases(samples: RunSamples) -> None:
    text = sla_cases(hostile(samples.run("demo").sla), HOSTILE)
    document = ET.fromstring(text)  # noqa: S314
    check_shape(document)
    assert len(document.findall(".//failure")) == 2, "the name's own tag is no tag"
    name = document.find(".//testcase").get("name", "")  # type: ignore[union-attr]
    assert "[U+0000]" in name
    assert "[U+202E]" in name
    assert "[U+FFFE]" in name
    assert not set(map(ord, text)) & {0, 0x1B, 0x202E, 0xFFFE}


def test_what_judged_nothing_is_a_case_in_error(samples: RunSamples) -> None:
    document = ET.fromstring(error_case("tars run", HOSTILE, samples.run("demo").sla.as_of))  # noqa: S314
    check_shape(document)
    assert (document.get("tests"), document.get("errors")) == ("1", "1")
    assert document.find(".//error") is not None


def test_annotations_are_escaped_as_github_asks(samples: RunSamples) -> None:
    report = hostile(samples.run("demo").sla)
    lines = [one.command() for one in annotate(report, (142,), decide(EVERY_FINDING, (142,)))]
    assert all(line.isprintable() and re.match(r"::(error|warning) title=[^:,]*::", line) for line in lines)
    assert all(re.search(r"%(?!25|0A|0D|3A|2C)", line) is None for line in lines)
    assert "%250A" in lines[0], "a name that holds an escape is shown as it reads"


def test_what_fails_the_build_is_an_error_and_the_rest_a_warning(samples: RunSamples) -> None:
    run = samples.run("demo")
    codes = [step.exit_code for step in run.status.steps]
    verdicts = {result.sla_id: result.status for result in run.sla.compliance_results}
    loud = annotate(run.sla, codes, decide(EVERY_FINDING, codes, verdicts))
    assert [one.title for one in loud if one.level == "error"][:2] == [
        "SLA breached: Availability",
        "SLA breached: Checkout latency, p95",
    ]
    assert {one.title for one in loud if one.level == "warning"} == {"SLA unknown: Time to restore"}
    quiet = annotate(run.sla, codes, decide(NO_FINDING, codes, verdicts))
    assert {one.level for one in quiet} == {"warning"}
    assert {one.title for one in quiet} == {one.title for one in loud}


def test_no_annotation_is_lost_without_a_word(samples: RunSamples) -> None:
    """GitHub keeps ten of a level and step."""
    report = samples.run("demo").sla
    many = dataclasses.replace(
        report,
        compliance_results=tuple(
            dataclasses.replace(report.compliance_results[0], sla_id=f"sla-{n}") for n in range(25)
        ),
    )
    verdicts = {result.sla_id: result.status for result in many.compliance_results}
    found = annotate(many, (142,), decide(EVERY_FINDING, (142,), verdicts))
    assert len(found) == PER_LEVEL
    assert found[-1].title == "16 more"


def test_ordinary_output_holds_no_command_for_the_runner() -> None:
    """The runner reads `::` at the start of a line, after spaces, and the old `##[` anywhere."""
    for line in ("::error::x", "  ::error::x", "a ##[group]b"):
        assert not inert(line).lstrip().startswith("::")
        assert "##[" not in inert(line)
    assert inert("checkout::latency is breached") == "checkout::latency is breached"


def test_the_summary_says_verdict_scorecard_breach_and_cause(samples: RunSamples) -> None:
    run = samples.run("demo")
    codes = {step.step: step.exit_code for step in run.status.steps}
    verdicts = {result.sla_id: result.status for result in run.sla.compliance_results}
    text = job_summary(
        run.sla,
        incident_state(None, run.sla),
        "Acme",
        codes,
        decide(EVERY_FINDING, codes.values(), verdicts),
        run.run_id,
    )
    assert "| Build | fails (142): SLA availability, SLA checkout-latency" in text
    assert "SEV-1, respond within 15 minutes, contain within 15 minutes |" in text
    assert "| Availability | BREACHED | 99.68% | 99.9% | 316% | 4 |" in text
    assert "### Breach: Availability\n\n- ledger: deploy 'Connection pool rewrite'" in text
    assert "| health | 92 | HIGH_ORG_RISK |" in text
    passed = job_summary(
        run.sla, incident_state(None, run.sla), "Acme", codes, decide(NO_FINDING, codes.values(), verdicts)
    )
    assert "| Build | passes (0) |" in passed
    assert "| Left to pass | availability BREACHED, checkout-latency BREACHED, CRITICAL\\_ANOMALY (122)" in passed


def test_hostile_names_are_inert_in_the_summary(samples: RunSamples) -> None:
    told = hostile(samples.run("demo").sla)
    text = job_summary(told, incident_state(None, told), HOSTILE, {"sla": 142}, decide(EVERY_FINDING, (142,), {}))
    assert "<failure" not in text.replace("\\<", "")
    assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]
    rows = [line for line in text.splitlines() if "stop-commands" in line and line.startswith("|")]
    assert rows
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 7 for row in rows), "the name opens no cell"


def test_a_summary_that_github_would_refuse_is_cut_and_says_so(samples: RunSamples) -> None:
    report = samples.run("demo").sla
    many = dataclasses.replace(report, scorecard=report.scorecard * 5000)
    text = job_summary(many, incident_state(None, many), "Acme", {"sla": 142}, decide(EVERY_FINDING, (142,)))
    assert len(text.encode("utf-8")) <= MAX_BYTES
    assert text.endswith("**Cut here: the summary is longer than GitHub takes. The reports have everything.**\n")
    assert "| Build |" in text


@pytest.fixture
def invoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Result]:
    """Run `tars` in a folder with the demo organisation."""
    shutil.copytree(demo_root(), tmp_path / "org-health")
    (tmp_path / "lenient.yaml").write_text("fail_on: {codes: [132]}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return lambda words: CliRunner().invoke(cli, words.split())


def test_a_run_tells_the_build_server_and_keeps_the_true_code(
    invoke: Callable[[str], Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "step.md").write_text("what an earlier step said\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "step.md"))
    done = invoke("run --root org-health --exit-policy lenient.yaml --junit out/slas.xml --github-summary")
    assert done.exit_code == 0
    (run,) = (tmp_path / "reports" / "runs").iterdir()
    assert json.loads((run / "status.json").read_text(encoding="utf-8"))["exit_code"] == 142
    text = (tmp_path / "step.md").read_text(encoding="utf-8")
    assert text.startswith("what an earlier step said\n## Example Shop")
    assert "passes (0)" in text
    assert run.name in text
    assert (tmp_path / "out" / "slas.xml").read_text(encoding="utf-8").count("<failure") == 2
    assert "::warning title=SLA breached%3A Availability::" in done.stderr
    assert "::" not in done.stdout


def test_json_stays_one_document_beside_annotations(invoke: Callable[[str], Result]) -> None:
    assert invoke("health --root-dir org-health --output h.json --quiet").exit_code == 92
    done = invoke("sla --org-report h.json --json --github-summary s.md --junit s.xml")
    assert done.exit_code == 142
    assert json.loads(done.stdout)["exit_code"] == 142
    assert "::error title=SLA breached" in done.stderr
    eased = invoke("sla --org-report h.json --json --exit-policy lenient.yaml")
    assert (eased.exit_code, json.loads(eased.stdout)["exit_code"]) == (0, 142)


def test_refused_input_is_told_to_the_build_server_and_no_policy_lets_it_pass(
    invoke: Callable[[str], Result], tmp_path: Path
) -> None:
    done = invoke("run --root nowhere --exit-policy lenient.yaml --github-summary s.md --junit s.xml")
    assert done.exit_code == 95
    assert "This is no all-clear." in (tmp_path / "s.md").read_text(encoding="utf-8")
    assert "<error" in (tmp_path / "s.xml").read_text(encoding="utf-8")
    assert "::error title=tars run judged nothing::" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ("--github-summary", 2, "$GITHUB_STEP_SUMMARY is not set; name a FILE"),
        ("--github-summary org-health", 2, "org-health is no file"),
        ("--exit-zero --exit-policy lenient.yaml", 2, "give one of them"),
        ("--exit-policy nowhere.yaml", 94, "nowhere.yaml: no such file"),
        ("--exit-policy typo.yaml", 94, "slas.avalability: no such SLA; allowed: availability, checkout-latency"),
    ],
)
def test_wrong_options_end_before_anything_is_written(
    invoke: Callable[[str], Result], tmp_path: Path, words: str, code: int, says: str
) -> None:
    (tmp_path / "typo.yaml").write_text("fail_on: {}\nslas: {avalability: []}\n", encoding="utf-8")
    done = invoke(f"run --root org-health {words}")
    assert done.exit_code == code
    assert says in done.stderr
    assert not (tmp_path / "reports").exists()


def test_a_dry_run_writes_nothing_for_the_build_server(invoke: Callable[[str], Result], tmp_path: Path) -> None:
    assert invoke("run --root org-health --dry-run --github-summary s.md --junit s.xml").exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"org-health", "lenient.yaml"}


def test_an_annotation_without_text_is_still_a_command() -> None:
    assert Annotation("warning", "", ()).command() == "::warning title=::"
