"""What others write: each construct of published SLO documents as a small document, read right or refused with its reason."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tars_lib.config.sla_policies import PolicySet, read_policy_paths
from tars_lib.errors import ConfigError
from tars_lib.model.slo import RatioPolicy, Slices, ThresholdPolicy, Window

FORMS = Path(__file__).parent / "forms"
PAGE = Path(__file__).parents[3] / "docs" / "openslo.md"
RATIO = {
    "total": "requests_total",
    "part": "requests_failed",
    "part_is_good": False,
    "repos": ("web",),
    "objective": 0.999,
}
GOOD = {**RATIO, "part": "requests_good", "part_is_good": True}
DAYS_30, DAYS_28, WEEK = Window(days=30), Window(days=28), Window(days=7)
ANCHOR = "2026-01-01T00:00:00"

READ: dict[str, dict[str, dict[str, Any]]] = {
    "list": {"web-a": RATIO, "web-b": RATIO},
    "kubernetes-list": {"web": RATIO},
    "documents": {"web": {**RATIO, "sla_type": "availability"}},
    "nulls": {"web": RATIO},
    "anchors": {"web": {**RATIO, "window": DAYS_28}, "api": {**RATIO, "repos": ("api",), "window": DAYS_28}},
    "labels-and-namespace": {"web": RATIO},
    "op-on-a-ratio": {"web": RATIO},
    "promql": {"web": GOOD},
    "promql-in-a-block": {"web": RATIO},
    "metric-source-ref": {"web": RATIO},
    "metric-source-type": {"web": RATIO},
    "further-fields-of-a-source": {"web": GOOD},
    "counter": {"web": RATIO},
    "target-percent": {"web": {**RATIO, "objective": 0.9995}},
    "several-objectives": {
        "web:Good": {**RATIO, "objective": 0.99},
        "web:Best": {**RATIO, "objective": 0.999},
    },
    "threshold": {
        "fast": {"metric": "latency_p95", "threshold": 0.5, "threshold_is_floor": False, "objective": 0.95},
    },
    "timeslices": {"web": {**RATIO, "slices": Slices(5, 0.95)}},
    "ratio-timeslices": {"web": {**RATIO, "slices": Slices(5)}},
    "rolling-weeks": {"web": {**RATIO, "window": DAYS_28}},
    "rolling-month": {"web": {**RATIO, "window": Window(days=30, period="1M"), "period_days": 30}},
    "rolling-quarter": {"web": {**RATIO, "window": Window(days=91, period="1Q"), "period_days": 91}},
    "rolling-year": {"web": {**RATIO, "window": Window(days=365, period="1Y"), "period_days": 365}},
    "calendar-month": {
        "web": {**RATIO, "window": Window(days=30, period="1M", anchor=ANCHOR), "time_zone": "Europe/Berlin"},
    },
    "calendar-quarter": {"web": {**RATIO, "window": Window(days=91, period="1Q", anchor=ANCHOR)}},
    "no-time-window": {"web": {**RATIO, "window": DAYS_30}},
    "alert-policies": {"web": RATIO},
    "composite": {
        "checkout:Served": {**RATIO, "objective": 0.99, "sla_type": "served"},
        "checkout:Fast": {"metric": "latency_p95", "objective": 0.9, "sla_type": "fast"},
    },
    "composite-v2alpha": {
        "checkout:1": {**RATIO, "objective": 0.99},
        "checkout:2": {"metric": "latency_p95", "threshold": 0.5, "objective": 0.9},
    },
    "v1alpha-ratio": {"web": {**GOOD, "window": WEEK}},
    "v1alpha-threshold": {
        "fast": {"metric": "latency_p95", "threshold": 0.5, "window": Window(days=7, period="1w", anchor=ANCHOR)}
    },
    "v2alpha": {"web": {**RATIO, "window": DAYS_28}},
    "sloth": {
        "web-errors": {**RATIO, "window": DAYS_30},
        "web-raw": {
            "metric": "error_rate",
            "aggregate": "mean",
            "objective": 0.05,
            "higher_is_better": False,
            "unit": "ratio",
        },
    },
    "sloth-kubernetes": {"web-errors": RATIO},
    "sloth-kubernetes-raw": {"web-raw": {"metric": "error_rate", "objective": 0.05, "higher_is_better": False}},
    "sloth-getting-started": {"myservice-requests-availability": {**RATIO, "repos": ("myservice",)}},
    "sloth-several-services": {
        "web-a": {**RATIO, "objective": 0.99},
        "api-a": {**RATIO, "repos": ("api",), "objective": 0.95},
    },
    "sloth-plugin-chain": {"web-a": {**RATIO, "objective": 0.99}},
    "pyrra-alerting": {
        "pyrra-api-errors": {**RATIO, "repos": (), "objective": 0.99, "window": Window(days=14)},
    },
    "readme-ratio": {
        "foo-slo": {**GOOD, "repos": ("foo",), "objective": 0.98, "window": Window(days=1), "sla_type": "foo-error"}
    },
    "calendar-week": {
        "web": {
            **RATIO,
            "window": Window(days=7, period="1w", anchor="2022-01-03T12:00:00"),
            "time_zone": "America/New_York",
        }
    },
    "raw-success": {
        "web": {"metric": "availability", "slices": Slices(60, 0.95), "objective": 0.99, "higher_is_better": True}
    },
    "raw-failure": {
        "web": {
            "metric": "availability",
            "slices": Slices(60, pytest.approx(0.05), target_is_floor=False),
            "objective": 0.99,
        }
    },
    "two-limits": {
        "annotator-throughput:ok": {"metric": "latency_p95", "threshold": 0.3, "objective": 0.97},
        "annotator-throughput:painful": {"metric": "latency_p95", "threshold": 1.0, "objective": 0.999},
    },
    "inline-alert-policy": {"web": {**RATIO, "window": DAYS_30}},
    "v1alpha-calendar": {
        "web": {
            **GOOD,
            "objective": 0.98,
            "window": Window(days=30, period="1M", anchor="2021-01-01T00:00:00"),
            "time_zone": "America/New_York",
        }
    },
    "pyrra-ratio": {"web-errors": {**RATIO, "repos": (), "window": DAYS_28}},
    "pyrra-latency": {"web-latency": {**GOOD, "objective": 0.99, "repos": ("web",), "window": Window(days=14)}},
    "pyrra-bool-gauge": {
        "up": {"metric": "availability", "aggregate": "mean", "objective": 0.999, "higher_is_better": True}
    },
    "slo-generator": {"web-availability": GOOD},
    "slo-generator-query": {"web-availability": {"metric": "availability", "aggregate": "mean", "objective": 0.999}},
    "predecessor-flat": {
        "delivery": {"metric": "deployment_frequency", "objective": 0.14, "warning": 0.5, "higher_is_better": True},
    },
    "predecessor-units": {"restore": {"metric": "time_to_restore", "objective": 4.0, "warning": 2.0, "unit": "h"}},
}
"""Document: sla_id: attributes of its policy."""

REFUSED: dict[str, str] = {
    "unmapped-query": r"SLO web: indicator.ratioMetric.good.metricSource.spec.query: no metric for 'sum\(rate\(a\[5m\]\)\)': "
    r"queries are not evaluated; add the line 'sum\(rate\(a\[5m\]\)\)': NAME-OF-THE-METRIC to slo-metrics.yaml "
    r"\(and 1 more: 'sum\(rate\(b\[5m\]\)\)'\)$",
    "op-lt-on-a-ratio": r"SLO web: spec.objectives.0: op: lt for a ratioMetric",
    "good-is-total": r"SLO web: indicator.ratioMetric: good and total are the same metric, requests_total: 100% for ever",
    "target-in-percent": r"SLO web: spec.objectives.0.target: 99.9 was given; above 0 and up to 1 is allowed, 0.999 for 99.9",
    "percent-as-share": r"SLO web: spec.objectives.0.targetPercent: 0.999 was given and is in percent: .* \(99.9 for 0.999\)",
    "slice-beyond-window": r"SLO web: spec.objectives.0: timeSliceWindow: '7d' is longer than the window, 1d",
    "no-slice-window": r"SLO web: spec.objectives.0: timeSliceWindow: needed for budgetingMethod Timeslices",
    "raw-occurrences": r"SLO web: spec.objectives.0: budgetingMethod Occurrences needs counts, and a raw ratio has none",
    "v1alpha-seconds": r"SLO web: spec.timeWindow.0.duration: '3600 Second' was given",
    "budget-adjustment": r"BudgetAdjustment launch: kind: BudgetAdjustment is not supported, .* maintenance in events.csv",
    "sli-twice": r"SLI availability: metadata.name stands twice",
    "missing-sli": r"SLO web: spec.indicatorRef: no SLI 'availability' in the policy files; there are: latency",
    "composite-half": r"SLO web: spec: an indicator or indicatorRef is needed in each objective of a composite, or in none",
    "weight-alone": r"SLO web: spec: compositeWeight is allowed with an indicator in each objective",
    "time-window-as-a-mapping": r"SLO web: spec.timeWindow: a list is needed",
    "no-budgeting-method": r"SLO web: spec.budgetingMethod: missing; it is needed",
    "sla-id-twice": r"sla_id 'web' stands twice; each policy needs its own",
    "sloth-plugin": r"slos.0.sli: plugin is code and is not run; write its queries as events or raw",
    "sloth-objective-as-share": r"objective: 0.999 was given and is in percent: .* \(99.9 for 0.999\)",
    "pyrra-native-histogram": r"ServiceLevelObjective native: spec.indicator: latencyNative reads a native histogram",
    "pyrra-window": r"ServiceLevelObjective web: spec.window: '1M' was given; a duration such as 28d, 4w or 6h is allowed",
    "slo-generator-distribution": r"spec.method: distribution_cut is not supported, as a history has counts",
    "slo-generator-percent": r"spec.goal: 99.9 was given; above 0 and up to 1 is allowed, 0.999 for 99.9 percent",
    "slo-generator-good-and-bad": r"spec.service_level_indicator: good and bad were given, and all events are their sum",
    "openslo-com-v1": r"SLO web: apiVersion: 'openslo.com/v1' was given; allowed: openslo/v1",
    "nobl9": r"SLO web: apiVersion: 'n9/v1alpha' was given; allowed: openslo/v1",
    "services-alone": r"no document of kind SLO; at least one is needed",
    "source-with-a-region": r"thresholdMetric.metricSource.spec.query: no metric for 'latency_p95': queries are not evaluated",
    "v1alpha-timeslices": r"SLO fast: spec.objectives.0: timeSliceWindow: needed for budgetingMethod Timeslices",
    "sloth-windows": r"kind: 'AlertWindows' was given; allowed: PrometheusServiceLevel",
    "pyrra-target-as-share": r"spec.target: 0.99 was given and is in percent: .* \(99 for 0.99\)",
    "slo-generator-before-v2": r"slo-generator's form before version 2, which slo-generator migrate rewrites",
    "slo-generator-datadog": r"spec.method: query_slo is not supported",
    "prometheus-rules": r"these are rules of Prometheus, which hold queries and no objective",
    "helm-template": r"not valid YAML: .*may be a template: render it first",
    "another-version": r"SLO web: apiVersion: 'openslo/v3' was given; allowed: openslo/v1, .*pyrra.dev/v1alpha1",
    "predecessor-unit": r"restore: unit 'fortnights' of time_to_restore cannot be converted into h, in which it is reported",
    "native-good-is-total": r"policies.0.good: good and total are the same metric, requests_total: 100% for ever",
    "native-percent": r"objective 99.9 of a ratio SLA; above 0 and up to 1 is allowed \(0.999, not 99.9\)",
}
"""Document: what its refusal says."""

NOTES: dict[str, str] = {
    "labels-and-namespace": "SLO web: metadata.namespace 'shop' is not read; the service alone says what is judged",
    "op-on-a-ratio": "SLO web: spec.objectives.0: op gte has no effect for a ratioMetric: at target it is met",
    "metric-source-ref": "1 of kind DataSource not read",
    "no-time-window": "SLO web: no timeWindow: 30 days, rolling, are taken",
    "alert-policies": "SLO web: alertPolicies are not evaluated; burn rates are judged as documented",
    "composite": "SLO checkout: a composite: each of its 2 objectives is an SLA of its own",
    "pyrra-latency": "grouping by handler is not read; each service is judged alone, and all together",
    "slo-generator": "the windows stand in the error budget policy: 30 days, rolling, are taken",
    "sloth-plugin-chain": "plugins are code and are not run; the SLIs are read as they stand",
    "sloth-several-services": "document 2: slos.0 (a): alerting is not evaluated",
    "pyrra-alerting": "alerting is not evaluated; burn rates are judged as documented",
    "inline-alert-policy": "SLO web: alertPolicies are not evaluated",
    "sloth": "alerting is not evaluated; burn rates are judged as documented",
}
"""Document: the note that it leaves."""
NOTED_ALIKE = {
    "composite-v2alpha", "slo-generator-query", "sloth-getting-started", "sloth-kubernetes", "sloth-kubernetes-raw",
}  # fmt: skip


def read(name: str) -> PolicySet:
    path = FORMS / f"{name}.yaml"
    return read_policy_paths([(path, path.name)])[0]


def test_every_document_is_tried() -> None:
    named = {path.stem for path in FORMS.glob("*.yaml")} - {"slo-metrics"}
    assert named == set(READ) | set(REFUSED)
    assert not set(READ) & set(REFUSED)


@pytest.mark.parametrize("name", READ)
def test_a_document_is_read_as_it_is_meant(name: str) -> None:
    found = {policy.sla_id: policy for policy in read(name).policies}
    assert list(found) == list(READ[name])
    for sla_id, wanted in READ[name].items():
        policy = found[sla_id]
        assert isinstance(policy, RatioPolicy if "total" in wanted else ThresholdPolicy)
        assert {key: getattr(policy, key) for key in wanted} == wanted


@pytest.mark.parametrize("name", REFUSED)
def test_a_document_that_cannot_be_honoured_is_refused_with_its_reason(name: str) -> None:
    with pytest.raises(ConfigError, match=REFUSED[name]) as caught:
        read(name)
    assert str(caught.value).startswith((f"{name}.yaml: ", f"{name}.yaml, row "))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", NOTES)
def test_what_is_not_read_is_a_note(name: str) -> None:
    assert any(NOTES[name] in note for note in read(name).notes)


@pytest.mark.parametrize("name", sorted(set(READ) - set(NOTES) - NOTED_ALIKE))
def test_nothing_is_noted_without_need(name: str) -> None:
    assert read(name).notes == ()


def test_a_counter_is_declared_for_the_metrics_that_the_document_names() -> None:
    assert set(read("counter").counters) == {"requests_total", "requests_failed"}
    assert read("promql").counters == {}, "a query was counted over intervals by whoever ran it"


def test_the_page_names_every_document() -> None:
    page = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"`forms/([\w-]+)\.yaml`", page))
    assert named == set(READ) | set(REFUSED)
