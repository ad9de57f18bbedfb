"""Policies as Prometheus rules: accepted by promtool, firing on a burn and silent on a calm day, nothing dropped in silence."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tars_lib.config.sla_policies import read_policy_paths
from tars_lib.errors import ConfigError
from tars_lib.exports.prometheus_rules import prometheus_rules
from tars_lib.model.slo import AnyPolicy, RatioPolicy, Slices, ThresholdPolicy, Window
from tars_lib.sources.demo import demo_root

RATIO = RatioPolicy(
    sla_id="paid", sla_name="Paid", sla_type="t", objective=0.99, total="requests_total", part="requests_failed"
)
LEVEL = ThresholdPolicy(
    sla_id="fast", sla_name="Fast", sla_type="t", objective=0.8, metric="latency_p95", unit="s", higher_is_better=False,
    window=Window(minutes=60), priority=1,
)  # fmt: skip
SHARE = ThresholdPolicy(
    sla_id="within", sla_name="Within", sla_type="t", objective=0.99, metric="latency_p95", aggregate="good_share",
    threshold=0.8,
)  # fmt: skip
MEAN = replace(SHARE, sla_id="up", metric="availability", aggregate="mean", threshold=None)
Series = Mapping[str, str]


def rules(policies: Sequence[AnyPolicy], **given: Any) -> str:
    return prometheus_rules(policies, **{"selectors": {}, "query_map": {}} | given).text


def promtool(folder: Path, text: str, *arguments: str) -> str:
    """Check the rules, or with a test beside them test them; what promtool says."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    (folder / "rules.yaml").write_text(text, encoding="utf-8")
    words = arguments or ("check", "rules", "--lint-fatal", "rules.yaml")
    done = subprocess.run([program, *words], cwd=folder, capture_output=True, check=False, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def fires(folder: Path, text: str, series: Series, alert: str, at: str, expected: Sequence[Mapping[str, str]]) -> None:
    """Let promtool test that at a time these alerts of a name fire, by their labels, and no others."""
    found = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"] if rule.get("alert") == alert]
    said = {(rule["labels"]["sla_id"], rule["labels"].get("long_window")): rule["annotations"] for rule in found}
    shown = []
    for labels in expected:
        summary = said[labels["sla_id"], labels.get("long_window")]["summary"]
        named = f", {labels['service']}" if "service" in labels else ""
        summary = summary.replace("{{ with $labels.service }}, {{ . }}{{ end }}", named)
        shown.append({"exp_labels": dict(labels), "exp_annotations": {"summary": summary}})
    test = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "alert_rule_test": [{"eval_time": at, "alertname": alert, "exp_alerts": shown}],
            }
        ],
    }
    (folder / "test.yaml").write_text(yaml.safe_dump(test, sort_keys=False), encoding="utf-8")
    promtool(folder, text, "test", "rules", "test.yaml")


def burn(long: str, short: str, severity: str, scope: str, **labels: str) -> dict[str, str]:
    return {
        "sla_id": "paid", "severity": severity, "long_window": long, "short_window": short, "scope": scope, **labels,
    }  # fmt: skip


# 100 requests a minute; for the last hour 30 of them fail, which is a burn rate of 30, or fewer than 1 in 200 does
CALM = {
    'requests_total{service="web"}': "0+100x240",
    'requests_failed{service="web"}': "0+0.4x240",
    'requests_total{service="api"}': "0+100x240",
    'requests_failed{service="api"}': "0+0x240",
}
BURNING = CALM | {'requests_failed{service="web"}': "0+0.4x180 72+30x60"}


def test_a_burn_fires_for_the_repo_that_burns(tmp_path: Path) -> None:
    text = rules([RATIO])
    promtool(tmp_path, text)
    web = [burn("1h", "5m", "page", "repo", service="web"), burn("6h", "30m", "page", "repo", service="web")]
    slow = [burn("1d", "2h", "ticket", "repo", service="web"), burn("3d", "6h", "ticket", "repo", service="web")]
    # of both services together 15 % fail in the last hour, and a quarter of that over the four hours that are known
    both = [burn("1h", "5m", "page", "organisation"), burn("1d", "2h", "ticket", "organisation")]
    both.append(burn("3d", "6h", "ticket", "organisation"))
    fires(tmp_path, text, BURNING, "TarsSlaBurnRate", "4h", [*web, *slow, *both])


def test_a_calm_day_fires_nothing(tmp_path: Path) -> None:
    fires(tmp_path, rules([RATIO]), CALM, "TarsSlaBurnRate", "4h", [])
    fires(tmp_path, rules([RATIO]), CALM, "TarsSlaUnknown", "4h", [])


def test_a_series_that_is_not_there_is_an_alert_of_its_own(tmp_path: Path) -> None:
    silent = {"sla_id": "paid", "severity": "ticket"}
    lacking = {name: values for name, values in CALM.items() if "failed" not in name}
    fires(tmp_path, rules([RATIO]), lacking, "TarsSlaUnknown", "1h", [silent])
    forgiving = replace(RATIO, missing_is_zero=True)
    fires(tmp_path, rules([forgiving]), lacking, "TarsSlaUnknown", "1h", [])


def test_good_events_and_named_repos(tmp_path: Path) -> None:
    policy = replace(RATIO, part="requests_good", part_is_good=True, repos=("web",))
    text = rules([policy])
    series = {
        'requests_total{service="web"}': "0+100x120",
        'requests_good{service="web"}': "0+50x120",
        'requests_total{service="api"}': "0+100x120",
        'requests_good{service="api"}': "0+0x120",
    }
    pairs = [("1h", "5m", "page"), ("6h", "30m", "page"), ("1d", "2h", "ticket"), ("3d", "6h", "ticket")]
    fires(tmp_path, text, series, "TarsSlaBurnRate", "2h", [burn(*pair, "repo", service="web") for pair in pairs])


def test_a_level_beyond_its_objective_is_a_breach(tmp_path: Path) -> None:
    series = {'latency_p95{service="web"}': "0.7x120", 'latency_p95{service="api"}': "0.9x120"}
    slow = {"sla_id": "fast", "severity": "page", "scope": "repo", "service": "api"}
    fires(tmp_path, rules([LEVEL]), series, "TarsSlaBreached", "2h", [slow])


@pytest.mark.parametrize("aggregate", ["median", "max", "last"])
def test_other_aggregates_of_a_level(aggregate: str, tmp_path: Path) -> None:
    # of the last hour most are fast, one is slow, and the last is fast
    series = {'latency_p95{service="web"}': "0.1x90 5 0.1x60"}
    slow = {"sla_id": "fast", "severity": "page", "scope": "repo", "service": "web"}
    policy = replace(LEVEL, aggregate=aggregate)
    fires(tmp_path, rules([policy]), series, "TarsSlaBreached", "2h", [slow] if aggregate == "max" else [])


def test_shares_of_samples_and_means_of_shares_burn(tmp_path: Path) -> None:
    series = {
        'latency_p95{service="web"}': "0.9x120",
        'latency_p95{service="api"}': "0.1x120",
        'availability{service="web"}': "0.999x120",
        'availability{service="api"}': "0.5x120",
    }
    pairs = [("1h", "5m", "page"), ("6h", "30m", "page"), ("1d", "2h", "ticket"), ("3d", "6h", "ticket")]
    burning = [
        burn(*pair, "repo", service=service) | {"sla_id": sla}
        for sla, service in (("within", "web"), ("up", "api"))
        for pair in pairs
    ]
    fires(tmp_path, rules([SHARE, MEAN]), series, "TarsSlaBurnRate", "2h", burning)


def test_a_mean_in_percent_burns_as_its_share_does() -> None:
    level = "avg by (service) (availability)"
    percent = rules([replace(MEAN, unit="%", objective=99.0)])
    assert level in percent
    assert percent == rules([MEAN]).replace(level, f"{level} / 100.0")


def test_windows_are_scaled_to_the_period_and_never_too_short(tmp_path: Path) -> None:
    text = rules([replace(RATIO, period_days=7, repos=("web",))])
    promtool(tmp_path, text)
    found = {
        (rule["labels"]["long_window"], rule["labels"]["short_window"])
        for rule in yaml.safe_load(text)["groups"][0]["rules"]
        if "long_window" in rule.get("labels", {})
    }
    assert found == {("14m", "5m"), ("1h24m", "7m"), ("5h36m", "28m"), ("16h48m", "1h24m")}


def test_the_demos_policies_pass_with_labels_and_selectors_of_ones_own(tmp_path: Path) -> None:
    policies = read_policy_paths([(demo_root() / "sla-policies.yaml", "p")])[0].policies
    selectors = {"requests_total": 'http_requests_total{job="shop"}'}
    text = rules(policies, label="app", selectors=selectors)
    promtool(tmp_path, text)
    assert 'sum by (app) (rate(http_requests_total{job="shop"}[5m]))' in text


def test_hostile_names_stay_names(tmp_path: Path) -> None:
    name = "{{ $value }}\"'\n- alert: x\n\u202e"
    policy = replace(RATIO, sla_id=name, sla_name=name, repos=(name, 'a"} or up #'))
    text = rules([policy])
    promtool(tmp_path, text)
    (group,) = yaml.safe_load(text)["groups"]
    assert {rule.get("alert") for rule in group["rules"]} == {None, "TarsSlaBurnRate", "TarsSlaUnknown"}
    assert "\u202e" not in text
    fires(tmp_path, rules([replace(policy, repos=())]), CALM, "TarsSlaBurnRate", "4h", [])


def test_what_has_no_rule_is_named() -> None:
    policies = [
        RATIO,
        replace(RATIO, sla_id="whole", objective=1.0),
        replace(RATIO, sla_id="sliced", slices=Slices(5, 0.9)),
        replace(RATIO, sla_id="loose", objective=0.9),
        replace(LEVEL, sla_id="monthly", window=Window(days=30, period="1M", anchor="2026-01-01T00:00:00")),
    ]
    made = prometheus_rules(policies, selectors={}, query_map={})
    assert [one.split(":")[0] for one in made.left_out] == ["whole", "sliced", "loose", "monthly"]
    assert "not above 14.4; no alert over 1h and 5m" in made.left_out[2]
    assert all(f"# left out: {one}" in made.text for one in made.left_out)
    assert [group["name"] for group in yaml.safe_load(made.text)["groups"]] == ["tars-paid", "tars-loose"]


@pytest.mark.parametrize(
    ("policies", "given", "refusal"),
    [
        ([replace(RATIO, part="bad.requests")], {}, "bad.requests: no name of a series in Prometheus"),
        ([RATIO], {"selectors": {"request_total": "x"}}, "no SLA measures 'request_total'; allowed: requests_failed"),
        ([RATIO], {"label": "a-b"}, "--label repo=a-b"),
        ([RATIO], {"query_map": {"sum(increase(x[5m]))": "requests_total"}}, "requests_failed by rate; one function"),
        ([replace(RATIO, objective=1.0)], {}, "no error budget"),
        ([], {}, "no SLA policies"),
    ],
)
def test_what_cannot_be_mapped_is_refused_by_name(
    policies: list[AnyPolicy], given: dict[str, Any], refusal: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        rules(policies, **given)
    assert refusal in str(refused.value)
