"""Limits of policies in the unit and direction of their metric, which `org.yaml` alone decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from tars_lib.config.org import read_org_config
from tars_lib.config.policy_units import in_units_of_metrics
from tars_lib.config.sla_policies import read_policies
from tars_lib.errors import ConfigError
from tars_lib.model.metrics import Metric
from tars_lib.model.slo import Slices, ThresholdPolicy


def metrics_of(folder: Path, text: str) -> dict[str, Metric]:
    (folder / "org.yaml").write_text(f"metrics: {{{text}}}")
    return dict(read_org_config(folder / "org.yaml", "org.yaml").metrics)


def read(folder: Path, metrics: str, policy: str) -> tuple[ThresholdPolicy, tuple[str, ...]]:
    text = f"policies: [{{sla_id: a, sla_type: t, {policy}}}]"
    if "policy_id" in policy:
        text = f"policies: [{{{policy}}}]"
    (folder / "p.yaml").write_text(text)
    policies, notes = read_policies(folder / "p.yaml", "p.yaml", metrics_of(folder, metrics))
    assert isinstance(policies[0], ThresholdPolicy)
    return policies[0], notes


@pytest.mark.parametrize(
    ("metrics", "policy", "objective", "unit", "higher"),
    [
        ("", "metric: latency_p95, objective: 500, unit: ms", 0.5, "s", False),
        ("latency: {unit: milliseconds}", "metric: latency, objective: 0.5, unit: s", 500.0, "ms", False),
        ("latency: {unit: us}", "metric: latency, objective: 2, unit: ms", 2000.0, "us", False),
        ("latency: {unit: min}", "metric: latency, objective: 90, unit: seconds", 1.5, "min", False),
        ("", "metric: latency_ms, objective: 40", 40.0, "ms", False),
        ("", "metric: time_to_restore, objective: 240, unit: minutes", 4.0, "h", False),
        ("", "metric: lead_time, objective: 2, unit: days", 48.0, "h", False),
        ("", "metric: availability, objective: 99.95, unit: percent", 0.9995, "ratio", True),
        ("availability: {unit: percent}", "metric: availability, objective: 0.999, unit: ratio", 99.9, "%", True),
        ("availability: {unit: '%'}", "metric: availability, objective: 99.5", 99.5, "%", True),
        ("error_rate: {unit: '%'}", "metric: error_rate, objective: 1", 1.0, "%", False),
        ("heap: {unit: KiB, higher_is_better: false}", "metric: heap, objective: 2, unit: MiB", 2048.0, "KiB", False),
        ("disk: {unit: bytes, higher_is_better: false}", "metric: disk, objective: 3, unit: MB", 3e6, "B", False),
        ("load: {unit: req/s, higher_is_better: true}", "metric: load, objective: 120, unit: req/min", 2.0, "req/s", True),
        ("", "metric: deployment_frequency, objective: 14, unit: 1/week", 2.0, "1/day", True),
        ("queue: {unit: messages, higher_is_better: false}", "metric: queue, objective: 100", 100.0, "messages", False),
        ("latency_headroom: {higher_is_better: true}", "metric: latency_headroom, objective: 0.2", 0.2, "s", True),
        ("", "metric: health_score, objective: 80, unit: '%'", 80.0, "score", True),
        ("", "metric: waiting, objective: 5, unit: minutes, higher_is_better: false", 5.0, "min", False),
    ],
)  # fmt: skip
def test_an_objective_is_in_the_unit_and_direction_of_its_metric(
    tmp_path: Path, metrics: str, policy: str, objective: float, unit: str, higher: bool
) -> None:
    found, _ = read(tmp_path, metrics, policy)
    assert (found.objective, found.unit, found.higher_is_better) == (objective, unit, higher)


def test_a_conversion_is_a_note_and_takes_the_warning_along(tmp_path: Path) -> None:
    found, notes = read(tmp_path, "", "metric: latency_p95, objective: 500, warning: 400, unit: ms")
    assert (found.objective, found.warning) == (0.5, 0.4)
    assert notes == ("p.yaml: policies.a: objective 500 ms is 0.5 s, warning 400 ms is 0.4 s, as latency_p95 is in s",)


def test_the_threshold_of_a_good_share_is_converted_and_its_objective_is_not(tmp_path: Path) -> None:
    given = "metric: latency_p95, aggregate: good_share, threshold: 300, unit: ms, objective: 0.99"
    found, _ = read(tmp_path, "", given)
    assert (found.threshold, found.objective, found.unit) == (0.3, 0.99, "ratio")


def test_limits_of_the_older_form_are_converted_from_minutes(tmp_path: Path) -> None:
    target = "metric_name: time_to_restore, target_value: 60, warning_threshold: 120, breach_threshold: 240"
    found, _ = read(tmp_path, "", f"policy_id: p, sla_type: t, targets: [{{{target}, unit: minutes}}]")
    assert (found.objective, found.warning, found.unit) == (4.0, 2.0, "h")


@pytest.mark.parametrize(
    ("metrics", "policy", "message"),
    [
        ("queue: {unit: messages, higher_is_better: false}", "metric: queue, objective: 5, unit: ms",
         "unit ms, but queue is in messages; allowed: messages"),
        ("", "metric: latency, objective: 5, unit: percent", "unit %, but latency is in s; allowed: ns, us, ms, s, min"),
        ("", "metric: availability, objective: 99.9", "objective 99.9: 0 to 1 is allowed for a ratio"),
        ("", "metric: health_score, objective: 800", r"objective 800: 0 to 100 is allowed for health_score \(score\)"),
        ("", "metric: health_score, objective: 0.8", "objective 0.8 of health_score.*was 80 meant"),
        ("availability: {unit: '%'}", "metric: availability, objective: 0.999", "objective 0.999.*was 99.9 meant"),
        ("", "metric: latency, objective: -1", "objective -1: 0 or more is allowed for latency"),
        ("", "metric: availability, aggregate: good_share, threshold: 99, objective: 0.9", "threshold 99: 0 to 1"),
        ("slack: {higher_is_better: true}", "metric: slack, objective: 1, higher_is_better: false",
         "higher_is_better: false, but org.yaml says true of slack"),
    ],
)  # fmt: skip
def test_a_limit_that_the_metric_cannot_have_is_refused(
    tmp_path: Path, metrics: str, policy: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, metrics, policy)


SLO = """apiVersion: openslo/v1
kind: SLO
metadata: {{name: a}}
spec:
  service: web
  indicator: {{metadata: {{name: x}}, spec: {indicator}}}
  timeWindow: [{{duration: 7d, isRolling: true}}]
  budgetingMethod: {method}
  objectives: [{{target: 0.9, {objective}}}]
"""
SOURCE = "{metricSource: {spec: {metric: availability}}}"


def of_openslo(folder: Path, **parts: str) -> ThresholdPolicy:
    (folder / "p.yaml").write_text(SLO.format(**parts))
    found = read_policies(folder / "p.yaml", "p.yaml", metrics_of(folder, "availability: {unit: '%'}"))[0][0]
    assert isinstance(found, ThresholdPolicy)
    return found


@pytest.mark.parametrize(
    ("method", "objective", "slices", "limit"),
    [
        ("Timeslices", "timeSliceTarget: 0.95, timeSliceWindow: 1h", Slices(60, 95.0), (0.9, "ratio")),
        ("RatioTimeslices", "timeSliceWindow: 1h", Slices(60), (90.0, "%")),
    ],
)
def test_what_a_slice_is_compared_with_is_in_the_unit_of_its_metric(
    tmp_path: Path, method: str, objective: str, slices: Slices, limit: tuple[float, str]
) -> None:
    indicator = f"{{ratioMetric: {{rawType: success, raw: {SOURCE}}}}}"
    found = of_openslo(tmp_path, indicator=indicator, method=method, objective=objective)
    assert (found.slices, (found.objective, found.unit)) == (slices, limit)


def test_a_share_as_limit_of_what_is_in_percent_is_refused_in_every_form(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"threshold 0.99 of availability, which goes from 0 to 100 \(%\): 99 is meant"
    ):
        of_openslo(
            tmp_path,
            indicator=f"{{thresholdMetric: {SOURCE}}}",
            method="Occurrences",
            objective="op: gte, value: 0.99",
        )


def test_two_units_for_a_metric_that_nobody_defined_are_refused(tmp_path: Path) -> None:
    rows = [
        f"{{sla_id: {unit}, sla_type: t, metric: wait, objective: 5, unit: {unit}, higher_is_better: false}}"
        for unit in ("s", "ms")
    ]
    (tmp_path / "p.yaml").write_text(f"policies: [{', '.join(rows)}]")
    with pytest.raises(ConfigError, match="p.yaml: ms: unit ms, but another policy says s of wait"):
        read_policies(tmp_path / "p.yaml", "p.yaml")


@pytest.mark.parametrize("part", ["good", "bad"])
def test_a_part_that_is_the_total_is_refused(tmp_path: Path, part: str) -> None:
    given = f"good: {{total: requests_total, {part}: requests_total}}, objective: 0.9"
    (tmp_path / "p.yaml").write_text(f"policies: [{{sla_id: a, sla_type: t, {given}}}]")
    with pytest.raises(ConfigError, match=f"p.yaml: .*{part} and total are the same metric, requests_total"):
        read_policies(tmp_path / "p.yaml", "p.yaml")


def test_a_share_of_a_metric_in_percent_is_judged_in_percent(tmp_path: Path) -> None:
    share = ThresholdPolicy(sla_id="a", sla_name="A", sla_type="t", objective=0.995, metric="up")
    (found,) = in_units_of_metrics([(share, "p.yaml")], metrics_of(tmp_path, "up: {unit: '%', higher_is_better: true}"))
    assert (found.objective, found.unit) == (99.5, "%")
    with pytest.raises(ConfigError, match="p.yaml: a: unit ratio, but up is in ms"):
        in_units_of_metrics([(share, "p.yaml")], metrics_of(tmp_path, "up: {unit: ms}"))


def test_a_definition_that_leaves_things_out_keeps_the_known_ones_in_its_unit(tmp_path: Path) -> None:
    error = metrics_of(tmp_path, "error_rate: {unit: percent}")["error_rate"]
    assert (error.unit, error.minimum, error.maximum, error.healthy, error.unhealthy) == ("%", 0.0, 100.0, 0.1, 5.0)
    assert error.higher_is_better is False
    restore = metrics_of(tmp_path, "time_to_restore: {unit: d}")["time_to_restore"]
    assert (restore.unit, restore.unhealthy) == ("d", 7.0)
    share = metrics_of(tmp_path, "hits: {unit: ratio, maximum: 4}")["hits"]
    assert (share.minimum, share.maximum) == (0.0, 4.0)
    turned = metrics_of(tmp_path, "error_rate: {higher_is_better: true}")["error_rate"]
    assert (turned.higher_is_better, turned.is_scored) == (True, False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "metrics: {latency: {unit: messages}}",
            "metrics.latency.unit: messages is no unit of latency; allowed: ns, us",
        ),
        ("metrics: {health_score: {unit: ratio}}", "metrics.health_score.unit: ratio is no unit of health_score"),
        ("metrics: {m: {kind: total}}", "metrics.m.kind"),
        ("metrics: {m: {minimum: 5, maximum: 2}}", "minimum 5 is not below maximum 2"),
        ("metrics: {m: {healthy: 1, unhealthy: 5, higher_is_better: true}}", "healthy above unhealthy is allowed"),
        ("slos: [{slo_id: a, measure: share_green, objective: 80}]", "objective 80 of share_green.*80 % is 0.8"),
        ("slos: [{slo_id: a, measure: coverage, objective: 95}]", "objective 95 of coverage.*95 % is 0.95"),
        ("slos: [{slo_id: a, measure: aggregate_score, objective: 0.8}]", "0 to 100: was 80 meant"),
        ("slos: [{slo_id: a, measure: minimum_score, objective: 101}]", "0 to 100 is allowed"),
    ],
)
def test_a_definition_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "org.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_org_config(tmp_path / "org.yaml", "org.yaml")


@pytest.mark.parametrize(
    ("metrics", "policy", "said"),
    [
        ("", "metric: error_rate, objective: 1", r"objective 1 of error_rate, .* can never be missed; .* write 0.01"),
        ("", "metric: availability, objective: 0", "objective 0 of availability, which goes from 0 to 1, can never be missed"),
        ("", "metric: health_score, objective: 0", "objective 0 of health_score, which goes from 0 to 100, can never"),
        ("hit: {unit: '%', maximum: 9, higher_is_better: false}", "metric: hit, objective: 9", "objective 9 of hit"),
        ("", "metric: error_rate, aggregate: good_share, threshold: 1, objective: 0.9", "threshold 1 of error_rate"),
    ],
)  # fmt: skip
def test_a_limit_that_no_value_can_miss_is_refused(tmp_path: Path, metrics: str, policy: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read(tmp_path, metrics, policy)


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ("objective: 0.01, higher_is_better: false", "for at most 1% bad ones write 0.99"),
        ("objective: 0.9, warning: 0.95", "warning: without effect for good"),
        ("objective: 0.9, aggregate: max", "aggregate: without effect for good"),
        ("objective: 0.9, unit: '%'", "unit '%' of a ratio SLA: its objective is a share from 0 to 1"),
    ],
)
def test_what_a_ratio_sla_has_no_use_for_is_refused(tmp_path: Path, extra: str, said: str) -> None:
    text = f"policies: [{{sla_id: a, sla_type: t, good: {{total: requests_total, bad: requests_failed}}, {extra}}}]"
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_policies(tmp_path / "p.yaml", "p.yaml", {})


@pytest.mark.parametrize(("warning", "is_told"), [(0.4, False), (0.5, True), (0.6, True)])
def test_a_warning_value_that_never_warns_is_told(tmp_path: Path, warning: float, is_told: bool) -> None:
    _, notes = read(tmp_path, "", f"metric: latency_p95, objective: 0.5, warning: {warning}")
    assert [f"warning {warning:g} is not within the objective 0.5" in note for note in notes] == [True] * is_told
