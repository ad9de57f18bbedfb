"""JSON both ways, and files that are there whole or not at all."""

from __future__ import annotations

import dataclasses
import json
import math
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from org_samples import T0, RootBuilder, counts, series

from tars_lib.engines.health.report import HealthReport
from tars_lib.engines.sla.report import SlaReport
from tars_lib.errors import InputError
from tars_lib.files import json_records
from tars_lib.files.atomic import write_bytes, write_text
from tars_lib.files.json_records import dumps, from_json, read_json, read_record, time_text, to_json
from tars_lib.model.names import Dependency, SlaStatus
from tars_lib.pipeline import Analysis, Manifest, ManifestEntry, RunStatus, StepStatus


@dataclass(frozen=True)
class Inner:
    number: float
    maybe: float | None = None


@dataclass(frozen=True)
class Outer:
    name: str
    count: int
    flag: bool
    at: datetime
    status: SlaStatus
    inner: Inner
    many: tuple[Inner, ...]
    pair: tuple[float, float]
    table: Mapping[str, float | None]
    edge: Dependency
    extra: tuple[str, ...] = field(default=())


GOOD = Outer(
    "a",
    1,
    True,
    T0,
    SlaStatus.AT_RISK,
    Inner(0.5),
    (Inner(1.0, 2.0),),
    (1.0, 2.0),
    {"x": None},
    Dependency("a", "b"),
    ("é",),
)

texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.floats(allow_nan=False, allow_infinity=False)
times = st.datetimes(timezones=st.just(UTC))
inners = st.builds(Inner, numbers, st.none() | numbers)
outers = st.builds(
    Outer, texts, st.integers(), st.booleans(), times, st.sampled_from(SlaStatus), inners, st.lists(inners).map(tuple),
    st.tuples(numbers, numbers), st.dictionaries(texts, st.none() | numbers), st.builds(Dependency, texts, texts),
    st.lists(texts).map(tuple),
)  # fmt: skip


@given(outers)
def test_what_was_written_reads_back_equal(value: Outer) -> None:
    assert from_json(Outer, json.loads(dumps(value)), "x") == value


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """Breached, at risk, compliant and unknown SLAs, components, change points, exclusions, events, alerts."""
    root = RootBuilder(tmp_path_factory.mktemp("records") / "org")
    root.file(
        "org.yaml",
        "repos: {web: {customer_facing: true, tags: [x], shares: [db]}}\ndependencies: [{from: web, to: api}]\n"
        "metrics: {latency_p95: {healthy: 0.1, unhealthy: 1}}\nslos: [{slo_id: s, measure: aggregate_score, objective: 99}]\n",
    )
    root.file(
        "sla-policies.yaml",
        "policies:\n"
        "- {sla_id: r, sla_type: t, good: {total: requests_total, bad: requests_failed}, objective: 0.999, window: 7d}\n"
        "- {sla_id: t, sla_type: t, metric: latency_p95, objective: 0.5, warning: 0.1}\n"
        "- {sla_id: g, sla_type: t, metric: latency_p95, aggregate: good_share, threshold: 0.5, objective: 0.5}\n"
        "- {sla_id: u, sla_type: t, metric: lead_time, objective: 5}\n",
    )
    root.file(
        "events.csv",
        "timestamp,repo,kind,title,ref,until\n2026-03-26T00:00:00Z,api,deploy,Release,v2,\n"
        "2026-03-25T00:00:00Z,,maintenance,Move,,2026-03-25T12:00:00Z\n",
    )
    board = {"scan_timestamp": "2026-01-01T00:00:00Z", "repository_score": 90}
    root.file("web/dashboard/health-dashboard.json", board).file(
        "web/alerts/alerts.json", {"alerts": [{"severity": "low", "title": "Disk"}]}
    )
    for repo in ("web", "api"):
        root.add(counts(repo, [1000] * 90, [0] * 85 + [50] * 5))
        root.add(series(repo, "latency_p95", [0.2 + 0.01 * (n % 7) for n in range(90)]))
    return root.analyze()


@pytest.mark.parametrize(("part", "kind"), [("health", HealthReport), ("sla", SlaReport)])
def test_every_report_reads_back_as_it_was(analysis: Analysis, part: str, kind: type[Any], tmp_path: Path) -> None:
    report = getattr(analysis, part)
    write_text(tmp_path / "r.json", dumps(report))
    back = read_record(kind, tmp_path / "r.json")
    assert dumps(back) == dumps(report)
    assert back == dataclasses.replace(report)


def test_the_round_trip_met_every_verdict(analysis: Analysis) -> None:
    assert {result.status for result in analysis.sla.compliance_results} == set(SlaStatus)
    assert analysis.sla.breaches
    assert analysis.sla["r"].exclusions


@pytest.mark.parametrize(
    "record",
    [
        RunStatus(
            "1.0", "r", T0, T0, "tool", 142, "SLA_BREACH", "SLA Breach", "SEV-1", (StepStatus("sla", "f", 142, "x"),)
        ),
        RunStatus("1.0", "r", T0, T0, "tool", 0, "NONE", None, None, ()),
        Manifest("1.0", "r", (ManifestEntry("f", "0" * 64, 3),)),
    ],
)
def test_run_records_read_back_as_they_were(record: Any) -> None:
    assert from_json(type(record), json.loads(dumps(record)), "x") == record


def test_json_is_sorted_utf8_and_has_null_for_what_is_no_number() -> None:
    text = dumps({"b": math.nan, "a": math.inf, "é": SlaStatus.BREACHED, "t": (1, 2.5, None, True)})
    assert text.endswith("}\n")
    assert "é" in text
    assert list(json.loads(text)) == ["a", "b", "t", "é"]
    assert json.loads(text) == {"a": None, "b": None, "é": "BREACHED", "t": [1, 2.5, None, True]}


def test_a_large_report_has_a_record_a_line_and_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    records = [{"repo": f"r{number}", "share": number / 7, "said": "x\u202e" * (number % 40)} for number in range(300)]
    report = {"scores": {f"r{number}": 1.0 for number in range(900)}, "reports": records, "name": "Größe", "none": None}
    indented = dumps(report)
    monkeypatch.setattr(json_records, "LARGE", 20_000)
    text = dumps(report)
    assert json.loads(text) == json.loads(indented) == report
    assert len(text) < len(indented)
    assert len(text.splitlines()) > 300
    assert max(map(len, text.splitlines())) <= json_records.LINE
    assert list(json.loads(text)) == sorted(report)
    assert "\\u202e" in text


def test_times_are_written_in_utc_with_the_digits_that_they_need() -> None:
    ahead = timezone(timedelta(hours=5, minutes=45))
    assert time_text(datetime(2026, 1, 5, 5, 45, tzinfo=ahead)) == "2026-01-05T00:00:00Z"
    assert time_text(datetime(2026, 1, 5, 0, 0, 0, 7, tzinfo=UTC)) == "2026-01-05T00:00:00.000007Z"
    assert time_text(datetime(987, 1, 5, tzinfo=UTC)) == "0987-01-05T00:00:00Z"


def test_a_dependency_is_written_under_the_keys_of_the_format() -> None:
    assert to_json(Dependency("web", "api")) == {"from": "web", "to": "api"}


def test_what_has_no_json_form_is_a_mistake_in_the_program() -> None:
    with pytest.raises(TypeError, match="set has no JSON form"):
        to_json({"a": {1, 2}})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": None}, r"f.json.name: None is not allowed; str is needed"),
        ({"count": 1.5}, r"f.json.count: 1.5 is not allowed; int is needed"),
        ({"count": True}, r"f.json.count: True is not allowed; int is needed"),
        ({"flag": 1}, r"f.json.flag: 1 is not allowed; bool is needed"),
        ({"at": "soon"}, r"f.json.at: 'soon' is not allowed; a time is needed"),
        ({"status": "fine"}, r"f.json.status: 'fine' is not allowed; one of COMPLIANT, AT_RISK, BREACHED, UNKNOWN"),
        ({"inner": 3}, r"f.json.inner: 3 is not allowed; an object is needed"),
        ({"inner": {"number": "3"}}, r"f.json.inner.number: '3' is not allowed; float is needed"),
        ({"inner": {}}, r"f.json.inner.number: missing"),
        ({"many": [{"number": 1}, {"number": None}]}, r"f.json.many\[1\].number: None is not allowed"),
        ({"many": {}}, r"f.json.many: dict is not allowed; a list is needed"),
        ({"pair": [1.0]}, r"f.json.pair: list is not allowed; a list of 2 is needed"),
        ({"table": []}, r"f.json.table: list is not allowed; an object is needed"),
        ({"table": {"k": "v"}}, r"f.json.table.k: 'v' is not allowed"),
        ({"edge": {"caller": "a", "callee": "b"}}, r"f.json.edge.from: missing"),
    ],
)
def test_a_field_that_does_not_fit_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_json(Outer, json.loads(dumps(GOOD)) | change, "f.json")


def test_enumerations_are_read_in_any_case_and_defaults_fill_in() -> None:
    data = json.loads(dumps(GOOD)) | {"status": "at_risk"}
    del data["extra"]
    assert from_json(Outer, data, "x") == dataclasses.replace(GOOD, extra=())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a":\n  x}', r"f.json, row 2: not valid JSON"),
        (b"\xff", r"f.json, row 1: .* is not UTF-8 text"),
        (b"", r"f.json, row 1: not valid JSON"),
    ],
)
def test_a_file_that_is_not_json_is_refused_with_its_row(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "f.json").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_json(tmp_path / "f.json")
    with pytest.raises(InputError, match="nope.json: cannot be read"):
        read_json(tmp_path / "nope.json")


def test_a_file_is_replaced_as_a_whole_and_readable_by_others(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "f.txt"
    write_text(path, "one")
    write_text(path, "två")
    assert path.read_text(encoding="utf-8") == "två"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [p.name for p in path.parent.iterdir()] == ["f.txt"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.mkdir()
    (path / "inside").write_text("x")
    with pytest.raises(OSError, match="."):
        write_bytes(path, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["f"]
    assert (path / "inside").read_text() == "x"
