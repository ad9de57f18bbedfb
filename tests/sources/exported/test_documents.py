"""Exported JSON and YAML of tools: what each file says, stated by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tars_lib.errors import InputError
from tars_lib.model.names import AlertSeverity, Dependency, Event, PastIncident, Repo
from tars_lib.model.times import read_zone
from tars_lib.sources.exported.changes import backstage
from tars_lib.sources.exported.changes.code_hosts import GITHUB, GITLAB, read_github, read_gitlab
from tars_lib.sources.exported.incidents import alertmanager, opsgenie, pagerduty, statuspage
from tars_lib.sources.exported.samples import cloudwatch, datadog, influx, newrelic, otlp, prometheus
from tars_lib.sources.exported.shapes import Choices

DATA = Path(__file__).resolve().parents[2] / "data" / "exported"
RECOGNISERS = {
    "alertmanager": alertmanager.SHAPE.fits,
    "pagerduty": pagerduty.is_one,
    "opsgenie": opsgenie.SHAPE.fits,
    "statuspage": statuspage.SHAPE.fits,
    "github": GITHUB.fits,
    "gitlab": GITLAB.fits,
    "backstage": backstage.is_one,
    "prometheus": prometheus.is_one,
    "cloudwatch": cloudwatch.is_one,
    "datadog": datadog.is_one,
    "newrelic": newrelic.is_one,
    "otlp": otlp.is_one,
    "influx": influx.is_answer,
}


def document(name: str) -> Any:
    """A file of the test data, parsed."""
    text = (DATA / name).read_text(encoding="utf-8")
    return list(yaml.safe_load_all(text)) if name.endswith(".yaml") else json.loads(text)


def utc(text: str) -> datetime:
    """A time of January 2026, as day and time of day."""
    return datetime.fromisoformat(f"2026-01-{text}").replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("alertmanager-webhook.json", "alertmanager"),
        ("alertmanager-no-service.json", "alertmanager"),
        ("pagerduty-incidents.json", "pagerduty"),
        ("opsgenie-alerts.json", "opsgenie"),
        ("statuspage-history.json", "statuspage"),
        ("github-deployments.json", "github"),
        ("gitlab-deployments.json", "gitlab"),
        ("catalog-info.yaml", "backstage"),
        ("prometheus-vector.json", "prometheus"),
        ("promtool-range.json", "prometheus"),
        ("cloudwatch-percentile.json", "cloudwatch"),
        ("datadog-v2.json", "datadog"),
        ("newrelic-nrql.json", "newrelic"),
        ("otlp-by-status.json", "otlp"),
        ("influxql.json", "influx"),
    ],
)
def test_a_document_is_of_one_kind(name: str, kind: str) -> None:
    assert [key for key, is_one in RECOGNISERS.items() if is_one(document(name))] == [kind]


@pytest.mark.parametrize("content", [None, [], {}, [1], {"data": []}, {"incidents": "x"}, "text", [[]]])
def test_what_is_none_of_them_is_none(content: object) -> None:
    assert [key for key, is_one in RECOGNISERS.items() if is_one(content)] == []


def metrics(**data: object) -> dict[str, Any]:
    """One metric of a service, as OpenTelemetry has it."""
    service = {"attributes": [{"key": "service.name", "value": {"stringValue": "web"}}, {"key": 5, "value": 7}, None]}
    return {"resourceMetrics": [{"resource": service, "scopeMetrics": [{"metrics": [{"name": "queue", **data}]}]}]}


@pytest.mark.parametrize(
    ("parse", "content", "said"),
    [
        (otlp.parse, metrics(gauge={"dataPoints": [{"timeUnixNano": "x", "asInt": "3"}]}), "timeUnixNano is needed"),
        (otlp.parse, metrics(gauge={"dataPoints": [{"timeUnixNano": "1767571200000000000"}]}), "asDouble or asInt is needed"),
        (otlp.parse, metrics(sum={"dataPoints": []}), "delta or cumulative is needed"),
        (otlp.parse, metrics(sum={"aggregationTemporality": 1}), "changes of a level are not read; export cumulative sums"),
        (otlp.parse, metrics(summary={}), "no gauge and no sum; otlp: 1 metric with histograms or summaries passed over"),
        (otlp.parse, {"resourceMetrics": [{}]}, "a list under scopeMetrics is needed"),
        (influx.read_answer, {"results": [{"statement_id": 0, "error": "timeout"}]}, "not whole: timeout"),
        (influx.read_answer, {"results": [{"series": [{"columns": ["time", "x"], "values": [[1]]}]}]}, "2 values are needed"),
        (prometheus.parse, [{"metric": {}, "values": [1], "timestamps": []}], "names no metric|one length"),
        (datadog.parse, {"data": {"attributes": {"series": [{}], "times": [], "values": []}}}, "values for each of 1 series"),
    ],
)  # fmt: skip
def test_series_that_cannot_be_read_are_refused(parse: Callable[..., object], content: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse(content, choices=Choices(repo="web"))


def test_a_column_of_an_influxql_answer_can_name_the_service() -> None:
    rows = [[1767571200000, "web", "up", 1], [1767571200000, "api", "up", 2]]
    content = {
        "results": [{"series": [{"name": "queue", "columns": ["time", "app", "state", "mean"], "values": rows}]}]
    }
    found = influx.read_answer(content, choices=Choices(repo_from="app"))
    assert [(one.repo, one.metric, one.value.tolist()) for one in found.series] == [
        ("web", "queue", [1]),
        ("api", "queue", [2]),
    ]
    assert "2 values that are no numbers passed over" in found.notes[0]


def test_alertmanager_tells_what_is_over_from_what_lasts() -> None:
    found = alertmanager.parse(document("alertmanager-webhook.json")).incidents
    assert found == (
        PastIncident(
            utc("05T09:12:30.123456"), "Checkout answers 5xx to 3 % of requests", "alertmanager",
            "c0ffee0000000001/20260105T091230Z", "checkout", AlertSeverity.CRITICAL, None, None, utc("05T10:02:30"),
        ),
        PastIncident(
            utc("06T10:00"), "HighErrorRate", "alertmanager", "c0ffee0000000002/20260106T100000Z", "payments",
            AlertSeverity.CRITICAL,
        ),
    )  # fmt: skip


def test_alertmanager_asks_which_label_holds_the_repo() -> None:
    content = document("alertmanager-no-service.json")
    with pytest.raises(InputError, match=r"--repo-from LABEL says which one names the service \(app, instance\)"):
        alertmanager.parse(content, "a.json")
    (alert,) = alertmanager.parse(content, "a.json", Choices(repo_from="app")).incidents
    # the API gives an alert that fires an end in the future
    assert (alert.repo, alert.title, alert.resolved) == ("orders-db", "DiskFull", None)


def test_alertmanager_lists_an_alert_once_and_with_its_end() -> None:
    content = document("alertmanager-webhook.json")
    firing = json.loads(json.dumps(content))
    firing["alerts"][0] |= {"status": "firing", "endsAt": "0001-01-01T00:00:00Z"}
    for order in ([firing, content], [content, firing]):
        found = alertmanager.parse(order)
        assert [one.resolved for one in found.incidents] == [utc("05T10:02:30"), None]
        assert "2 notifications of alerts that are listed once" in found.notes[0]


def test_pagerduty_takes_the_first_acknowledgement_and_says_where_the_end_comes_from() -> None:
    found = pagerduty.parse(document("pagerduty-incidents.json"), "pd.json")
    first, second, third = found.incidents
    assert first == PastIncident(
        utc("05T09:14"), "Payments time out", "pagerduty", "Q1AAAA", "payments", AlertSeverity.CRITICAL,
        None, None, utc("05T09:59:30"),
    )  # fmt: skip
    assert (second.acknowledged, second.resolved, second.severity) == (utc("07T22:04:30"), None, AlertSeverity.LOW)
    assert (third.resolved, third.severity) == (utc("09T03:45"), AlertSeverity.HIGH)
    assert "1 resolved incident without resolved_at" in found.notes[0]


def test_opsgenie_counts_times_from_the_begin_in_milliseconds() -> None:
    found = opsgenie.parse(document("opsgenie-alerts.json")).incidents
    assert found == (
        PastIncident(
            utc("05T09:20:00.500"), "p95 of checkout above 800 ms", "opsgenie", "1791", "checkout", AlertSeverity.HIGH,
            None, utc("05T09:21:30.500"), utc("05T10:30:00.500"),
        ),
        PastIncident(utc("06T07:00"), "Queue of invoices grows", "opsgenie", "1792", "invoices", AlertSeverity.LOW),
    )  # fmt: skip


def test_statuspage_keeps_a_begin_that_somebody_set_and_makes_events_of_maintenance() -> None:
    found = statuspage.parse(document("statuspage-history.json"))
    web, payments, mails = found.incidents
    assert web == PastIncident(
        utc("05T09:25"), "Checkout is failing", "statuspage", "http://stspg.example/1", "web", AlertSeverity.HIGH,
        utc("05T09:05"), utc("05T09:25"), utc("05T10:10"),
    )  # fmt: skip
    assert payments.repo == "payments"
    assert (mails.detected, mails.started, mails.repo, mails.resolved) == (utc("08T17:00"), None, None, None)
    assert found.events == (
        Event(
            utc("10T02:00"), "payments", "maintenance", "Database upgrade", "http://stspg.example/3", utc("10T04:00")
        ),
    )


def test_github_reads_what_went_live_and_says_what_failed() -> None:
    found = read_github(document("github-deployments.json"))
    assert found.events == (
        Event(utc("05T08:58"), "checkout", "deploy", "Deploy v2.4.0 to production", "a84d88e7554f"),
        Event(utc("06T10:00"), "checkout", "deploy", "Deploy b94d88e to production, failure", "b94d88e7554f"),
    )
    assert "others left out: staging 1" in found.notes[0]
    (staged,) = read_github(
        document("github-deployments.json"), "g.json", Choices(environments=("staging",), repos={"checkout": "shop"})
    ).events
    assert (staged.repo, staged.title) == ("shop", "Deploy main to staging")


def test_github_asks_which_environment_is_live() -> None:
    content = [
        entry | {"production_environment": False, "environment": name}
        for entry, name in zip(document("github-deployments.json"), ("eu", "us", "us"), strict=True)
    ]
    with pytest.raises(InputError, match=r"deployments to eu, us: which are live\? --map FILE"):
        read_github(content)


def test_gitlab_takes_the_repo_from_the_address_of_the_job() -> None:
    found = read_gitlab(document("gitlab-deployments.json"))
    assert found.events == (
        Event(utc("05T08:00"), "payments", "deploy", "Deploy main to prod", "99d03678b90d"),
        Event(utc("07T09:00"), "payments", "deploy", "Deploy main to prod, failed", "a91957a85832"),
    )
    assert "1 deployment not finished" in found.notes[0]


def test_a_deployment_without_a_repo_is_refused_with_the_option() -> None:
    content = [entry | {"deployable": {}} for entry in document("gitlab-deployments.json")]
    with pytest.raises(InputError, match="3 deployments of a service that is not named; add --repo NAME"):
        read_gitlab(content)
    assert {event.repo for event in read_gitlab(content, "g", Choices(repo="pay")).events} == {"pay"}


def test_backstage_gives_owners_tiers_and_who_depends_on_whom() -> None:
    found = backstage.parse(document("catalog-info.yaml"))
    assert found.repos == (
        Repo("checkout", "Checkout", "storefront", ("core", "java"), tier=1, shares=("orders-db",)),
        Repo("payments", "payments", "ada", tier=2),
        Repo("stock", "stock", "warehouse"),
    )
    assert found.dependencies == (Dependency("checkout", "payments"), Dependency("checkout", "stock"))
    assert "1 API that no component here provides: tax-api" in found.notes[0]


@pytest.mark.parametrize(
    ("parse", "content", "said"),
    [
        (pagerduty.parse, [{"incident_number": 1, "created_at": "yesterday", "title": "x"}], "'yesterday' is not a time"),
        (pagerduty.parse, [{"created_at": "2026-01-05T00:00:00", "title": "x"}], "has no time zone; .* give --tz ZONE"),
        (pagerduty.parse, [{"created_at": "2026-01-05T00:00:00Z", "title": " "}], "no title"),
        (
            pagerduty.parse,
            [{"created_at": "2026-01-05T00:00:00Z", "title": "x", "resolved_at": "2026-01-04T00:00:00Z"}],
            "resolved .* is before detected",
        ),
        (pagerduty.parse, [7], "entry 1: int; an object is needed"),
        (pagerduty.parse, {"error": "x"}, "a list under incidents or data is needed; found: error"),
        (
            pagerduty.parse,
            [{"created_at": "2026-01-05T00:00:00Z", "title": "x", "seconds_to_first_ack": "soon"}],
            "'soon' is not a number of seconds",
        ),
        (opsgenie.parse, [{"createdAt": 1767600000, "message": "x"}], "1767600000' is not a time"),
        (
            opsgenie.parse,
            [{"createdAt": "2026-01-05T00:00:00Z", "message": "x", "entity": "e", "report": {"closeTime": -5}}],
            "'-5' is not a number of milliseconds",
        ),
        (opsgenie.parse, [{"createdAt": "2026-01-05T00:00:00Z", "message": "x"}], "--repo-from FIELD"),
        (backstage.parse, [{"kind": "Component", "metadata": {}}], "every entity needs a name"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_place(parse: Callable[..., Any], content: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse(content, "file.json")


def test_times_without_a_zone_are_read_in_the_zone_that_was_chosen() -> None:
    content = [{"created_at": "2026-01-05T10:00:00", "title": "x", "service": {"summary": "web"}}]
    (one,) = pagerduty.parse(content, "p", Choices(zone=read_zone("Europe/Berlin"))).incidents
    assert one.detected == utc("05T09:00")


@pytest.mark.parametrize(
    ("impact", "started"), [("2026-01-05T08:50:00Z", utc("05T08:50")), ("2026-01-05T09:00:00Z", None)]
)
def test_opsgenie_keeps_a_begin_of_impact_that_somebody_set(impact: str, started: datetime | None) -> None:
    entry = {
        "tinyId": "1",
        "message": "m",
        "createdAt": "2026-01-05T09:00:00Z",
        "impactStartDate": impact,
        "entity": "a",
    }
    (one,) = opsgenie.parse([entry]).incidents
    assert (one.started, one.detected) == (started, utc("05T09:00"))
