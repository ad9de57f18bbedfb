"""`alerts.yaml`: rules of the user's own, and how they are refused."""

from __future__ import annotations

import hashlib

import pytest
from org_samples import RootBuilder, series

from tars_lib.errors import ConfigError
from tars_lib.model.names import AlertRule, AlertSeverity

RULE = (
    "rules: [{rule_id: q, metric: queue, comparison: '>', threshold: 100, for: 15m, "
    "severity: high, repos: [a], title: Q}]"
)
POLICY = "policies: [{sla_id: x, sla_type: t, objective: 1, "


@pytest.fixture
def acme(root: RootBuilder) -> RootBuilder:
    return root.add(series("a", "queue", [1.0] * 3))


def test_a_rule_is_read_with_all_that_it_says(acme: RootBuilder) -> None:
    org = acme.file("alerts.yaml", RULE).load()
    assert org.rules == (AlertRule("q", "queue", ">", 100.0, 15, AlertSeverity.HIGH, ("a",), "Q"),)
    digest = hashlib.sha256(RULE.encode()).hexdigest()
    assert [(file.path, file.sha256) for file in org.inputs if file.path == "alerts.yaml"] == [("alerts.yaml", digest)]


def test_what_a_rule_leaves_out_is_any_repo_one_sample_and_medium(acme: RootBuilder) -> None:
    acme.file("alerts.yaml", "rules: [{rule_id: q, metric: queue, comparison: <=, threshold: -1.5}]")
    assert acme.load().rules == (AlertRule("q", "queue", "<=", -1.5, 0, AlertSeverity.MEDIUM, (), ""),)


def test_a_rule_may_say_duration_compare_in_words_and_go_without_a_name(acme: RootBuilder) -> None:
    acme.file(
        "alerts.yaml", "rules: [{metric: queue, comparison: above, threshold: 100, duration: 15m, severity: LOW}]"
    )
    assert acme.load().rules == (AlertRule("queue > 100", "queue", ">", 100.0, 15, AlertSeverity.LOW, (), ""),)


@pytest.mark.parametrize(("length", "minutes"), [("90m", 90), ("2h", 120), ("3d", 4320), ("1w", 10080)])
def test_a_duration_is_read_in_minutes_hours_days_and_weeks(acme: RootBuilder, length: str, minutes: int) -> None:
    assert acme.file("alerts.yaml", RULE.replace("15m", length)).load().rules[0].for_minutes == minutes


@pytest.mark.parametrize("content", ["", "rules: []", "{}"])
def test_a_file_without_rules_is_allowed(acme: RootBuilder, content: str) -> None:
    assert acme.file("alerts.yaml", content).load().rules == ()


def test_a_root_without_the_file_has_no_rules(acme: RootBuilder) -> None:
    assert acme.load().rules == ()


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("'>'", "'=>'", r"^alerts.yaml: rules.0.comparison: comparison '=>'; allowed, in quotes: '>', '>=', '<', '<='"),
        ("15m", "15", r"^alerts.yaml: rules.0.for: a number with m, h, d or w is allowed, such as 15m"),
        ("15m", "soon", r"^alerts.yaml: rules.q: window 'soon' is not allowed; a number with m, h, d or w is"),
        ("for: 15m", "for: 15m, duration: 1h", r"^alerts.yaml: rules.q: `for` and `duration` mean the same"),
        ("15m", "0m", r"^alerts.yaml: rules.q: window '0m' is not allowed"),
        (
            "for:",
            "during:",
            r"^alerts.yaml: rules.0.during: unknown key; allowed: rule_id, metric, comparison, .* for, ",
        ),
        ("threshold: 100, ", "", r"^alerts.yaml: rules.0.threshold: missing; it is needed"),
        ("100", ".nan", r"^alerts.yaml: rules.0.threshold: a finite number is allowed"),
        (
            "high",
            "sev-1",
            r"^alerts.yaml: rules.q: 'sev-1' is not a AlertSeverity; allowed: CRITICAL, HIGH, MEDIUM, LOW",
        ),
        ("rules:", "rule:", r"^alerts.yaml: rule: unknown key; allowed: rules"),
        ("[a]", "a", r"^alerts.yaml: rules.0.repos"),
        ("rules: [", "rules: [{rule_id: q, metric: x, comparison: '<', threshold: 1}, ", r"rule_id 'q' stands twice"),
        ("rules: [{", "rules: [\n{{", r"^alerts.yaml, row \d+: not valid YAML"),
    ],
)
def test_what_is_not_allowed_is_refused_with_file_key_and_value(
    acme: RootBuilder, before: str, after: str, message: str
) -> None:
    assert before in RULE
    with pytest.raises(ConfigError, match=message):
        acme.file("alerts.yaml", RULE.replace(before, after)).load()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("sla-policies.yaml", POLICY + "metric: m, oops: 2}]", "allowed: sla_id, sla_name"),
        ("sla-policies.yaml", POLICY + "good: {total: a, bed: b}}]", "allowed: total, bad, good"),
        ("org.yaml", "dependencies: [{from: a, to: b, via: c}]", "allowed: from, to"),
        ("org.yaml", "metrics: {m: {unti: s}}", "allowed: unit, higher_is_better"),
        ("org.yaml", "repos: {a: {taem: x}}", "allowed: name, team"),
    ],
)
def test_an_unknown_key_in_any_depth_of_any_file_names_the_keys_of_that_place(
    acme: RootBuilder, name: str, content: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=f"unknown key; {message}"):
        acme.file(name, content).load()


@pytest.mark.parametrize(
    ("rule", "threshold"),
    [
        ("metric: latency_p95, comparison: '>', threshold: 800, unit: ms", 0.8),
        ("metric: error_rate, comparison: '>', threshold: 5, unit: '%'", 0.05),
        ("metric: queue, comparison: '<', threshold: 5, unit: jobs", 5.0),
        ("metric: heap_bytes, comparison: '>', threshold: 2, unit: kB", 2000.0),
    ],
)
def test_a_threshold_is_brought_into_the_unit_of_its_metric(acme: RootBuilder, rule: str, threshold: float) -> None:
    org = acme.file("alerts.yaml", f"rules: [{{{rule}}}]").load()
    assert [one.threshold for one in org.rules] == [threshold]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("metric: latency_p95, comparison: '>', threshold: 5, unit: kB", "unit kB, but latency_p95 is in s"),
        (
            "metric: error_rate, comparison: '>', threshold: 5",
            r"threshold 5: 0 to 1 is allowed for a ratio \(0.999, not 99.9",
        ),
        ("metric: health_score, comparison: '<', threshold: 0.6", "was 60 meant"),
    ],
)
def test_a_threshold_that_its_metric_never_passes_is_refused(acme: RootBuilder, rule: str, said: str) -> None:
    acme.file("alerts.yaml", f"rules: [{{{rule}}}]")
    with pytest.raises(ConfigError, match=f"alerts.yaml: rules.*{said}"):
        acme.load()
