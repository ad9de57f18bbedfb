"""`org.yaml` and SLA policies: what is read, and how each refusal names its key."""

from __future__ import annotations

from pathlib import Path

import pytest

from tars_lib.config.org import read_org_config
from tars_lib.config.sla_policies import read_policies
from tars_lib.config.yaml_file import read_yaml
from tars_lib.errors import ConfigError
from tars_lib.model.metrics import Metric
from tars_lib.model.names import OrgConfig, Severity
from tars_lib.model.slo import AnyPolicy, RatioPolicy, ThresholdPolicy, Window

RATIO = "{sla_id: a, sla_type: t, good: {total: requests_total, bad: requests_failed}, objective: 0.999"
PLAIN = "{sla_id: a, sla_type: t, metric: latency_p95, objective: 0.5"


def org(tmp_path: Path, text: str) -> OrgConfig:
    (tmp_path / "org.yaml").write_text(text, encoding="utf-8")
    return read_org_config(tmp_path / "org.yaml", "org.yaml")


def policies(tmp_path: Path, text: str) -> tuple[AnyPolicy, ...]:
    (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
    return read_policies(tmp_path / "p.yaml", "p.yaml")[0]


def policy(tmp_path: Path, entry: str) -> AnyPolicy:
    (only,) = policies(tmp_path, f"policies:\n- {entry}\n")
    return only


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "{}", "\ufeffname: null\r\n"])
def test_everything_in_org_yaml_is_optional(tmp_path: Path, text: str) -> None:
    assert org(tmp_path, text) == OrgConfig()


def test_a_metric_of_the_users_own_builds_on_the_known_one(tmp_path: Path) -> None:
    metrics = org(tmp_path, "metrics: {latency_p95: {healthy: 0.2, unhealthy: 1.0, weight: 3}}").metrics
    assert metrics["latency_p95"] == Metric("latency_p95", "s", False, 0.0, None, 0.2, 1.0, 3.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nmae: x", r"org.yaml: nmae: unknown key; allowed: name, repos, dependencies, metrics, slos"),
        (
            "repos: {web: {teem: x}}",
            r"org.yaml: repos.web.teem: unknown key; allowed: name, team, tags, customer_facing",
        ),
        ("dependencies: [{from: a, to: b, via: c}]", r"dependencies.0.via: unknown key; allowed: from, to"),
        ("dependencies: [{from: a}]", r"org.yaml: dependencies.0.to: missing; it is needed"),
        ("repos: {web: {customer_facing: perhaps}}", r"repos.web.customer_facing: .*\('perhaps' was given\)"),
        ("repos: {web: {tier: 0}}", r"repos.web.tier: 1 or more is allowed \('0' was given\)"),
        ("repos: [web]", r"org.yaml: repos: a mapping of keys to values is needed"),
        ("repos: {1: {}}", r"org.yaml: repos.1: text is needed"),
        ("name: [x]", r"org.yaml: name: text is needed"),
        ("- x", r"org.yaml: top level: "),
        ("metrics: {q: {healthy: 1}}", r"metrics.q: healthy and unhealthy go together"),
        (
            "metrics: {q: {higher_is_better: true, healthy: 1, unhealthy: 1}}",
            r"metrics.q: healthy and unhealthy are equal",
        ),
        ("metrics: {q: {healthy: 1, unhealthy: 2}}", r"metrics.q: bounds without a direction; add higher_is_better"),
        ("metrics: {q: {weight: 0}}", r"metrics.q.weight: more than 0.* is allowed"),
        ("metrics: {q: {healthy: .nan, unhealthy: 1}}", r"metrics.q.healthy: a finite number is allowed"),
        ("slos: [{slo_id: x, measure: luck, objective: 1}]", r"slos.0.measure: .*'aggregate_score'"),
    ],
)
def test_a_wrong_key_or_value_in_org_yaml_is_refused_by_its_path(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        org(tmp_path, text)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [1\nb: 2", r"f.yaml, row 2: not valid YAML"),
        (b"a: 1\na: {b: 2: 3}", r"f.yaml, row 2: not valid YAML"),
        (b"x: &a [1, *a]\n", r"f.yaml, row 1: alias \*a stands inside what it names; write it out"),
        (b"x: *a\n", r"f.yaml, row 1: not valid YAML: found undefined alias"),
        (
            b"a: &a [x, x, x, x, x, x, x, x, x]\n"
            + b"".join(b"%c: &%c [%s]\n" % (98 + n, 98 + n, b", ".join([b"*%c" % (97 + n)] * 9)) for n in range(6)),
            r"f.yaml, row 6: more than 500000 values",
        ),
        (
            b"a: &a " + b"[" * 30 + b"]" * 30 + b"\nb: " + b"[" * 25 + b"*a" + b"]" * 25,
            r"f.yaml, row 2: nested deeper than 50 levels",
        ),
        (b"\xff\xfe\x00", r"f.yaml, row 1: UTF-16 is not allowed; UTF-8 is"),
        (
            b"a: !!python/object/apply:os.system [ls]",
            r"f.yaml, row 1: not valid YAML: could not determine a constructor",
        ),
        (b"[" * 60 + b"]" * 60, r"f.yaml, row 1: nested deeper than 50 levels"),
        (b"a: !!timestamp soon", r"f.yaml: not valid YAML: a tag that does not fit"),
        (b"a: 2026-99-99\n", r"f.yaml: cannot be read"),
        (b" " * 5_000_001, r"f.yaml: 5000001 bytes; up to 5000000 are allowed"),
    ],
)
def test_yaml_that_is_broken_or_a_trap_is_refused_with_its_row(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "f.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        read_yaml(tmp_path / "f.yaml", "f.yaml")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="f.yaml: cannot be read: .*No such file"):
        read_yaml(tmp_path / "f.yaml", "f.yaml")


def test_a_ratio_policy_counts_bad_or_good_events(tmp_path: Path) -> None:
    bad = policy(tmp_path, RATIO + ", priority: 1, repos: [web], time_zone: Asia/Kathmandu, period_days: 28}")
    assert bad == RatioPolicy(
        sla_id="a", sla_name="a", sla_type="t", objective=0.999, window=Window(days=28), period_days=28,
        time_zone="Asia/Kathmandu", repos=("web",), priority=1, total="requests_total", part="requests_failed",
    )  # fmt: skip
    good = policy(tmp_path, "{sla_id: a, sla_type: t, good: {total: all, good: fine}, objective: 1}")
    assert isinstance(good, RatioPolicy)
    assert (good.part, good.part_is_good, good.objective) == ("fine", True, 1.0)


def test_a_threshold_policy_takes_unit_and_direction_from_the_metric(tmp_path: Path) -> None:
    found = policy(tmp_path, PLAIN + ", window: 30m, warning: 0.4, severity_on_breach: sev-2, sla_name: Fast}")
    assert found == ThresholdPolicy(
        sla_id="a", sla_name="Fast", sla_type="t", objective=0.5, window=Window(minutes=30), unit="s", warning=0.4,
        higher_is_better=False, severity_on_breach=Severity.SEV_2, metric="latency_p95",
    )  # fmt: skip


def test_good_share_is_a_share_of_samples_within_the_threshold(tmp_path: Path) -> None:
    found = policy(
        tmp_path, "{sla_id: a, sla_type: t, metric: latency, aggregate: good_share, threshold: 0.3, objective: 0.95}"
    )
    assert isinstance(found, ThresholdPolicy)
    assert (found.unit, found.higher_is_better, found.threshold, found.threshold_is_floor) == (
        "ratio",
        True,
        0.3,
        False,
    )


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            RATIO.replace("0.999", "99.9") + "}",
            r"objective 99.9 of a ratio SLA; above 0 and up to 1 is allowed \(0.999, not 99.9\)",
        ),
        (RATIO.replace("0.999", "0") + "}", r"objective 0 of a ratio SLA"),
        (RATIO.replace("0.999", ".nan") + "}", r"policies.0.objective: a finite number is allowed"),
        (RATIO.replace("0.999", "high") + "}", r"policies.0.objective: .*\('high' was given\)"),
        (RATIO + ", metric: x}", r"one of good \(a ratio SLA\) and metric \(a threshold SLA\) is needed, not both"),
        ("{sla_id: a, sla_type: t, objective: 1}", r"one of good .* and metric .* is needed"),
        ("{sla_type: t, metric: latency, objective: 1}", r"policies.0.sla_id: missing; it is needed"),
        ("{sla_id: '', sla_type: t, metric: latency, objective: 1}", r"policies.0.sla_id: text that is not empty"),
        (
            RATIO + ", objectiv: 1}",
            r"policies.0.objectiv: unknown key; allowed: sla_id, sla_name, sla_type, good, metric",
        ),
        (RATIO.replace("bad:", "bade:") + "}", r"policies.0.good.bade: unknown key; allowed: total, bad, good"),
        (RATIO.replace(", bad: requests_failed", "") + "}", r"policies.0.good: one of bad and good is needed"),
        (PLAIN + ", aggregate: p99}", r"aggregate 'p99'; allowed: mean, median, max, last, good_share"),
        (PLAIN + ", aggregate: good_share}", r"threshold goes with aggregate good_share"),
        (PLAIN + ", threshold: 1}", r"threshold goes with aggregate good_share"),
        (PLAIN + ", aggregate: good_share, threshold: 1, higher_is_better: false}".replace("}", ", }"), None),
        (
            "{sla_id: a, sla_type: t, metric: latency, aggregate: good_share, threshold: 1, objective: 95}",
            r"objective 95 of a good_share",
        ),
        (
            "{sla_id: a, sla_type: t, metric: availability, objective: 99.9}",
            r"p.yaml: policies.a: objective 99.9: 0 to 1 is allowed for a ratio",
        ),
        (
            "{sla_id: a, sla_type: t, metric: queue_depth, objective: 1}",
            r"policies.a: metric 'queue_depth' has no known direction; add higher_is",
        ),
        (PLAIN + ", window: 30y}", r"p.yaml: policies.a: window '30y' is not allowed; a number with m, h, d or w is"),
        (PLAIN + ", window: 0}", r"window 0 is not allowed"),
        (PLAIN + ", time_zone: Mars/Base}", r"policies.a: time zone 'Mars/Base' is not known"),
        (PLAIN + ", severity_on_breach: SEV-9}", r"policies.a: 'SEV-9' is not a Severity; allowed: SEV-1, SEV-2"),
        (PLAIN + ", priority: 0}", r"policies.0.priority"),
        (PLAIN + ", period_days: 0}", r"policies.0.period_days"),
        (PLAIN + ", repos: web}", r"policies.0.repos"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_with_what_is_allowed(
    tmp_path: Path, entry: str, message: str | None
) -> None:
    if message is None:
        assert policy(tmp_path, entry).unit == "ratio"
        return
    with pytest.raises(ConfigError, match=message):
        policy(tmp_path, entry)


@pytest.mark.parametrize("text", ["", "policy: []", "policies: {}", "- a", "policies: null"])
def test_a_policy_file_needs_a_list_under_policies(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="p.yaml: a list under the key policies is needed"):
        policies(tmp_path, text)


def test_two_policies_with_one_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="p.yaml: sla_id 'a' stands twice; each policy needs its own"):
        policies(tmp_path, f"policies:\n- {RATIO}}}\n- {PLAIN}}}\n")


LEGACY = """
policies:
- policy_id: old
  policy_name: Old one
  sla_type: AVAILABILITY
  priority: 2
  something_else: ignored
  targets:
  - {metric_name: availability, target_value: 99.95, warning_threshold: 99.9, breach_threshold: 99.5, higher_is_better: true}
  - {metric_name: latency_p95, target_value: 0.4, warning_threshold: 0.5, breach_threshold: 0.6, higher_is_better: false}
  - {metric_name: health_score, target_value: 80}
"""


def test_a_policy_file_of_the_predecessor_becomes_one_policy_a_target(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(LEGACY)
    found, notes = read_policies(tmp_path / "p.yaml", "p.yaml")
    assert [
        (p.sla_id, p.objective, p.warning, p.higher_is_better, p.unit) for p in found if isinstance(p, ThresholdPolicy)
    ] == [
        ("old:availability", 0.995, pytest.approx(0.999), True, "ratio"),
        ("old:latency_p95", 0.6, 0.5, False, "s"),
        ("old:health_score", 80.0, None, True, "score"),
    ]
    assert {(p.sla_name, p.sla_type, p.priority) for p in found} == {("Old one", "AVAILABILITY", 2)}
    assert notes == ("p.yaml: old: availability was given in percent and read as a ratio",)


def test_a_single_target_keeps_the_policys_own_id(tmp_path: Path) -> None:
    text = "policies: [{policy_id: p, sla_type: t, targets: [{metric_name: availability, target_value: 0.99}]}]"
    assert [(p.sla_id, p.objective) for p in policies(tmp_path, text)] == [("p", 0.99)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[{policy_id: p, sla_type: t, targets: []}]", r"policies.0.targets: at least 1 is needed"),
        (
            "[{policy_id: p, sla_type: t, targets: [{target_value: 1}]}]",
            r"policies.0.targets.0.metric_name: missing; it is needed",
        ),
        (
            "[{policy_id: p, sla_type: t, targets: [{metric_name: availability, target_value: 120}]}]",
            r"p: objective 120: 0 to 1 is allowed",
        ),
        (
            "[{policy_id: p, sla_type: t, targets: [{metric_name: availability, target_value: .9}]}, {sla_id: q}]",
            r"policies.1.policy_id",
        ),
    ],
)
def test_a_broken_policy_of_the_predecessor_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        policies(tmp_path, f"policies: {text}")


def test_the_packaged_policies_are_valid() -> None:
    from tars_lib.sources.root import default_policies

    assert {policy.sla_id for policy in default_policies()} == {"availability", "latency-p95", "health"}


def test_an_alias_stands_for_what_its_anchor_names(tmp_path: Path) -> None:
    text = "policies:\n- &a {sla_id: a, sla_type: t, metric: latency_p95, objective: 0.5, window: 7d}\n- {<<: *a, sla_id: b}\n"
    first, second = policies(tmp_path, text)
    assert (first.sla_id, second.sla_id) == ("a", "b")
    assert second.window == first.window == Window(days=7)
