"""Everything that is wrong with a root is told at once, each with its place; nothing that follows from it is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from org_samples import RootBuilder

from tars_lib.sources.demo import demo_root
from tars_lib.validation.notices import Validation, validate_root

CODES = {"configuration": 94, "input": 95, "no-repositories": 93}
CLOCK = datetime(2026, 12, 1, tzinfo=UTC)
HEAD = "timestamp,repo,metric,value\n"
RATIO = "  - {sla_id: %s, sla_type: t, good: {total: requests_total, bad: requests_failed}, objective: %s}\n"


def check(root: Path, **given: Any) -> Validation:
    return validate_root(root, clock=CLOCK, codes=CODES, **given)


def write(root: Path, **files: str) -> Path:
    """Files by their names, with `__` for the dot and `___` for a folder."""
    for name, text in files.items():
        path = root / name.replace("___", "/").replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return root


def places(found: Validation) -> list[tuple[str | None, int | None, int | None]]:
    return [(one.file, one.row, one.column) for one in found.notices if one.level == "error"]


def test_a_good_root_is_accepted_and_its_warnings_are_told() -> None:
    found = check(demo_root())
    assert (found.exit_code, found.notices) == (0, ())
    assert found.summary == "12 services, 40,964 samples, 4 SLA policies"


def test_warnings_refuse_nothing(tmp_path: Path) -> None:
    write(tmp_path, history__csv=HEAD.replace(",", ";") + "2026-01-01T00:00:00Z;web;health_score;70\n")
    found = check(tmp_path)
    assert found.exit_code == 0
    assert {one.level for one in found.notices} == {"warning"}
    assert ("history.csv", 1) in {(one.file, one.row) for one in found.notices}


def test_every_bad_row_of_every_file_is_told(tmp_path: Path) -> None:
    rows = [f"2026-01-01T00:00:00Z,r{n},requests_total,bad{n}\n" for n in range(25)]
    write(
        tmp_path,
        history__csv=HEAD + "".join(rows),
        history___b__csv=HEAD + "2026-01-01T00:00:00,web,requests_total,1\n2026-01-01T00:00:00Z,,requests_total,1\n",
        events__csv="timestamp,repo,kind,title\n2026-01-01T00:00:00Z,web,,a\nnever,web,deploy,a\n",
        web___dashboard___health_dashboard__json="{",
    )
    (tmp_path / "web" / "dashboard" / "health_dashboard.json").rename(
        tmp_path / "web" / "dashboard" / "health-dashboard.json"
    )
    found = check(tmp_path)
    assert found.exit_code == 95
    told = places(found)
    assert [place for place in told if place[0] == "history.csv"] == [
        ("history.csv", n + 2, 40 + len(str(n)) - 1) for n in range(25)
    ]
    assert [place for place in told if place[0] == "history/b.csv"] == [
        ("history/b.csv", 2, 1),
        ("history/b.csv", 3, 22),
    ]
    assert [place for place in told if place[0] == "events.csv"] == [("events.csv", 2, 26), ("events.csv", 3, 1)]
    assert "web/dashboard/health-dashboard.json" in {place[0] for place in told}


def test_files_that_no_run_reads_are_looked_at_too(tmp_path: Path) -> None:
    write(
        tmp_path,
        history__csv=HEAD + "2026-01-01T00:00:00Z,web,health_score,70\n",
        sources__yaml="sources:\n  - {name: a, kind: git, path: ., repo: web, colour: red}\n  - {name: b, kind: gti}\n"
        "  - {name: c, kind: git, path: ., repo: web}\n  - {name: C, kind: git, path: ., repo: api}\n",
        incidents__csv="detected,title,severity\n2026-01-01T00:00:00Z,down,bad\n2026-01-02T00:00:00Z,,low\n2026-01-03,x,\n",
    )
    found = check(tmp_path)
    assert places(found) == [
        ("incidents.csv", 2, 27),
        ("incidents.csv", 3, 22),
        ("incidents.csv", 4, 1),
        ("sources.yaml", 2, 54),
        ("sources.yaml", 3, 21),
        ("sources.yaml", 5, 12),
    ]
    assert found.exit_code == 94
    (tmp_path / "sources.yaml").unlink()
    assert check(tmp_path).exit_code == 95
    assert places(check(tmp_path, assume_tz="UTC"))[-1] == ("incidents.csv", 3, 22)


def test_what_the_gate_refuses_is_told_by_row_check_after_check(root: RootBuilder, tmp_path: Path) -> None:
    lines = [
        "2026-01-01T00:00:00Z,api,availability,60",
        "2026-01-02T00:00:00Z,api,availability,0.5",
        "2026-01-02T00:00:00Z,api,availability,0.6",
        '2026-01-03T00:00:00Z,"a, ""b""",availability,70',
        "2026-01-03T00:00:00Z,api,error_rate,7",
        "2026-01-03T00:00:00Z,api,requests_total,7",
        "2026-01-03T00:00:00Z,api,requests_failed,8",
        "2026-01-04T00:00:00Z,api,latency,1e300",
        "2036-01-03T00:00:00Z,api,error_rate,0.7",
    ]
    write(tmp_path, history__csv=HEAD + "\n".join(lines) + "\n")
    found = check(tmp_path)
    assert [place[1] for place in places(found)] == [2, 4, 5, 6, 8, 9, 10]
    assert ("history.csv", 5, 46) in places(found)
    assert "samples" not in " ".join(one.message for one in found.notices if one.level == "warning")


def test_every_policy_is_told_with_row_and_column(tmp_path: Path) -> None:
    write(
        tmp_path,
        history__csv=HEAD + "2026-01-01T00:00:00Z,web,health_score,70\n",
        sla_policies__yaml="policies:\n"
        + RATIO % ("good", 0.9)
        + "  - sla_id: a\n    sla_type: t\n    metric: latency\n    objective: 1\n    unit: kg\n"
        + "  - sla_id: b.c\n    sla_type: t\n    metric: foo\n    objective: 1\n"
        + "  - sla_id: d\n    sla_type: t\n    metric: latency\n    objective: 1\n    window: 3x\n",
        alerts__yaml='rules:\n  - {metric: a, comparison: "~", threshold: 1}\n  - {metric: a, comparison: "<", threshold: x}\n',
        org__yaml="repos:\n  web: {tier: 0, colour: red}\n",
    )
    (tmp_path / "sla_policies.yaml").rename(tmp_path / "sla-policies.yaml")
    found = check(tmp_path)
    assert found.exit_code == 94
    assert places(found) == [
        ("alerts.yaml", 2, 29),
        ("alerts.yaml", 3, 45),
        ("org.yaml", 2, 15),
        ("org.yaml", 2, 26),
    ], "with org.yaml refused nobody knows what the policies measure"
    (tmp_path / "org.yaml").unlink()
    (tmp_path / "alerts.yaml").unlink()
    told = [one for one in check(tmp_path).notices if one.level == "error"]
    assert [(one.row, one.column) for one in told] == [(7, 11), (10, 13), (16, 13)]
    assert [one.message.split(": ")[1] for one in told] == ["policies.a", "policies.b.c", "policies.d"]


def test_every_fault_of_other_forms_is_told(tmp_path: Path) -> None:
    slo = (
        "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: NAME}\nspec:\n  service: web\n  indicatorRef: REF\n"
        "  budgetingMethod: Occurrences\n  objectives: [{target: TARGET}]\n"
    )
    sli = (
        "apiVersion: openslo/v1\nkind: SLI\nmetadata: {name: ok}\nspec:\n  ratioMetric:\n"
        "    bad: {metricSource: {spec: {metric: requests_failed}}}\n"
        "    total: {metricSource: {spec: {query: sum(x)}}}\n"
    )
    documents = [
        sli,
        slo.replace("NAME", "one").replace("REF", "ok").replace("TARGET", "99.9"),
        slo.replace("NAME", "two").replace("REF", "nowhere").replace("TARGET", "0.9"),
        slo.replace("NAME", "three").replace("REF", "ok").replace("TARGET", "0.9"),
    ]
    write(
        tmp_path, history__csv=HEAD + "2026-01-01T00:00:00Z,web,health_score,70\n", p___a__yaml="---\n".join(documents)
    )
    write(tmp_path, p___b__yaml="policies: 3\n", p___c__yaml="just text\n", p___d__yaml="a: [\n")
    found = check(tmp_path, sla_policy=[tmp_path / "p"])
    said = [one.message for one in found.notices if one.level == "error"]
    assert len(said) == 6, said
    assert [one.row for one in found.notices if one.file == "p/a.yaml"] == [16, 23, 27]
    assert any("no metric for 'sum(x)'" in message for message in said)


def test_a_missing_root_and_an_empty_one(tmp_path: Path) -> None:
    gone = check(tmp_path / "gone")
    assert gone.exit_code == 95
    assert "an org-health folder is needed" in gone.notices[0].message
    empty = check(tmp_path)
    assert (empty.exit_code, [one.kind for one in empty.notices if one.level == "error"]) == (93, ["no-repositories"])


def test_where_a_file_is_refused_nobody_complains_of_no_repos(tmp_path: Path) -> None:
    found = check(write(tmp_path, history__csv="a,b\n1,2\n"))
    assert [one.kind for one in found.notices if one.level == "error"] == ["input"]


@pytest.mark.parametrize("text", ["a: &x [*x]\n", "a: " + "[" * 9000, "\0", "%YAML 9.9\n--- *a\n"])
def test_hostile_yaml_ends_in_a_refusal(text: str, tmp_path: Path) -> None:
    found = check(write(tmp_path, org__yaml=text, history__csv=HEAD + "2026-01-01T00:00:00Z,web,health_score,70\n"))
    assert found.exit_code == 94


def test_the_message_is_that_of_the_run(root: RootBuilder, tmp_path: Path) -> None:
    from tars_lib.errors import TarsError
    from tars_lib.pipeline.loading import load_org

    write(tmp_path, history__csv=HEAD + "2026-01-01T00:00:00Z,web,availability,60\n")
    with pytest.raises(TarsError) as refused:
        load_org(tmp_path)
    assert [one.message for one in check(tmp_path).notices if one.level == "error"] == [str(refused.value)]
