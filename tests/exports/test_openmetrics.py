"""Verdicts as metrics: read by promtool and by the reference parser, unknown as its own state, hostile names harmless."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace

import pytest
from run_samples import RunSamples

from tars_lib.engines.sla.report import RepoResult, SlaReport
from tars_lib.exports.openmetrics import MAX_LABEL, MAX_REPO_SERIES, openmetrics
from tars_lib.model.names import ReadinessTier, SlaStatus

parser = pytest.importorskip("prometheus_client.openmetrics.parser", reason="prometheus_client is not installed")
Read = dict[str, dict[tuple[tuple[str, str], ...], float]]
HOSTILE = 'pay"ments\\\n# TYPE x counter\n\u202ex} 1'


def read(text: str) -> Read:
    """Family: labels without the organisation: value."""
    found: Read = {}
    for family in parser.text_string_to_metric_families(text):
        for sample in family.samples:
            labels = tuple(sorted((key, value) for key, value in sample.labels.items() if key != "org"))
            assert labels not in found.setdefault(sample.name, {}), "a series stands twice"
            found[sample.name][labels] = sample.value
    return found


def of(found: Read, name: str, **labels: str) -> float | None:
    matches = [value for key, value in found.get(name, {}).items() if set(labels.items()) <= set(key)]
    assert len(matches) <= 1, matches
    return matches[0] if matches else None


@pytest.fixture
def sla(samples: RunSamples) -> SlaReport:
    return samples.run("demo").sla


def test_every_verdict_value_bound_and_budget_is_what_the_report_says(sla: SlaReport) -> None:
    found = read(openmetrics(sla, "Shop", "tars-run-1"))
    assert of(found, "tars_run_info", run="tars-run-1", finding="SLA_BREACH") == 1
    for result in sla.compliance_results:
        own = {"sla": result.sla_id}
        for state in SlaStatus:
            assert of(found, "tars_sla_status", state=state.value, **own) == float(state is result.status)
        assert of(found, "tars_sla_value", **own) == result.value
        assert of(found, "tars_sla_objective", **own) == result.objective
        assert of(found, "tars_sla_value_low", **own) == result.value_low
        assert of(found, "tars_sla_value_high", **own) == result.value_high
        assert of(found, "tars_sla_confidence_low", **own) == (result.windows[0].ci_low if result.windows else None)
        budget = result.error_budget
        assert of(found, "tars_sla_error_budget_remaining", **own) == (None if budget is None else budget.remaining)
        for rate in result.burn_rates:
            pair = {**own, "threshold": f"{rate.threshold:g}"}
            assert of(found, "tars_sla_burn_rate_long", **pair) == rate.long_rate
            assert of(found, "tars_sla_burn_state", state="FIRING", **pair) == float(rate.is_firing)
    ready = sla.executive_readiness
    assert of(found, "tars_readiness_score") == ready.readiness_score
    assert of(found, "tars_readiness_tier", state=ready.tier.value) == 1


def test_unknown_is_a_state_and_has_no_number(sla: SlaReport) -> None:
    unknown = sla["restore"]
    assert unknown.status is SlaStatus.UNKNOWN
    ready = replace(sla.executive_readiness, tier=ReadinessTier.UNKNOWN)
    found = read(openmetrics(replace(sla, executive_readiness=ready), "Shop"))
    states = {state: of(found, "tars_sla_status", sla="restore", state=state) for state in SlaStatus.__members__}
    assert states == {"COMPLIANT": 0, "AT_RISK": 0, "BREACHED": 0, "UNKNOWN": 1}
    assert of(found, "tars_sla_value", sla="restore") is None
    assert of(found, "tars_readiness_tier", state="UNKNOWN") == 1
    assert of(found, "tars_readiness_score") is None


def test_a_hostile_name_stays_a_label(sla: SlaReport) -> None:
    first, second = sla.compliance_results[:2]
    long = "x" * 1000
    results = (
        replace(first, sla_id=HOSTILE, sla_name=long),
        replace(second, sla_id=f"{long}a"),
        replace(second, sla_id=f"{long}b"),
    )
    text = openmetrics(replace(sla, compliance_results=results), HOSTILE)
    found = read(text)
    assert "# TYPE x counter" not in text.splitlines()
    assert "\u202e" not in text
    ids = {dict(key)["sla"] for key in found["tars_sla_info"]}
    assert len(ids) == 3
    assert max(map(len, ids)) <= MAX_LABEL
    assert any(name.startswith('pay"ments\\') for name in ids)


def test_repos_beyond_the_bound_are_counted(sla: SlaReport) -> None:
    listed = tuple(RepoResult(f"r{n}", SlaStatus.BREACHED, 0.5, 9, 1.0, None) for n in range(MAX_REPO_SERIES + 7))
    first = replace(sla.compliance_results[0], repo_results=listed)
    found = read(openmetrics(replace(sla, compliance_results=(first,)), "Shop"))
    assert len(found["tars_sla_repo_status"]) == MAX_REPO_SERIES
    assert of(found, "tars_export_left_out") == 7


def test_the_textfile_collectors_format_holds(sla: SlaReport) -> None:
    text = openmetrics(sla, HOSTILE)
    # the collector knows no stateset and no info, and refuses time stamps
    assert {line.split()[3] for line in text.splitlines() if line.startswith("# TYPE")} == {"gauge"}
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    done = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, check=False, text=True, encoding="utf-8"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
