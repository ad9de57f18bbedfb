"""OpenSLO v1 documents: golden pairs with the native form, calendar windows, and a sentence for each refusal."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from org_samples import DAILY, T0, RootBuilder, counts, org_of, series

from tars_lib.config.policies.documents import split_documents
from tars_lib.config.policies.openslo import openslo_policies
from tars_lib.config.policies.queries import Reading
from tars_lib.config.sla_policies import read_policies
from tars_lib.engines.sla.verdict import judge
from tars_lib.errors import ConfigError
from tars_lib.files.json_records import from_json, to_json
from tars_lib.model.names import SlaStatus
from tars_lib.model.slo import AnyPolicy, RatioPolicy, ThresholdPolicy, Window

GOLDEN = Path(__file__).parent / "openslo"
PAIRS = sorted(path.name.removesuffix(".openslo.yaml") for path in GOLDEN.glob("*.openslo.yaml"))


def documents(text: str) -> list[Any]:
    return list(yaml.safe_load_all(text))


def read(*given: Any) -> tuple[tuple[AnyPolicy, ...], tuple[str, ...]]:
    reading = Reading()
    found = openslo_policies(split_documents(given, "slos.yaml"), reading)
    reading.refuse_lacking()
    return tuple(policy for policy, _ in found), tuple(reading.notes)


def slo(**changes: Any) -> dict[str, Any]:
    """A ratio SLO; keys such as `spec__service` change a field, None takes it out."""
    made: dict[str, Any] = {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {"name": "web"},
        "spec": {
            "service": "web",
            "indicator": {
                "spec": {"ratioMetric": {"bad": source("requests_failed"), "total": source("requests_total")}}
            },
            "timeWindow": [{"duration": "30d", "isRolling": True}],
            "budgetingMethod": "Occurrences",
            "objectives": [{"target": 0.999}],
        },
    }
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = made
        for parent in parents:
            place = place[parent]
        if value is None:
            del place[last]
        else:
            place[last] = copy.deepcopy(value)
    return made


def source(name: Any, key: str = "metric") -> dict[str, Any]:
    return {"metricSource": {"spec": {key: name}}}


def indicator(**spec: Any) -> dict[str, Any]:
    return {"spec": spec}


LATENCY = indicator(thresholdMetric=source("latency_p95"))
COUNTS = {"good": source("requests_good"), "total": source("requests_total")}
RAW = indicator(ratioMetric={"raw": source("availability"), "rawType": "success"})


@pytest.mark.parametrize("name", PAIRS)
def test_a_document_means_what_its_native_twin_means(name: str) -> None:
    found, _ = read_policies(GOLDEN / f"{name}.openslo.yaml", "slos.yaml")
    native, _ = read_policies(GOLDEN / f"{name}.native.yaml", "native.yaml")
    assert found == native


def test_there_are_pairs() -> None:
    assert len(PAIRS) >= 3


def test_the_example_of_the_page_is_read() -> None:
    page = (Path(__file__).parents[3] / "docs" / "openslo.md").read_text(encoding="utf-8")
    example, _ = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (policy,), notes = read(*documents(example))
    assert (policy.sla_id, policy.objective, policy.window, policy.repos) == (
        "web-availability",
        0.999,
        Window(days=28),
        ("web",),
    )
    assert notes == ()


def test_a_root_may_hold_openslo_documents_and_so_may_a_file_given(tmp_path: Path) -> None:
    rows = counts("web", [1000] * 30, [50] * 30)
    text = yaml.safe_dump_all([slo(), {"apiVersion": "openslo/v1", "kind": "Service", "metadata": {"name": "web"}}])
    root = RootBuilder(tmp_path / "root").add(rows).file("sla-policies.yaml", text)
    found = root.analyze()
    (result,) = found.sla.compliance_results
    assert (result.sla_id, result.status) == ("web", SlaStatus.BREACHED)
    assert "sla-policies.yaml: 1 of kind Service not read" in found.sla.warnings
    given = tmp_path / "slos.yaml"
    given.write_text(yaml.safe_dump(slo(spec__objectives=[{"target": 0.9}])), encoding="utf-8")
    org = root.load(sla_policy=given)
    assert [policy.objective for policy in org.policies] == [0.9]


def test_what_means_to_be_openslo_is_refused_as_such(tmp_path: Path) -> None:
    path = tmp_path / "slos.yaml"
    path.write_text("kind: SLO\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"slos.yaml: document 1: apiVersion: None was given; allowed: openslo/v1, "):
        read_policies(path, "slos.yaml")


def test_each_policy_has_its_own_id(tmp_path: Path) -> None:
    path = tmp_path / "slos.yaml"
    path.write_text(yaml.safe_dump_all([slo(), slo()]), encoding="utf-8")
    with pytest.raises(ConfigError, match="slos.yaml: sla_id 'web' stands twice"):
        read_policies(path, "slos.yaml")
    path.write_text("---\n" + yaml.safe_dump(slo()) + "---\n", encoding="utf-8")
    assert len(read_policies(path, "slos.yaml")[0]) == 1


@pytest.mark.parametrize(
    ("op", "value", "good"), [("lte", 0.5, True), ("lt", 0.5, False), ("gte", 0.5, True), ("gt", 0.5, False)]
)
def test_strict_comparisons_are_strict(op: str, value: float, good: bool) -> None:
    (policy,), _ = read(slo(spec__indicator=LATENCY, spec__objectives=[{"op": op, "value": value, "target": 0.9}]))
    rows = series("web", "latency_p95", [value] * 30)
    result = judge(org_of(rows, policy), policy, rows[-1][0], ()).result
    assert result.value == (1.0 if good else 0.0)


def test_an_slo_is_judged_for_the_repo_that_it_names_as_its_service() -> None:
    (policy,), _ = read(slo())
    rows = counts("web", [1000] * 30, [0] * 30) + counts("api", [1000] * 30, [500] * 30)
    assert judge(org_of(rows, policy), policy, rows[-1][0], ()).result.status is not SlaStatus.BREACHED
    (everywhere,), _ = read(slo(metadata={"name": "web", "annotations": {"tars/repos": "*"}}))
    assert everywhere.repos == ()
    assert judge(org_of(rows, everywhere), everywhere, rows[-1][0], ()).result.status is SlaStatus.BREACHED


@given(st.integers(101, 9999))
def test_a_target_in_percent_is_the_same_as_a_share(tenthousandths: int) -> None:
    percent = float(f"{tenthousandths // 100}.{tenthousandths % 100:02}")
    share = float(f"0.{tenthousandths:04}")
    (one,), _ = read(slo(spec__objectives=[{"targetPercent": percent}]))
    (other,), _ = read(slo(spec__objectives=[{"target": share}]))
    assert one.objective == other.objective == share


def test_several_objectives_without_names_are_numbered() -> None:
    policies, _ = read(slo(spec__objectives=[{"target": 0.9}, {"target": 0.99}]))
    assert [(policy.sla_id, policy.objective) for policy in policies] == [("web:1", 0.9), ("web:2", 0.99)]


def test_an_sli_may_stand_before_or_after_the_slo_that_refers_to_it() -> None:
    sli = {"apiVersion": "openslo/v1", "kind": "SLI", "metadata": {"name": "up"}, **slo()["spec"]["indicator"]}
    by_name = slo(spec__indicator=None, spec__indicatorRef="up")
    assert read(sli, by_name)[0] == read(by_name, None, sli)[0]


def test_what_is_left_out_or_read_in_a_particular_way_is_a_note() -> None:
    other = {"apiVersion": "openslo/v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {}}
    ratio = {**slo()["spec"]["indicator"]["spec"]["ratioMetric"], "counter": True}
    _, notes = read(
        other,
        slo(
            spec__indicator=indicator(ratioMetric=ratio),
            spec__alertPolicies=[{"alertPolicyRef": "page"}],
            spec__timeWindow=None,
        ),
    )
    assert notes == (
        "slos.yaml: 1 of kind Service not read",
        "slos.yaml: SLO web: alertPolicies are not evaluated; burn rates are judged as documented",
        "slos.yaml: SLO web: no timeWindow: 30 days, rolling, are taken",
    )
    assert read(slo())[1] == ()


REFUSED: list[tuple[dict[str, Any], str]] = [
    (slo(kind="Slo"), r"Slo web: kind: 'Slo' was given; allowed: SLO, SLI, Service, DataSource"),
    (slo(metadata=None), r"document 1: metadata: missing; it is needed"),
    (slo(metadata={"name": ""}), r"document 1: metadata.name: text that is not empty"),
    (slo(spec__service=None), r"SLO web: spec.service: missing; it is needed"),
    (slo(spec__budgetingMethod=None), r"SLO web: spec.budgetingMethod: missing; it is needed"),
    (
        slo(spec__budgetingMethod="Weighted"),
        r"spec.budgetingMethod: .*'Occurrences', 'Timeslices' or 'RatioTimeslices'",
    ),
    (slo(spec__objectives=[]), r"spec.objectives: .*at least 1"),
    (slo(spec__objectives=[{}]), r"spec.objectives.0: one of target and targetPercent is needed, not both"),
    (slo(spec__objectives=[{"target": 0.9, "targetPercent": 90}]), r"one of target and targetPercent is needed"),
    (
        slo(spec__objectives=[{"target": 99.9}]),
        r"spec.objectives.0.target: 99.9 was given; above 0 and up to 1 is allowed, 0.999 for 99.9 percent",
    ),
    (slo(spec__objectives=[{"target": 0}]), r"spec.objectives.0.target: 0.0 was given; above 0 and up to 1 is allowed"),
    (
        slo(spec__objectives=[{"target": 0.9, "indicatorRef": "x"}]),
        r"spec: indicator stands in the SLO and in an objective; one of the two is allowed",
    ),
    (
        slo(spec__objectives=[{"target": 0.9, "op": "lt"}]),
        r"objectives.0: op: lt for a ratioMetric: the share of good events is at least target",
    ),
    (slo(spec__objectives=[{"target": 0.9, "value": 3}]), r"objectives.0: value: without effect for a ratioMetric"),
    (
        slo(spec__objectives=[{"target": 0.9, "timeSliceWindow": "5m"}]),
        r"timeSliceWindow: without effect for budgetingMethod O",
    ),
    (slo(spec__indicatorRef="x"), r"spec: one of indicator and indicatorRef is needed, not both"),
    (slo(spec__indicator=None), r"spec: one of indicator and indicatorRef is needed"),
    (
        slo(spec__indicator=None, spec__indicatorRef="x"),
        r"spec.indicatorRef: no SLI 'x' in the policy files; there are: none",
    ),
    (slo(spec__indicator={"spec": {}}), r"spec.indicator.spec: one of thresholdMetric and ratioMetric is needed"),
    (
        slo(spec__indicator=indicator(ratioMetric={"good": source("a"), "bad": source("b"), "total": source("c")})),
        r"good and bad and total was given; allowed: good and total, bad and total, or raw and rawType",
    ),
    (slo(spec__indicator=indicator(ratioMetric={"good": source("a")})), r"good was given; allowed"),
    (slo(spec__indicator=indicator(ratioMetric={"raw": source("a")})), r"raw was given; allowed"),
    (
        slo(spec__indicator=indicator(ratioMetric={**COUNTS, "total": source("sum(rate(x[5m]))", "query")})),
        r"SLO web: indicator.ratioMetric.total.metricSource.spec.query: no metric for 'sum\(rate\(x\[5m\]\)\)'",
    ),
    (slo(spec__indicator=indicator(thresholdMetric=source("a b"))), r"objectives.0: op: needed for a thresholdMetric"),
    (
        slo(
            spec__indicator=indicator(thresholdMetric=source("a b")),
            spec__objectives=[{"target": 0.9, "op": "lt", "value": 1}],
        ),
        r"thresholdMetric.metricSource.spec.metric: no metric for 'a b'",
    ),
    (
        slo(spec__indicator=indicator(ratioMetric={**COUNTS, "good": source("a", "statistic")})),
        r"statistic was given; exactly one of",
    ),
    (
        slo(spec__indicator=indicator(ratioMetric={**COUNTS, "good": {"metricSource": {"spec": {}}}})),
        r"nothing was given",
    ),
    (
        slo(spec__indicator=indicator(ratioMetric={**COUNTS, "good": source(3)})),
        r"'3' was given; a query or the name of a metric is needed",
    ),
    (
        slo(spec__indicator=LATENCY, spec__objectives=[{"target": 0.9, "op": "lt"}]),
        r"objectives.0: value: needed for a thresh",
    ),
    (slo(spec__indicator=LATENCY, spec__objectives=[{"target": 0.9, "op": "eq", "value": 1}]), r"objectives.0.op: "),
    (slo(spec__indicator=RAW), r"budgetingMethod Occurrences needs counts, and a raw ratio has none"),
    (
        slo(
            spec__indicator=RAW,
            spec__budgetingMethod="Timeslices",
            spec__objectives=[{"target": 0.9, "timeSliceWindow": 5}],
        ),
        r"timeSliceTarget: needed for budgetingMethod Timeslices",
    ),
    (
        slo(
            spec__indicator=RAW,
            spec__budgetingMethod="Timeslices",
            spec__objectives=[{"target": 0.9, "timeSliceTarget": 0.9}],
        ),
        r"timeSliceWindow: needed for budgetingMethod Timeslices",
    ),
    (
        slo(
            spec__indicator=RAW,
            spec__budgetingMethod="RatioTimeslices",
            spec__objectives=[{"target": 0.9, "timeSliceTarget": 0.9, "timeSliceWindow": 5}],
        ),
        r"timeSliceTarget: without effect for budgetingMethod RatioTimeslices",
    ),
    (
        slo(
            spec__indicator=RAW,
            spec__budgetingMethod="RatioTimeslices",
            spec__objectives=[{"target": 0.9, "timeSliceWindow": "5 min"}],
        ),
        r"timeSliceWindow: '5 min' was given; minutes, or a number with m, h, d or w, are allowed",
    ),
    (
        slo(spec__timeWindow=[{"duration": "11Y", "isRolling": True}]),
        r"spec.timeWindow.0.duration: window '11Y' is not allowed; up to 3660 days are",
    ),
    (slo(spec__timeWindow=[{"duration": "30D", "isRolling": True}]), r"timeWindow.0.duration: '30D' was given"),
    (
        slo(spec__timeWindow=[{"duration": "30d"}]),
        r"timeWindow.0: one of isRolling: true and calendar is needed, not both",
    ),
    (slo(spec__timeWindow=[{"duration": "1d", "isRolling": True}] * 2), r"spec.timeWindow: up to 1 is allowed"),
    (
        slo(spec__timeWindow=[{"duration": "1h", "calendar": {"startTime": "2026-01-01 00:00:00", "timeZone": "UTC"}}]),
        r"timeWindow.0: period '1h' is not allowed; a number with d, w, M, Q or Y is",
    ),
    (
        slo(spec__timeWindow=[{"duration": "1M", "calendar": {"startTime": "soon", "timeZone": "UTC"}}]),
        r"timeWindow.0: start 'soon' is not a time",
    ),
    (
        slo(
            spec__timeWindow=[{"duration": "1M", "calendar": {"startTime": "2026-01-01T00:00:00Z", "timeZone": "UTC"}}]
        ),
        r"names a zone; a local time is allowed",
    ),
    (
        slo(
            spec__timeWindow=[{"duration": "1M", "calendar": {"startTime": "2026-01-01 00:00:00", "timeZone": "Moon"}}]
        ),
        r"timeWindow.0: time zone 'Moon' is not known",
    ),
    (slo(spec__servic="x"), r"SLO web: spec.servic: unknown key; allowed: description, service, indicator"),
]


@pytest.mark.parametrize(("document", "message"), REFUSED)
def test_what_cannot_be_honoured_is_refused_by_document_and_field(document: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read(document)
    assert str(caught.value).startswith("slos.yaml: ")


def test_a_file_needs_an_slo_and_each_sli_its_own_name() -> None:
    sli = {"apiVersion": "openslo/v1", "kind": "SLI", "metadata": {"name": "up"}, **slo()["spec"]["indicator"]}
    with pytest.raises(ConfigError, match=r"slos.yaml: no document of kind SLO; at least one is needed"):
        read(sli)
    with pytest.raises(ConfigError, match=r"slos.yaml: SLI up: metadata.name stands twice"):
        read(sli, sli, slo())
    with pytest.raises(
        ConfigError, match=r"slos.yaml: a list under the key policies is needed, or .*; document 2 is neither"
    ):
        read(slo(), ["x"])


def monthly(start: str, zone: str = "UTC", duration: str = "1M") -> AnyPolicy:
    calendar = {"startTime": start, "timeZone": zone}
    (policy,), _ = read(slo(spec__timeWindow=[{"duration": duration, "isRolling": False, "calendar": calendar}]))
    return policy


def test_a_calendar_window_is_the_present_period_so_far() -> None:
    policy = monthly("2026-01-01 00:00:00")
    assert isinstance(policy, RatioPolicy)
    assert (policy.window.days, policy.period_days, policy.time_zone) == (30, 30, "UTC")
    # a disaster in January does not weigh on February
    rows = counts("web", [1000] * 45, [500] * 31 + [0] * 14)
    result = judge(org_of(rows, policy), policy, rows[-1][0], ()).result
    assert result.windows[0].window == "calendar 1M"
    assert (result.windows[0].start, result.windows[0].is_partial) == (T0 + 31 * DAILY, True)
    assert (result.status, result.value, result.windows[0].n) == (SlaStatus.COMPLIANT, 1.0, 14_000)


def test_a_calendar_window_is_whole_with_the_last_sample_of_its_period() -> None:
    policy = monthly("2026-01-01 00:00:00")
    rows = counts("web", [1000] * 31, [0] * 31)
    window = judge(org_of(rows, policy), policy, rows[-1][0], ()).result.windows[0]
    assert (window.coverage, window.n, window.is_partial) == (1.0, 31_000, False)


def test_a_calendar_window_reads_back_from_json() -> None:
    policy = monthly("2026-01-01 00:00:00", "Europe/Berlin", "1Q")
    assert from_json(RatioPolicy, to_json(policy), "report") == policy


def test_a_date_alone_starts_at_midnight() -> None:
    (window,) = documents("{duration: 1M, calendar: {startTime: 2026-01-01, timeZone: UTC}}")
    objective = {"op": "lt", "value": 1, "target": 0.9}
    document = slo(spec__indicator=LATENCY, spec__objectives=[objective], spec__timeWindow=[window])
    (policy,), _ = read(document)
    assert isinstance(policy, ThresholdPolicy)
    assert policy.window == Window.aligned("1M", "2026-01-01T00:00:00")
