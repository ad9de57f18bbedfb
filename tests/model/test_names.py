"""Names and metrics: what is read in any case, and what stays undefined."""

from __future__ import annotations

import pytest

from tars_lib.errors import InputError, place
from tars_lib.model import names as schema
from tars_lib.model.metrics import KNOWN_METRICS, Metric, known_metric
from tars_lib.model.names import Name, SlaStatus

VERDICTS = (schema.HealthStatus, schema.RiskTier, schema.Trend, schema.SlaStatus, schema.ReadinessTier)


@pytest.mark.parametrize("verdict", VERDICTS)
def test_every_verdict_can_say_that_it_does_not_know(verdict: type[Name]) -> None:
    assert verdict("UNKNOWN").value == "UNKNOWN"


@pytest.mark.parametrize("text", ["breached", "BREACHED", " Breached "])
def test_names_are_read_in_any_case(text: str) -> None:
    assert SlaStatus.parse(text) is SlaStatus.BREACHED


def test_an_unknown_name_lists_those_that_are_allowed() -> None:
    with pytest.raises(
        InputError, match=r"'broken' is not a SlaStatus; allowed: COMPLIANT, AT_RISK, BREACHED, UNKNOWN"
    ):
        SlaStatus.parse("broken")


@pytest.mark.parametrize(
    ("metric", "unit", "better"),
    [
        ("health_score", "score", True),
        ("availability", "ratio", True),
        ("requests_total", "count", None),
        ("requests_failed", "count", None),
        ("error_rate", "ratio", False),
        ("latency", "s", False),
        ("latency_p99_9", "s", False),
        ("change_failure_rate", "ratio", False),
        ("deployment_frequency", "1/day", True),
        ("lead_time", "h", False),
        ("time_to_restore", "h", False),
        ("incident_response_time", "h", False),
        ("critical_issues", "count", False),
        ("total_issues", "count", False),
    ],
)
def test_the_formats_metrics_have_their_units_and_directions(metric: str, unit: str, better: bool | None) -> None:
    assert (known_metric(metric).unit, known_metric(metric).higher_is_better) == (unit, better)


@pytest.mark.parametrize("name", ["latency_", "latencyx", "queue_depth", "Availability"])
def test_a_name_that_is_not_known_gets_no_unit_and_no_direction(name: str) -> None:
    assert known_metric(name) == Metric(name)


def test_bounds_of_scored_metrics_lie_the_way_their_direction_says() -> None:
    for metric in KNOWN_METRICS.values():
        if metric.healthy is not None and metric.unhealthy is not None:
            assert metric.is_scored
            assert (metric.healthy > metric.unhealthy) is metric.higher_is_better


def test_only_request_counts_add_up_within_an_interval() -> None:
    adding = {name for name, metric in KNOWN_METRICS.items() if metric.is_count}
    assert adding == {"requests_total", "requests_failed"}


def test_a_place_names_what_is_known_of_it() -> None:
    assert place("a.csv") == "a.csv"
    assert place("a.csv", row=2) == "a.csv, row 2"
    assert place("a.csv", column="value") == "a.csv, column value"
