"""A build fails for what its policy names and for nothing else; the finding itself never changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_samples import RUNS, RunSamples

from tars_lib.errors import ConfigError
from tars_lib.findings.config import read_exit_policy
from tars_lib.findings.exit_codes import DECISION_ORDER, NOTHING_JUDGED, highest
from tars_lib.findings.exit_policy import EVERY_FINDING, NO_FINDING, ExitPolicy, check_names, decide
from tars_lib.model.names import SlaStatus

BREACHED, AT_RISK, UNKNOWN = SlaStatus.BREACHED, SlaStatus.AT_RISK, SlaStatus.UNKNOWN


def policy(tmp_path: Path, text: str) -> ExitPolicy:
    """The policy that a file holds."""
    place = tmp_path / "exit-policy.yaml"
    place.write_text(text, encoding="utf-8")
    return read_exit_policy(place)


@pytest.mark.parametrize("name", RUNS)
def test_without_a_policy_the_code_is_that_of_the_decision_tree(samples: RunSamples, name: str) -> None:
    run = samples.run(name)
    codes = [step.exit_code for step in run.status.steps]
    verdicts = {result.sla_id: result.status for result in run.sla.compliance_results}
    assert decide(EVERY_FINDING, codes, verdicts).code == run.status.exit_code
    assert decide(NO_FINDING, codes, verdicts).code == 0


@pytest.mark.parametrize("codes", [(96, 0, 96), (96, 101)])
def test_what_nobody_could_judge_passes_under_no_list_of_findings(codes: tuple[int, ...]) -> None:
    assert decide(EVERY_FINDING, codes, {"a": UNKNOWN}).code == highest(codes)
    decision = decide(ExitPolicy(frozenset({142})), codes, {"a": UNKNOWN})
    assert (decision.code, decision.failing_codes) == (96, (96,))
    spared = decide(NO_FINDING, codes, {"a": UNKNOWN})
    assert (spared.code, "NOTHING_JUDGED (96)" in spared.passed) == (0, True)


def test_codes_names_and_severity_say_the_same_in_three_ways(tmp_path: Path) -> None:
    assert policy(tmp_path, "fail_on: {codes: [142, 92]}").codes == {142, 92}
    assert policy(tmp_path, "fail_on: {findings: [SLA_BREACH, high_org_risk]}").codes == {142, 92}
    assert policy(tmp_path, "fail_on: {severity: SEV-1}").codes == {142, 132, 122, 102}
    assert policy(tmp_path, "fail_on: {severity: sev-2}").codes == {142, 132, 122, 102, 92, 141}
    assert policy(tmp_path, "fail_on: {severity: SEV-3}").codes == set(DECISION_ORDER)
    assert policy(tmp_path, "fail_on: {codes: [91], severity: SEV-1}").codes == {142, 132, 122, 102, 91}


def test_a_named_sla_is_judged_by_its_own_line_alone(tmp_path: Path) -> None:
    read = policy(tmp_path, "fail_on: {codes: [142]}\nslas: {old-api: [], checkout: [BREACHED, AT_RISK]}\n")
    assert decide(read, (142,), {"old-api": BREACHED}).code == 0
    assert decide(read, (142,), {"old-api": BREACHED, "search": BREACHED}).failing_slas == ("search",)
    assert decide(read, (141,), {"checkout": AT_RISK}).code == 141
    assert decide(read, (141,), {"search": AT_RISK}).code == 0
    # the breach passes, the risk does not: the code is that of what fails
    assert decide(read, (142,), {"old-api": BREACHED, "checkout": AT_RISK}).code == 141


def test_what_is_left_to_pass_is_named(tmp_path: Path) -> None:
    read = policy(tmp_path, "fail_on: {codes: [142]}\nslas: {old-api: []}\n")
    found = decide(read, (142, 121, 0), {"old-api": BREACHED, "search": UNKNOWN})
    assert (found.code, found.passed) == (0, ("old-api BREACHED", "CORRELATIONS (121)"))


def test_an_unknown_sla_fails_no_build() -> None:
    assert decide(EVERY_FINDING, (0,), {"a": UNKNOWN}).code == 0


def test_where_nothing_could_be_judged_no_policy_of_a_file_lets_the_build_pass(tmp_path: Path) -> None:
    lenient = policy(tmp_path, "fail_on: {}")
    for read in (EVERY_FINDING, lenient):
        found = decide(read, (0, NOTHING_JUDGED), {"a": UNKNOWN})
        assert (found.code, found.failing_codes) == (96, (96,))
    assert decide(NO_FINDING, (96,), {"a": UNKNOWN}).code == 0
    # where something else was found, that is the finding; a policy that lets it pass lets nothing pass unjudged
    assert decide(EVERY_FINDING, (121, 96)).code == 121
    assert decide(lenient, (121, 96)).code == 96


@given(st.sets(st.sampled_from(DECISION_ORDER)), st.sets(st.sampled_from(DECISION_ORDER)))
def test_the_code_is_the_highest_of_what_was_found_and_is_named(found: set[int], named: set[int]) -> None:
    decision = decide(ExitPolicy(frozenset(named)), found)
    assert decision.code == highest(tuple(found & named))
    assert set(decision.failing_codes) == found & named
    assert len(decision.passed) == len(found - named)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "fail_on: missing; it is needed"),
        ("slas: {a: []}", "fail_on: missing; it is needed"),
        ("fail_on: {code: [142]}", "fail_on.code: unknown key; allowed: codes, findings, severity"),
        ("fail_on: {}\nsla: {}", "sla: unknown key; allowed: fail_on, slas"),
        ("fail_on: {codes: [95]}", "95 is no finding; allowed: 91, 92, 101"),
        ("fail_on: {codes: [0]}", "0 is no finding"),
        ("fail_on: {codes: ['142']}", "fail_on.codes.0"),
        ("fail_on: {codes: [true]}", "fail_on.codes.0"),
        ("fail_on: {codes: 142}", "fail_on.codes"),
        ("fail_on: {findings: [BREACH]}", "'BREACH' is no finding; allowed: SLA_BREACH, CRITICAL_PROPAGATION"),
        ("fail_on: {severity: high}", "'high' is not a Severity; allowed: SEV-1, SEV-2, SEV-3, SEV-4"),
        ("fail_on: {}\nslas: {a: [UNKNOWN]}", "slas.a: 'UNKNOWN'; allowed: BREACHED, AT_RISK, or [] for none"),
        ("fail_on: {}\nslas: {a: BREACHED}", "slas.a"),
        *(
            (
                f"fail_on: {value}",
                "fail_on: codes, findings or severity below it are needed, as in `fail_on: {codes: [142]}`",
            )
            for value in ("", "142", "[142]", "SLA_BREACH")
        ),
    ],
)
def test_what_is_wrong_in_a_policy_is_named_with_what_is_allowed(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        policy(tmp_path, text)
    assert says in str(refused.value)
    assert "exit-policy.yaml" in str(refused.value)


def test_a_missing_file_and_a_misspelt_sla_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere.yaml: no such file"):
        read_exit_policy(tmp_path / "nowhere.yaml")
    with pytest.raises(ConfigError, match="slas.avail: no such SLA; allowed: availability, latency"):
        check_names(ExitPolicy(frozenset(), {"avail": frozenset()}), ["latency", "availability"], "p.yaml")
