"""Changing any single key of a file that people write changes some output."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from workspaces import cascade

from tars_lib.config import org as config_org
from tars_lib.errors import TarsError
from tars_lib.files.json_records import dumps
from tars_lib.pipeline import analyze
from tars_lib.pipeline.loading import load_org
from tars_lib.reports.summaries.executive_summary import executive_summary

ORG = {
    "name": "Acme",
    "repos": {
        "ledger": {"name": "Ledger", "shares": ["pg"]},
        "payments": {"shares": ["pg"]},
        "checkout": {"customer_facing": True},
    },
    "dependencies": [{"from": "payments", "to": "ledger"}, {"from": "checkout", "to": "payments"}],
    "metrics": {"queue": {"unit": "count", "higher_is_better": False, "healthy": 1, "unhealthy": 9}},
    "slos": [{"slo_id": "fleet", "measure": "aggregate_score", "objective": 90}],
}
RATIO = {
    "sla_id": "availability",
    "sla_type": "availability",
    "good": {"total": "requests_total", "bad": "requests_failed"},
    "objective": 0.999,
}
THRESHOLD = {
    "sla_id": "score",
    "sla_type": "health",
    "metric": "health_score",
    "objective": 84.0,
    "unit": "score",
    "higher_is_better": True,
}
MAINTENANCE = {
    "title": "Night",
    "start": "2026-03-20T00:00:00",
    "duration": "2d",
    "rrule": "FREQ=DAILY;INTERVAL=4",
    "time_zone": "Europe/Berlin",
    "repos": ["ledger"],
}
RULE = {"rule_id": "low", "metric": "health_score", "comparison": "<", "threshold": 70.0}

Change = tuple[str, dict[str, Any], dict[str, Any]]


def in_repo(**fields: Any) -> dict[str, Any]:
    """The organisation with something else said of the ledger."""
    return ORG | {"repos": ORG["repos"] | {"ledger": ORG["repos"]["ledger"] | fields}}  # type: ignore[index]


def in_metric(**fields: Any) -> dict[str, Any]:
    """The organisation with something else said of its metric."""
    return ORG | {"metrics": {"queue": ORG["metrics"]["queue"] | fields}}  # type: ignore[index]


def in_slo(**fields: Any) -> dict[str, Any]:
    """The organisation with something else said of its SLO."""
    return ORG | {"slos": [ORG["slos"][0] | fields]}  # type: ignore[index]


def in_maintenance(**fields: Any) -> dict[str, Any]:
    """The organisation with something else said of its maintenance."""
    return ORG | {"maintenance": [MAINTENANCE | fields]}


KEYS: dict[str, dict[str, Any]] = {
    "_Repo": {
        "name": in_repo(name="Books"),
        "team": in_repo(team="core"),
        "tags": in_repo(tags=["x"]),
        "customer_facing": in_repo(customer_facing=True),
        "tier": in_repo(tier=1),
        "external": in_repo(external=True),
        "shares": in_repo(shares=[]),
    },
    "_Dependency": {
        "from": ORG | {"dependencies": [{"from": "checkout", "to": "ledger"}]},
        "to": ORG | {"dependencies": [{"from": "payments", "to": "checkout"}]},
    },
    "_Metric": {
        "unit": in_metric(unit="h"),
        "higher_is_better": in_metric(higher_is_better=True, healthy=9, unhealthy=1),
        "minimum": in_metric(minimum=4),
        "maximum": in_metric(maximum=4),
        "healthy": in_metric(healthy=2),
        "unhealthy": in_metric(unhealthy=20),
        "weight": in_metric(weight=3),
        "kind": in_metric(kind="counter"),
    },
    "_Slo": {
        "slo_id": in_slo(slo_id="other"),
        "name": in_slo(name="Whole fleet"),
        "measure": in_slo(measure="minimum_score"),
        "objective": in_slo(objective=10),
    },
    "_Org": {
        "name": ORG | {"name": "Other"},
        "repos": ORG | {"repos": {}},
        "dependencies": ORG | {"dependencies": []},
        "metrics": ORG | {"metrics": {}},
        "slos": ORG | {"slos": []},
        "maintenance": ORG | {"maintenance": [MAINTENANCE]},
        "operating_hours": ORG | {"operating_hours": [MAINTENANCE]},
    },
    "Recurrence": {
        "title": in_maintenance(title="Other"),
        "start": in_maintenance(start="2026-03-20T01:00:00"),
        "duration": in_maintenance(duration="4d"),
        "rrule": in_maintenance(rrule=""),
        "time_zone": in_maintenance(time_zone="Asia/Kathmandu"),
        "repos": in_maintenance(repos=["checkout"]),
    },
    "ratio": {
        "sla_id": {"sla_id": "other"},
        "sla_name": {"sla_name": "Other"},
        "sla_type": {"sla_type": "other"},
        "good": {"good": {"total": "requests_total", "good": "requests_failed"}},
        "objective": {"objective": 0.99},
        "window": {"window": "7d"},
        "period_days": {"period_days": 7},
        "time_zone": {"time_zone": "Europe/Berlin"},
        "repos": {"repos": ["checkout"]},
        "priority": {"priority": 1},
        "severity_on_breach": {"severity_on_breach": "SEV-2"},
    },
    "threshold": {
        "metric": {"metric": "queue", "higher_is_better": None, "unit": None},
        "higher_is_better": {"higher_is_better": False},
        "unit": {"unit": "s"},
        "aggregate": {"aggregate": "max"},
        "threshold": {"aggregate": "good_share", "threshold": 60, "objective": 0.9},
        "warning": {"warning": 89.0},
    },
    "_Rule": {
        "rule_id": RULE | {"rule_id": "other"},
        "metric": RULE | {"metric": "requests_total"},
        "comparison": RULE | {"comparison": ">"},
        "threshold": RULE | {"threshold": 10.0},
        "for": RULE | {"for": "4d"},
        "duration": RULE | {"duration": "4d"},
        "severity": RULE | {"severity": "CRITICAL"},
        "repos": RULE | {"repos": ["checkout"]},
        "title": RULE | {"title": "Low"},
    },
}
"""Model of a file: key: the entry with that key changed."""
ELSEWHERE = {"_Repo": {"quiet"}, "_Org": {"samples"}, "NativePolicy": {"missing"}, "_Rule": {"unit"}}
"""Keys that matter where there is silence, short maintenance, or a metric with a unit, and are tried there."""


def judged(
    folder: Path, org: dict[str, Any], policies: Sequence[dict[str, Any]], rules: Sequence[dict[str, Any]]
) -> str:
    """Everything that the engines say of the cascade with these files."""
    for name, content in (
        ("org.yaml", org),
        ("sla-policies.yaml", {"policies": list(policies)}),
        ("alerts.yaml", {"rules": list(rules)}),
    ):
        (folder / name).write_text(yaml.safe_dump(content), encoding="utf-8")
    try:
        analysis = analyze(load_org(folder))
    except TarsError as error:
        return str(error)
    reports = (analysis.health, analysis.alerts, analysis.correlation, analysis.temporal, analysis.sla)
    summary = executive_summary(analysis.health, analysis.sla)
    return summary + "".join(part for report in reports for part in dumps(_without_head(report)))


def _without_head(report: Any) -> dict[str, Any]:
    from tars_lib.files.json_records import to_json

    document = to_json(report)
    assert isinstance(document, dict)
    # digests of the files differ in any case, and that what was read is shown again is no effect
    return {key: value for key, value in document.items() if key not in ("inputs", "report_id", "org", "policies")}


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cascade, with a metric of its own."""
    folder = cascade(tmp_path_factory.mktemp("acme") / "org-health")
    with (folder / "history.csv").open("a", encoding="utf-8") as file:
        for day in range(1, 32):
            file.write(f"2026-03-{day:02d}T00:00:00Z,ledger,queue,{3 + day % 3}\n")
    return folder


def test_every_key_of_every_file_is_tried() -> None:
    from tars_lib.config.alert_rules import _Rule
    from tars_lib.config.policies.native import NativePolicy

    for model in (
        config_org._Repo,
        config_org._Dependency,
        config_org._Metric,
        config_org._Slo,
        config_org._Org,
        config_org.Recurrence,
        _Rule,
    ):
        named = {field.alias or name for name, field in model.model_fields.items()}
        assert named == set(KEYS[model.__name__]) | ELSEWHERE.get(model.__name__, set()), model.__name__
    policy = set(NativePolicy.model_fields)
    assert policy == KEYS["ratio"].keys() | KEYS["threshold"].keys() | ELSEWHERE["NativePolicy"]


@pytest.mark.parametrize(("model", "key"), [(model, key) for model, keys in KEYS.items() for key in keys])
def test_changing_one_key_changes_what_is_found(acme: Path, model: str, key: str) -> None:
    changed, org, policies, rules = KEYS[model][key], ORG, [RATIO], [RULE]
    if model == "ratio":
        policies = [RATIO | changed]
    elif model == "threshold":
        policies = [THRESHOLD | changed]
    elif model == "_Rule":
        rules = [changed]
    else:
        org = changed
    assert judged(acme, org, policies, rules) != base_of(acme, model)


@functools.cache
def base_of(acme: Path, model: str) -> object:
    """What is found without any key changed."""
    policy = THRESHOLD if model == "threshold" else RATIO
    return judged(acme, in_maintenance() if model == "Recurrence" else ORG, [policy], [RULE])
