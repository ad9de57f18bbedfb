"""`org.yaml` is the one source of a metric's unit, direction, range and kind: in verdicts, causes, relations and sentences."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from org_samples import FIVE_MINUTES, RootBuilder, counts, series

from tars_lib.engines.queries.what_if import what_if
from tars_lib.engines.relations.aligned_metrics import movement_of
from tars_lib.engines.root_causes.ranking import rank_root_causes
from tars_lib.errors import InputError
from tars_lib.model.names import SlaStatus

HOUR = timedelta(hours=1)


def policies(text: str) -> str:
    return f"policies: [{{sla_id: a, sla_type: t, window: 1d, {text}}}]"


def test_a_breach_of_milliseconds_is_told_in_milliseconds(root: RootBuilder) -> None:
    root.file("org.yaml", "metrics: {latency: {unit: ms}}")
    root.file("sla-policies.yaml", policies("metric: latency, objective: 0.04, unit: s"))
    root.add(series("web", "latency", [20.0] * 200 + [90.0] * 88, step=FIVE_MINUTES))
    analysis = root.analyze()
    result, breach = analysis.sla.compliance_results[0], analysis.sla.breaches[0]
    # (200 * 20 + 88 * 90) / 288 = 41.4 ms
    assert (result.status, result.unit, result.objective) == (SlaStatus.BREACHED, "ms", 40.0)
    assert result.value == pytest.approx(41.39, abs=0.01)
    assert "41.4 ms against 40 ms" in analysis.sla.risk_narrative.text
    evidence = " ".join(line for cause in breach.root_causes for line in cause.evidence)
    assert "latency went from 20.0 ms to 90.0 ms" in evidence


def test_counts_of_a_declared_counter_are_judged_by_their_increases(root: RootBuilder) -> None:
    root.file("org.yaml", "metrics: {requests_total: {kind: counter}, requests_failed: {kind: counter}}")
    root.file(
        "sla-policies.yaml",
        policies("good: {total: requests_total, bad: requests_failed}, objective: 0.99").replace("1d", "2d"),
    )
    total = [1000 * n for n in range(24)] + [500]  # the last one after a restart
    failed = [0] * 12 + [10 * n for n in range(12)] + [5]
    root.add(counts("web", total, failed, step=HOUR))
    org = root.load()
    # 23 * 1000 + 500 requests, 110 + 5 failures
    assert org.history.series("requests_total", "web")[1].sum() == 23_500
    assert org.history.series("requests_failed", "web")[1].sum() == 115
    result = root.analyze().sla.compliance_results[0]
    assert result.value == pytest.approx(1 - 115 / 23_500, abs=5e-4)


def test_an_error_rate_in_percent_is_derived_in_percent(root: RootBuilder) -> None:
    root.file("org.yaml", "metrics: {error_rate: {unit: '%'}}")
    root.file("sla-policies.yaml", policies("metric: error_rate, objective: 1"))
    root.add(counts("web", [200] * 24, [1, 5] * 12, step=HOUR))
    analysis = root.analyze()
    # half of the samples 0.5 %, half 2.5 %
    result = analysis.sla.compliance_results[0]
    assert (result.value, result.unit, result.status) == (pytest.approx(1.5), "%", SlaStatus.BREACHED)
    assert root.load().frame("error_rate")["web"].tolist() == [0.5, 2.5] * 12
    component = analysis.health.repository_reports[0].components[0]
    assert (component.metric, component.unit) == ("error_rate", "%")
    # last three: 2.5, 0.5, 2.5; from 5 % (0 points) to 0.1 % (100)
    assert component.score == pytest.approx(100 * (5 - 2.5) / 4.9)


@pytest.mark.parametrize(
    ("org", "metric", "value", "message"),
    [
        ("{}", "availability", 99.5, r"allowed: 0 to 1 \(ratio\). If it is in per cent, org.yaml needs"),
        ("{}", "error_rate", 1.5, r"error_rate of web is 1.5; allowed: 0 to 1"),
        ("{}", "cache_hit_ratio", 60.0, "cache_hit_ratio of web is 60; allowed: 0 to 1"),
        ("metrics: {hits: {unit: fraction}}", "hits", 60.0, "hits of web is 60; allowed: 0 to 1"),
        ("metrics: {availability: {unit: '%'}}", "availability", 100.5, r"allowed: 0 to 100 \(%\)"),
        ("metrics: {queue: {minimum: 0, maximum: 10}}", "queue", 11.0, "queue of web is 11; allowed: 0 to 10"),
        ("{}", "health_score", 0.93, "health_score reaches 0.93 of 0 to 100"),
        ("metrics: {availability: {unit: '%'}}", "availability", 0.999, "availability reaches 0.999 of 0 to 100"),
        ("{}", "latency_ms", -4.0, r"latency_ms of web is -4; allowed: 0 or more \(ms\)"),
    ],
)
def test_a_value_in_another_unit_than_declared_is_refused_with_its_row(
    root: RootBuilder, org: str, metric: str, value: float, message: str
) -> None:
    root.file("org.yaml", org).add(series("web", metric, [value] * 12))
    with pytest.raises(InputError, match=f"history.csv, row 2, column value: .*{message}"):
        root.load()


def test_latencies_of_hundreds_of_seconds_are_told(root: RootBuilder) -> None:
    root.add(series("web", "latency_p95", [450.0] * 5))
    assert any("latency_p95 is read in seconds, and its median is 450 s" in note for note in root.load().warnings)
    root.file("org.yaml", "metrics: {latency_p95: {unit: ms}}")
    assert not any("latency_p95" in note for note in root.load().warnings)


def test_a_raw_share_under_a_policy_alone_has_the_range_of_a_share(root: RootBuilder) -> None:
    root.file("sla-policies.yaml", policies("metric: success, objective: 0.9, unit: ratio, higher_is_better: true"))
    root.add(series("web", "success", [60.0] * 5))
    with pytest.raises(InputError, match="success of web is 60; allowed: 0 to 1"):
        root.load()


@pytest.mark.parametrize("higher", [True, False])
def test_the_direction_of_org_yaml_turns_relations(root: RootBuilder, higher: bool) -> None:
    root.file("org.yaml", f"metrics: {{latency_headroom: {{higher_is_better: {str(higher).lower()}}}}}")
    root.add(series("web", "latency_headroom", np.geomspace(1.0, 2.0, 40)))
    moved = movement_of(root.load()).values[0][:, 0]
    assert bool(moved[-1] > moved[0]) is higher


@pytest.mark.parametrize(("higher", "levels"), [(True, (0.9, 0.3)), (False, (0.3, 0.9))])
def test_the_direction_of_org_yaml_turns_root_causes(
    root: RootBuilder, higher: bool, levels: tuple[float, float]
) -> None:
    root.file("org.yaml", f"metrics: {{slack: {{unit: messages, higher_is_better: {str(higher).lower()}}}}}")
    root.file("sla-policies.yaml", policies("metric: slack, objective: 0.6, aggregate: last"))
    rng = np.random.default_rng(3)
    before, during = (level + 0.01 * rng.random(size) for level, size in zip(levels, (200, 40), strict=True))
    root.add(series("web", "slack", [*before, *during], step=FIVE_MINUTES))
    breach = root.analyze().sla.breaches[0]
    assert breach.root_causes[0].repo == "web"
    assert "messages" in breach.root_causes[0].evidence[0]


def test_shares_of_failures_are_one_whatever_their_unit(root: RootBuilder) -> None:
    told = []
    for name, scale, org in (("ratio", 1.0, "{}"), ("percent", 100.0, "metrics: {error_rate: {unit: '%'}}")):
        builder = RootBuilder(root.folder / name)
        builder.file("org.yaml", org)
        builder.file("sla-policies.yaml", policies("metric: error_rate, objective: 0.02, unit: ratio"))
        rng = np.random.default_rng(4)
        shares = np.concatenate([0.001 + 0.0005 * rng.random(240), 0.2 + 0.01 * rng.random(40)])
        builder.add(series("web", "error_rate", shares * scale, step=FIVE_MINUTES))
        sla = builder.analyze().sla
        causes = [(c.repo, round(c.contribution, 6), c.evidence[0]) for c in sla.breaches[0].root_causes]
        told.append((sla.compliance_results[0].status, causes))
    assert told[0] == told[1]


def test_a_what_if_is_held_to_the_range_of_the_metric(root: RootBuilder) -> None:
    root.file("sla-policies.yaml", policies("metric: health_score, objective: 70"))
    org = root.add(series("web", "health_score", [90.0] * 30, step=HOUR)).load()
    with pytest.raises(InputError, match="objective of a: 120 is not allowed: 0 to 100 score is"):
        what_if(org, objective={"a": 120})


def test_the_public_ranking_reads_latencies_in_seconds() -> None:
    import pandas as pd

    time = pd.date_range("2026-01-01", periods=103, freq="5min", tz="UTC")
    values = 0.1 + 0.01 * np.random.default_rng(0).random((103, 1))
    values[100:] += 0.5
    frame = pd.DataFrame(values, index=time, columns=pd.MultiIndex.from_tuples([("web", "latency")]))
    causes = rank_root_causes(frame[100:], frame[:100], ("web", "latency"))
    assert (
        "s of extra request time" in " ".join(causes["evidence"].iloc[0]) or " s to " in causes["evidence"].iloc[0][0]
    )
