"""Executive readiness and the risk narrative."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from org_samples import DAILY, STAMP, T0, Row, counts, org_of, ratio, series, threshold

from tars_lib.engines.health.assess import assess_health
from tars_lib.engines.health.report import HealthReport
from tars_lib.engines.sla.assess import assess_slas
from tars_lib.engines.sla.readiness import assess_readiness, summarize
from tars_lib.engines.sla.report import ComplianceResult, SlaReport
from tars_lib.engines.sla.verdict import judge
from tars_lib.model.names import ReadinessTier, Repo, SlaStatus
from tars_lib.model.organisation import OrgData
from tars_lib.model.slo import AnyPolicy

COMPLIANT, AT_RISK, BREACHED, UNKNOWN = SlaStatus
LAST = T0 + 29 * DAILY


def health_of(*scores: float, silent: int = 0) -> HealthReport:
    rows = [row for n, score in enumerate(scores) for row in series(f"r{n}", "health_score", [score] * 30)]
    return assess_health(org_of(rows, repos=[Repo(f"s{n}", "s") for n in range(silent)]), LAST, STAMP)


def result(status: SlaStatus, n: int = 0) -> ComplianceResult:
    policy = threshold(sla_id=f"sla-{n}")
    org = org_of(series("a", "latency_p95", [0.1] * 30), policy)
    return replace(judge(org, policy, LAST).result, status=status, sla_id=f"sla-{n}")


def report(org: OrgData) -> SlaReport:
    known, at = org.at(LAST)
    return assess_slas(known, at, assess_health(known, at, STAMP), STAMP)


def test_everything_met_known_and_healthy_is_green_at_one_hundred() -> None:
    found = assess_readiness([result(COMPLIANT, n) for n in range(4)], [], health_of(100))
    assert (found.tier, found.readiness_score, found.unknown_share) == (ReadinessTier.GREEN, pytest.approx(100), 0)
    assert sum(c.weight for c in found.components) == pytest.approx(1)


def test_points_and_weights_by_hand() -> None:
    results = [result(s, n) for n, s in enumerate((COMPLIANT, AT_RISK, UNKNOWN, BREACHED))]
    found = assess_readiness(results, [], health_of(80))
    assert found.readiness_score == pytest.approx(0.5 * (100 + 50 + 0 + 0) / 4 + 0.3 * 80 + 0.2 * 100)
    assert found.unknown_share == pytest.approx(0.125)


def test_at_risk_or_unknown_is_never_green() -> None:
    for status in (AT_RISK, UNKNOWN):
        found = assess_readiness([*(result(COMPLIANT, n) for n in range(20)), result(status, 99)], [], health_of(100))
        assert found.readiness_score > 90
        assert found.tier is ReadinessTier.YELLOW


def test_half_or_more_unknown_is_unknown() -> None:
    assert assess_readiness([result(UNKNOWN)], [], health_of(100)).tier is ReadinessTier.UNKNOWN
    assert assess_readiness([], [], health_of(100)).tier is ReadinessTier.UNKNOWN


def test_critical_health_is_red_without_any_breach() -> None:
    assert assess_readiness([result(COMPLIANT)], [], health_of(10)).tier is ReadinessTier.RED


def test_a_breach_is_red_whatever_the_score() -> None:
    policies = tuple(threshold(sla_id=f"s{n}", objective=0.5) for n in range(9))
    org = org_of(
        series("a", "latency_p95", [0.1] * 30)
        + series("a", "health_score", [100] * 30)
        + counts("a", [1000] * 30, [0] * 20 + [50] * 10),
        *policies, ratio(),
    )  # fmt: skip
    readiness = report(org).executive_readiness
    assert readiness.readiness_score > 80
    assert readiness.tier is ReadinessTier.RED


@given(st.lists(st.sampled_from(list(SlaStatus)), min_size=1, max_size=8), st.data())
def test_a_verdict_that_becomes_unknown_never_raises_the_score(statuses: list[SlaStatus], data: st.DataObject) -> None:
    health = health_of(90)
    lost = data.draw(st.sets(st.integers(0, len(statuses) - 1)))
    before = assess_readiness([result(s, n) for n, s in enumerate(statuses)], [], health)
    after = assess_readiness([result(UNKNOWN if n in lost else s, n) for n, s in enumerate(statuses)], [], health)
    assert after.readiness_score <= before.readiness_score + 1e-9
    assert after.unknown_share >= before.unknown_share - 1e-9
    if before.tier is not ReadinessTier.GREEN:
        assert after.tier is not ReadinessTier.GREEN


# scores at both ends: only a bad repo that falls silent among good ones could raise the score
@given(st.lists(st.sampled_from([0, 20, 80, 100]), min_size=2, max_size=8), st.data())
def test_a_repo_that_falls_silent_never_raises_the_score(scores: list[int], data: st.DataObject) -> None:
    lost = data.draw(st.sets(st.integers(0, len(scores) - 1)))
    full = {n: series(f"r{n}", "health_score", [score] * 60, T0 - 30 * DAILY) for n, score in enumerate(scores)}
    part = [row for n, rows in full.items() for row in (rows[:30] if n in lost else rows)]
    before, after = (
        assess_readiness([], [], assess_health(org_of(rows), LAST, STAMP)).readiness_score
        for rows in ([row for rows in full.values() for row in rows], part)
    )
    assert after <= before + 1e-9


POLICIES: tuple[AnyPolicy, ...] = (ratio(0.99), threshold(objective=0.5), threshold("lead_time", 40, unit="h"))


@given(
    st.sets(st.sampled_from(["requests_total", "requests_failed", "latency_p95", "lead_time"])),
    st.integers(0, 40), st.sampled_from([0.1, 0.9]), st.sampled_from([10, 90]),
)  # fmt: skip
def test_a_metric_that_nobody_reports_any_more_never_raises_the_score(
    lost: set[str], failed: int, latency: float, lead: float
) -> None:
    rows: list[Row] = counts("a", [1000] * 30, [failed] * 30) + series("a", "health_score", [70] * 30)
    rows += (
        series("a", "latency_p95", [latency] * 30)
        + series("b", "lead_time", [lead] * 30)
        + series("b", "health_score", [90] * 30)
    )
    before = report(org_of(rows, *POLICIES))
    after = report(org_of([row for row in rows if row[2] not in lost], *POLICIES))
    assert after.executive_readiness.readiness_score <= before.executive_readiness.readiness_score + 1e-9
    for one, other in zip(before.compliance_results, after.compliance_results, strict=True):
        assert other.status in (one.status, UNKNOWN)
    if lost:
        assert after.executive_readiness.tier is not ReadinessTier.GREEN


def test_the_summary_counts_every_verdict() -> None:
    found = summarize([result(s, n) for n, s in enumerate((COMPLIANT, COMPLIANT, AT_RISK, BREACHED, UNKNOWN))])
    assert (found.total, found.compliant, found.at_risk, found.breached, found.unknown) == (5, 2, 1, 1, 1)


@pytest.mark.parametrize(
    ("failed", "headline"),
    [
        (0, r"The SLA is met\."),
        (9, r"1 of 1 SLAs (is|are) at risk, none is breached\."),
        (50, r"Availability is breached.* 95% against 99%"),
    ],
)
def test_the_headline_says_the_worst_first(failed: int, headline: str) -> None:
    found = report(org_of(counts("a", [1000] * 30, [failed] * 30), ratio(0.99))).risk_narrative
    assert re.match(headline, found.headline)


def test_nothing_to_judge_is_said_as_such() -> None:
    rows = series("a", "health_score", [90] * 30)
    assert report(org_of(rows)).risk_narrative.headline == "No SLA is defined."
    unknown = report(org_of(rows, ratio()))
    assert unknown.risk_narrative.headline == "No SLA is known to be breached; 1 of 1 cannot be judged."
    assert (
        "Availability cannot be judged: no service reports requests_total, requests_failed."
        in unknown.risk_narrative.text
    )


def test_every_sentence_names_fields_that_exist() -> None:
    org = org_of(
        counts("a", [1000] * 90, [0] * 80 + [50] * 10, LAST - 89 * DAILY)
        + series("a", "latency_p95", [0.49] * 90, LAST - 89 * DAILY),
        ratio(), threshold(warning=0.4), threshold("lead_time"),
    )  # fmt: skip
    found = report(org)
    assert {r.status for r in found.compliance_results} == {BREACHED, AT_RISK, UNKNOWN}
    for sentence in found.risk_narrative.sentences:
        assert sentence.sources
        assert sentence.text in found.risk_narrative.text
        for source in sentence.sources:
            assert resolve(found, source) is not None or source.endswith("reason"), source


def resolve(value: object, path: str) -> object:
    for part in path.replace("]", "").replace("[", ".").split("."):
        value = value[int(part)] if part.isdigit() else getattr(value, part)  # type: ignore[index]
    return value


def test_declining_repos_are_part_of_the_outlook() -> None:
    rows = series("a", "health_score", [95 - n / 3 for n in range(30)])
    found = report(org_of(rows, threshold("health_score", 10, higher_is_better=True, unit="score")))
    said = "no breach; none of the forecasts expects a breach; 1 service of 1 is declining"
    assert found.executive_readiness.outlook == said
    assert found.as_of == LAST + timedelta(0)


def test_the_outlook_names_the_nearest_breach_that_is_likely_and_what_has_no_forecast() -> None:
    start = LAST - 59 * DAILY
    climb = [0.3 + 0.006 * max(n - 20, 0) + 0.005 * (-1) ** n for n in range(60)]
    rows = series("a", "latency_p95", climb, start) + series("a", "latency", [0.2] * 60, start)
    missing = threshold("lead_time", 9)
    found = report(org_of(rows, threshold(), threshold("latency", 9), missing))
    days = found.compliance_results[0].days_until_breach
    assert days is not None
    said = f"no breach, but an SLA is at risk; latency_p95 is likely to breach in about {days.value:.0f} days ("
    assert found.executive_readiness.outlook.startswith(said)
    assert found.executive_readiness.outlook.endswith("; no forecast for lead_time: no service reports lead_time")


def test_the_outlook_of_an_organisation_without_slas_says_so() -> None:
    assert assess_readiness([], [], health_of(90)).outlook == "no SLA is defined"


def test_a_breach_goes_on_and_is_not_forecast_again() -> None:
    found = report(org_of(series("a", "latency_p95", [0.1] * 10 + [2.0] * 20), threshold()))
    assert found.executive_readiness.outlook == (
        "1 SLA is breached already (the breach is active as of 2026-01-30 00:00 UTC)"
    )


@pytest.mark.parametrize(("good", "is_over"), [(1, False), (4, False), (5, True)])
def test_a_breach_is_over_once_an_outage_would_have_shown(good: int, is_over: bool) -> None:
    """Half of the requests fail for five days: five good ones in a row have the chance 1/32 while that lasts, four 1/16."""
    requests = [40.0] * 24 + [10.0] * 5 + [float(good)]
    (breach,) = report(org_of(counts("a", requests, [0.0] * 24 + [5.0] * 5 + [0.0]), ratio(objective=0.99))).breaches
    assert (breach.ended_at is not None) == is_over


def test_the_interval_of_an_sla_on_some_services_is_theirs() -> None:
    rows = counts("a", [1000] * 30, [50] * 30) + counts("b", [100_000] * 30, [0] * 30)
    rows += counts("c", [1000] * 30, [50] * 30)
    (found,) = report(org_of(rows, replace(ratio(), repos=("a", "c")))).compliance_results
    window = found.windows[0]
    assert window.value == pytest.approx(0.95)
    assert window.ci_low is not None
    assert window.ci_high is not None
    assert window.ci_low < 0.95 < window.ci_high


def test_a_breach_that_has_ended_leads_no_headline_while_another_lasts() -> None:
    def named(sla_id: str, repo: str) -> AnyPolicy:
        return replace(ratio(sla_id=sla_id), repos=(repo,))

    rows = counts("a", [1000] * 30, [0] * 10 + [500] * 10 + [0] * 10) + counts("b", [1000] * 30, [0] * 25 + [50] * 5)
    found = report(org_of(rows, named("first", "a"), named("second", "b")))
    assert [(breach.sla_id, breach.ended_at is None) for breach in found.breaches] == [
        ("first", False),
        ("second", True),
    ]
    assert found.risk_narrative.headline.startswith(f"{found.breaches[1].sla_name} is breached")
    assert "One more" not in found.risk_narrative.headline
