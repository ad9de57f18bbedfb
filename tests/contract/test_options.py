"""Changing any single option changes some output: options of the commands, and keys of the files that people write."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner
from workspaces import cascade

from tars_lib import config_org
from tars_lib.cli.incident import incident
from tars_lib.cli.main import cli
from tars_lib.cli.package import bundle
from tars_lib.cli.retention import retention
from tars_lib.errors import InputError
from tars_lib.incidents.opening import by_hand, open_incident
from tars_lib.pipeline import analyze, write_run
from tars_lib.records import dumps
from tars_lib.reports.summary import executive_summary
from tars_lib.schema import Severity
from tars_lib.sources.root import load_org

NAIVE_LEGACY = (
    '{"repositories": [{"repository_name": "web", "trend_history": ['
    + ", ".join(f'{{"timestamp": "2026-01-{day:02d}T12:00:00", "score": {90 - day}}}' for day in range(1, 29))
    + "]}]}"
)
LATER = "--as-of 2026-03-20T00:00:00Z"
ENGINE = {
    "--output": "--output made.json",
    "--json": "--json",
    "--summary-only": "--json --summary-only",
    "--as-of": LATER,
    "--exit-zero": "--exit-zero",
    "--exit-policy": "--exit-policy {lenient}",
    "--verbose": "--verbose",
    "--quiet": "--quiet",
}
"""Option: what is added; `--summary-only` is tried beside `--json`."""
BESIDE = {
    "--summary-only": "--json",
    "--trend-correlation-report": "--json",
    "--temporal-intelligence-report": "--json",
    "--alerts-report": "--json",
    "--window": "--json",
    "--max-lag": "--json",
    "--legacy-exit-codes": LATER,
    "--assume-tz": "--org-report {legacy}",
}
"""Option: what stands in both calls."""
OF_REPORTS = {
    "--org-report": "--org-report {other}",
    "--assume-tz": "--assume-tz Asia/Kathmandu",
    **ENGINE,
}
TREE: dict[str, dict[str, str]] = {
    "health": {
        "--root-dir": "--root-dir {small}",
        "--config": "--config {org}",
        "--repos": "--repos ledger,checkout",
        "--assume-tz": "--assume-tz Asia/Kathmandu",
        "--legacy-exit-codes": "--legacy-exit-codes",
        **ENGINE,
    },
    "alerts": {
        "--legacy-exit-codes": "--legacy-exit-codes",
        "--incidents-dir": "--incidents-dir {incidents}",
        **OF_REPORTS,
    },
    "correlation": {"--legacy-exit-codes": "--legacy-exit-codes", **OF_REPORTS},
    "temporal": {
        "--trend-correlation-report": "--trend-correlation-report {correlation}",
        "--max-lag": "--max-lag 1",
        "--legacy-exit-codes": "--legacy-exit-codes",
        **OF_REPORTS,
    },
    "sla": {
        "--alerts-report": "--alerts-report {alerts}",
        "--trend-correlation-report": "--trend-correlation-report {correlation}",
        "--temporal-intelligence-report": "--temporal-intelligence-report {temporal}",
        "--sla-policy": "--sla-policy {policies}",
        "--window": "--window 3",
        "--github-summary": "--github-summary made.md",
        "--junit": "--junit made.xml",
        "--legacy-exit-codes": "--legacy-exit-codes",
        **OF_REPORTS,
    },
    "run": {
        "--root": "--root {small}",
        "--outdir": "--outdir elsewhere",
        "--timestamp": "--timestamp 20260501-000000",
        "--sla-policy": "--sla-policy {policies}",
        "--as-of": LATER,
        "--assume-tz": "--assume-tz Asia/Kathmandu",
        "--incidents-dir": "--incidents-dir {incidents}",
        "--print-paths": "--print-paths",
        "--dry-run": "--dry-run",
        "--exit-zero": "--exit-zero",
        "--exit-policy": "--exit-policy {lenient}",
        "--github-summary": "--github-summary made.md",
        "--junit": "--junit made.xml",
        "--verbose": "--verbose",
        "--quiet": "--quiet",
    },
    "classify": {
        "--exit-code": "--exit-code 142",
        "--playbook": "--playbook {own}",
        "--incidents-dir": "--incidents-dir {ours}",
        "--json": "--json",
        "--verbose": "{broken} --verbose",
        "--quiet": "--quiet",
    },
    "diff": {"--json": "--json", "--verbose": "{broken} --verbose", "--quiet": ""},
}
"""Command: option: the call that differs. Its base call stands in `BASE`."""
BASE = {
    "health": "--root-dir {root}",
    **dict.fromkeys(("alerts", "correlation", "temporal", "sla"), "--org-report {report}"),
    "run": "--root {root} --timestamp 20260401-143000",
    "classify": "--exit-code 131",
    "diff": "{run} {later}",
}
ELSEWHERE = {
    # packing, signing and custody: tests/packaging/test_bundle_options.py
    **{f"bundle {name}": set() for name in bundle.commands},
    "report": set(),
    "package": set(),
    "demo": set(),
    "notify": set(),
    "playbook show": set(),
    # tests/retention/test_retention.py
    **{f"retention {name}": set() for name in retention.commands},
    # what they print holds the present time: tests/contract/test_incident_options.py
    "metrics": set(),
    "review": set(),
    "watch": set(),
    **{f"incident {name}": set() for name in incident.commands},
}
"""Commands that start a kernel or need a server: tried one by one below, or in the tests of reports and commands."""
"""What says nothing on a good day: `--verbose` shows the traceback of a refusal, `--quiet` silences hints."""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Roots, reports, runs and files that the calls name."""
    folder = tmp_path_factory.mktemp("options")
    found = {
        name: folder / name for name in ("root", "small", "legacy", "org", "policies", "broken", "naive", "lenient")
    }
    cascade(found["root"])
    shutil.copytree(found["root"], found["small"])
    (found["small"] / "org.yaml").unlink()
    found["legacy"].write_text(NAIVE_LEGACY, encoding="utf-8")
    found["org"].write_text("name: Other\nrepos: {ledger: {customer_facing: true}}\n", encoding="utf-8")
    policy = (found["root"] / "sla-policies.yaml").read_text(encoding="utf-8").replace("0.999", "0.99")
    found["policies"].write_text(policy, encoding="utf-8")
    found["broken"].write_text("{", encoding="utf-8")
    found["lenient"].write_text("fail_on: {}\n", encoding="utf-8")
    shutil.copytree(found["root"], found["naive"])
    history = found["naive"] / "history.csv"
    history.write_text(history.read_text(encoding="utf-8").replace("Z,", ",").replace("+00:00,", ","), encoding="utf-8")
    org = load_org(found["root"])
    found["run"] = write_run(analyze(org), folder / "runs", timestamp="20260401-143000")
    found["later"] = write_run(analyze(org, "2026-03-27T00:00:00Z"), folder / "runs", timestamp="20260401-153000")
    found["report"], found["other"] = (run / "org-health-report.json" for run in (found["run"], found["later"]))
    for name, file in (("alerts", "org-alerts"), ("correlation", "trend-correlation-report")):
        found[name] = found["later"] / f"{file}.json"
    found["temporal"] = found["later"] / "temporal-intelligence-report.json"
    found["own"], found["ours"] = folder / "own.yaml", folder / "ours"
    found["ours"].mkdir()
    for place in (found["own"], found["ours"] / ".playbook.yaml"):
        place.write_text("exit_codes: {131: {severity: SEV-2}}\n", encoding="utf-8")
    found["incidents"] = folder / "incidents"
    open_incident(found["incidents"], by_hand(Severity.SEV_1, "Slow"), "ada", datetime(2026, 4, 1, tzinfo=UTC))
    return found


Outcome = tuple[int, str, str, dict[str, str]]


@pytest.fixture
def call(places: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Outcome]:
    """Run a command in a folder of its own; everything that a user could see of it."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1780000000")
    number = iter(range(9))

    def invoke(command: str, arguments: str) -> Outcome:
        folder = tmp_path / str(next(number))
        folder.mkdir()
        monkeypatch.chdir(folder)
        words = [word.format(**places) for word in arguments.split()]
        done = CliRunner().invoke(cli, [*command.split(), *words])
        files = {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        said = done.stderr.replace(str(folder), "")
        return done.exit_code, done.stdout.replace(str(folder), ""), said, files

    return invoke


def commands(group: click.Group = cli, prefix: str = "") -> dict[str, click.Command]:
    """Every command by its words."""
    found: dict[str, click.Command] = {}
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found |= commands(command, f"{name} ") if isinstance(command, click.Group) else {prefix + name: command}
    return found


def options(command: click.Command) -> set[str]:
    """Options that its help shows; the predecessor's `--fail-on-*` are accepted and change nothing."""
    return {
        parameter.opts[0]
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden
    }


def test_every_option_of_every_command_is_tried() -> None:
    known = commands()
    for name, command in known.items():
        if name in ELSEWHERE:
            continue
        assert options(command) == set(TREE[name]), name
    assert set(known) == {*TREE, *ELSEWHERE}


TRIED = [(command, option) for command, changes in TREE.items() for option in changes]
SILENT = {("diff", "--quiet")}
"""`--quiet` leaves errors and the answer; this command says nothing else on a good day."""


@pytest.mark.parametrize(("command", "option"), [pair for pair in TRIED if pair not in SILENT])
def test_changing_one_option_changes_what_is_seen(
    call: Callable[[str, str], Outcome], command: str, option: str
) -> None:
    base, added = BASE[command], TREE[command][option]
    beside = BESIDE.get(option, "") if command not in ("run", "health") else ""
    if command == "health" and option in ("--summary-only", "--legacy-exit-codes"):
        beside = BESIDE[option]
    if option == "--assume-tz" and command in ("run", "health"):
        base = base.replace("{root}", "{naive}")
    elif option == "--assume-tz":
        base = ""
    elif option in ("--org-report", "--root", "--root-dir") or (command, option) == ("run", "--timestamp"):
        # a second value would win over the first, so the first gives way
        kept = base.split()
        at = kept.index(option)
        before, after = base, " ".join([*kept[:at], *kept[at + 2 :], added])
        assert call(command, before) != call(command, after)
        return
    if "{broken}" in added:
        base = base if command == "classify" else "{broken} {broken}" if command == "diff" else "{broken}"
        beside = "{broken}" if command == "classify" else ""
        added = "--verbose"
    one = call(command, f"{base} {beside}")
    same = call(command, f"{base} {beside}")
    assert one == same, "the comparison is of no use where the same call differs"
    assert one != call(command, f"{base} {added} {beside if option != '--summary-only' else ''}")


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
    },
    "ratio": {
        "sla_id": {"sla_id": "other"},
        "sla_name": {"sla_name": "Other"},
        "sla_type": {"sla_type": "other"},
        "good": {"good": {"total": "requests_total", "good": "requests_failed"}},
        "objective": {"objective": 0.99},
        "window": {"window": "7d"},
        "period_days": {"period_days": 7},
        "time_zone": {"time_zone": "Asia/Kathmandu"},
        "repos": {"repos": ["checkout"]},
        "priority": {"priority": 1},
        "severity_on_breach": {"severity_on_breach": "SEV-2"},
    },
    "threshold": {
        "metric": {"metric": "queue"},
        "higher_is_better": {"higher_is_better": False},
        "unit": {"unit": "points"},
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
    except InputError as error:
        return str(error)
    reports = (analysis.health, analysis.alerts, analysis.correlation, analysis.temporal, analysis.sla)
    summary = executive_summary(analysis.health, analysis.sla)
    return summary + "".join(part for report in reports for part in dumps(_without_head(report)))


def _without_head(report: Any) -> dict[str, Any]:
    from tars_lib.records import to_json

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
    from tars_lib.config_policies import _Policy
    from tars_lib.config_rules import _Rule

    for model in (
        config_org._Repo,
        config_org._Dependency,
        config_org._Metric,
        config_org._Slo,
        config_org._Org,
        _Rule,
    ):
        named = {field.alias or name for name, field in model.model_fields.items()}
        assert named == set(KEYS[model.__name__]), model.__name__
    policy = set(_Policy.model_fields)
    assert policy == KEYS["ratio"].keys() | KEYS["threshold"].keys()


@pytest.mark.parametrize(("model", "key"), [(model, key) for model, keys in KEYS.items() for key in keys])
def test_changing_one_key_changes_what_is_found(acme: Path, model: str, key: str) -> None:
    changed, org, policies, rules = KEYS[model][key], ORG, [RATIO], [RULE]
    base = judged(acme, ORG, [THRESHOLD] if model == "threshold" else [RATIO], [RULE])
    if model == "ratio":
        policies = [RATIO | changed]
    elif model == "threshold":
        policies = [THRESHOLD | changed]
    elif model == "_Rule":
        rules = [changed]
    else:
        org = changed
    assert judged(acme, org, policies, rules) != base
