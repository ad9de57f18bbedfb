"""Policies as OpenSLO: read back by this project's own reader to equal policies, or refused by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tars_lib.config.org import read_org_config
from tars_lib.config.sla_policies import read_policy_paths
from tars_lib.errors import ConfigError, TarsError
from tars_lib.exports.openslo import openslo
from tars_lib.model.metrics import Metric
from tars_lib.model.names import Severity
from tars_lib.model.slo import AnyPolicy, RatioPolicy, Slices, ThresholdPolicy, Window
from tars_lib.sources.demo import demo_root

CALENDAR = Window(days=30, period="1M", anchor="2026-01-01T00:00:00")
BASE = {"sla_id": "a", "sla_name": "a", "sla_type": "a", "objective": 0.999}
RATIO = RatioPolicy(**BASE, total="requests_total", part="requests_failed")
SHARE = ThresholdPolicy(**BASE, metric="latency_p95", aggregate="good_share", threshold=0.5)
RAW = ThresholdPolicy(**BASE, metric="success", unit="ratio", slices=Slices(5))
LEVEL = ThresholdPolicy(**BASE | {"objective": 0.8}, metric="latency_p95", unit="s", higher_is_better=False)
KINDS: dict[str, AnyPolicy] = {
    "ratio of bad": RATIO,
    "ratio of good": replace(RATIO, part="requests_good", part_is_good=True),
    "ratio, missing is zero": replace(RATIO, missing_is_zero=True),
    "ratio in slices": replace(RATIO, slices=Slices(5, 0.95)),
    "ratio, mean of slices": replace(RATIO, slices=Slices(60)),
    "share within a ceiling": SHARE,
    "share above a floor": replace(SHARE, metric="health_score", threshold=60.0, threshold_is_floor=True),
    "share, with a warning": replace(SHARE, warning=0.9999),
    "share of good slices": replace(SHARE, slices=Slices(10, 0.9)),
    "raw success": RAW,
    "raw failure": replace(RAW, metric="failure", objective=0.001, higher_is_better=False),
    "raw success in slices": replace(RAW, slices=Slices(5, 0.95)),
    "raw failure in slices": replace(RAW, metric="failure", slices=Slices(5, 0.05, target_is_floor=False)),
    **{f"level, {name}": replace(LEVEL, aggregate=name) for name in ("mean", "median", "max", "last")},
    "level of a score": replace(LEVEL, metric="health_score", objective=70.0, unit="score", higher_is_better=True),
    "level, with a warning": replace(LEVEL, warning=0.7),
    "level of a share": replace(LEVEL, metric="error_rate", objective=0.01, unit="ratio"),
    "level of what nobody defined": replace(LEVEL, metric="queue_depth", unit="", objective=5.0),
    "all fields": replace(
        RATIO, sla_id="Pay: A/B", sla_name="Ü, one", sla_type="free text", priority=1, period_days=7,
        severity_on_breach=Severity.SEV_2, time_zone="Europe/Berlin", repos=("web", "api"), window=Window(days=7),
    ),
    "one repo": replace(RATIO, repos=("web",)),
    "hours": replace(RATIO, window=Window(minutes=360), period_days=1),
    "minutes": replace(RATIO, window=Window(minutes=90), period_days=30),
    "rolling months": replace(RATIO, window=Window(days=91, period="1Q"), time_zone="Asia/Kathmandu", period_days=91),
    "calendar": replace(RATIO, window=CALENDAR, time_zone="Europe/Berlin"),
    "an empty type": replace(RATIO, sla_type=""),
    "an objective of 100 %": replace(RATIO, objective=1.0),
}  # fmt: skip


def back(policies: Sequence[AnyPolicy], folder: Path, metrics: dict[str, Metric] | None = None) -> list[AnyPolicy]:
    """The policies as the reader of policy files reads them."""
    path = folder / "slos.yaml"
    path.write_text(openslo(policies, metrics or {}, {}), encoding="utf-8")
    return list(read_policy_paths([(path, "slos.yaml")], metrics=metrics or {})[0].policies)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_sla_comes_back_equal(kind: str, tmp_path: Path) -> None:
    assert back([KINDS[kind]], tmp_path) == [KINDS[kind]]


@pytest.mark.parametrize(
    "policy",
    [
        replace(RAW, slices=Slices(5, 95.0)),
        replace(RAW, objective=99.9, unit="%"),
        replace(RAW, slices=Slices(5, 5.0, target_is_floor=False)),
    ],
)
def test_slices_of_a_metric_in_percent_come_back_equal(policy: ThresholdPolicy, tmp_path: Path) -> None:
    metrics = {"success": Metric("success", "%", True, minimum=0.0, maximum=100.0)}
    assert back([policy], tmp_path, metrics) == [policy]


def test_the_demos_policies_come_back_equal(tmp_path: Path) -> None:
    root = demo_root()
    metrics = dict(read_org_config(root / "org.yaml", "org.yaml").metrics)
    policies = read_policy_paths([(root / "sla-policies.yaml", "p")], metrics=metrics)[0].policies
    assert back(policies, tmp_path, metrics) == list(policies)


def test_what_other_forms_state_comes_back_equal(tmp_path: Path) -> None:
    forms = Path(__file__).parents[1] / "config" / "policies" / "forms"
    tried = 0
    for path in sorted(forms.glob("*.yaml")):
        try:
            policies = read_policy_paths([(path, path.name)])[0].policies
        except TarsError:
            continue
        assert back(policies, tmp_path) == list(policies), path.name
        tried += 1
    assert tried > 25


def test_documents_have_the_shape_that_the_specification_wants() -> None:
    for document in yaml.safe_load_all(openslo(list(KINDS.values())[:3], {}, {})):
        assert document["apiVersion"] == "openslo/v1"
        assert document["kind"] == "SLO"
        annotations = document["metadata"].get("annotations", {})
        assert all(isinstance(value, str) for value in annotations.values())
        assert isinstance(document["spec"]["timeWindow"], list)


def test_the_one_query_of_a_metric_takes_its_place(tmp_path: Path) -> None:
    query = 'sum(increase(http_requests_total{code=~"5.."}[5m]))'
    text = openslo([RATIO], {}, {query: "requests_failed"})
    (tmp_path / "slos.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "slo-metrics.yaml").write_text(yaml.safe_dump({query: "requests_failed"}), encoding="utf-8")
    assert query in text
    assert read_policy_paths([(tmp_path / "slos.yaml", "slos.yaml")])[0].policies == (RATIO,)


def test_what_would_come_back_changed_is_refused_by_name() -> None:
    strange = [replace(RATIO, sla_id="odd", part="bad requests"), replace(RATIO, repos=("a,b", "c"))]
    with pytest.raises(ConfigError) as refused:
        openslo(strange, {}, {})
    assert "odd: has no form in OpenSLO: " in str(refused.value)
    assert "no metric for 'bad requests'" in str(refused.value)
    assert "a: has no form in OpenSLO: repos would be read back otherwise" in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "annotation", "refusal"),
    [
        ("ratio of bad", {"tars/prioritty": "1"}, "unknown key; allowed: repos, sla_id"),
        ("ratio of bad", {"tars/priority": "0"}, "priority: 1 or more is allowed"),
        ("ratio of bad", {"tars/aggregate": "mean"}, "tars/aggregate goes with a thresholdMetric"),
        ("ratio of bad", {"tars/time_zone": "Mars/Base"}, "Mars/Base"),
        ("ratio of bad", {"tars/severity_on_breach": "SEV-9"}, "SEV-9"),
        ("share within a ceiling", {"tars/missing": "zero"}, "tars/missing goes with a ratioMetric"),
        ("share within a ceiling", {"tars/unit": "s"}, "tars/unit goes with tars/aggregate"),
        ("share of good slices", {"tars/aggregate": "mean"}, "budgetingMethod Occurrences"),
        ("calendar", {"tars/time_zone": "Europe/Paris"}, "tars/time_zone goes with a rolling window"),
        ("level, mean", {"tars/unit": "h/s"}, "h/s"),
    ],
)
def test_an_annotation_that_does_not_fit_is_refused(
    kind: str, annotation: dict[str, str], refusal: str, tmp_path: Path
) -> None:
    document = yaml.safe_load(openslo([KINDS[kind]], {}, {}))
    document["metadata"].setdefault("annotations", {}).update(annotation)
    path = tmp_path / "slos.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        read_policy_paths([(path, "slos.yaml")])
    assert refusal in str(refused.value)
    assert str(refused.value).startswith("slos.yaml: SLO a: metadata.annotations")
