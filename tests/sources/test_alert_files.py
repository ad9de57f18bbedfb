"""Alerts in the forms of other tools: mapped right, or refused with what is needed, never read with less urgency in silence."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from org_samples import RootBuilder

from tars_lib.errors import InputError
from tars_lib.model.names import read_severity

ALERTS = "web/alerts/alerts.json"
UP = {"labels": {"alertname": "Up", "severity": "warning"}, "state": "firing", "activeAt": "2026-01-05T08:00:00Z"}
AT = "2026-01-05T08:00:00Z"
TIME = datetime(2026, 1, 5, 8, tzinfo=UTC)
FIRING = {
    "status": "firing",
    "labels": {"alertname": "HostGone", "severity": "page"},
    "annotations": {"summary": "host is gone"},
    "startsAt": AT,
    "endsAt": "0001-01-01T00:00:00Z",
}
OPSGENIE = {"message": "Queue stuck", "priority": "P2", "createdAt": AT, "status": "open"}
PAGERDUTY = {
    "title": "Disk full",
    "urgency": "low",
    "priority": {"summary": "P1"},
    "created_at": AT,
    "status": "triggered",
}


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ({"version": "4", "alerts": [FIRING, FIRING | {"status": "resolved"}]}, ("PAGE", "host is gone")),
        ([FIRING | {"status": {"state": "active", "silencedBy": []}}], ("PAGE", "host is gone")),
        (
            {"status": "success", "data": {"alerts": [UP]}},
            ("WARNING", "Up"),
        ),
        ({"alerts": [OPSGENIE]}, ("P2", "Queue stuck")),
        ({"data": [OPSGENIE, OPSGENIE | {"status": "closed"}]}, ("P2", "Queue stuck")),
        ({"incidents": [PAGERDUTY]}, ("P1", "Disk full")),
        ({"incidents": [PAGERDUTY | {"priority": None}]}, ("LOW", "Disk full")),
        ({"total_alerts": 1, "alerts": [{"severity": "Sev-2", "title": "Slow", "timestamp": AT}]}, ("SEV-2", "Slow")),
    ],
)  # fmt: skip
def test_alerts_of_other_tools_are_read_by_the_fields_that_they_have(
    root: RootBuilder, content: Any, wanted: Any
) -> None:
    org = root.file(ALERTS, json.dumps(content)).load()
    assert [(alert.severity, alert.title, alert.timestamp) for alert in org.reported_alerts] == [(*wanted, TIME)]
    meant = read_severity(wanted[0])
    told = [warning for warning in org.warnings if "severities are read as" in warning]
    assert told == ([] if meant == wanted[0] else [f"{ALERTS}: severities are read as {wanted[0]} as {meant}"])


def test_alerts_that_are_over_are_left_out_and_counted(root: RootBuilder) -> None:
    org = root.file(ALERTS, {"alerts": [FIRING | {"status": "resolved"}, OPSGENIE | {"status": "closed"}]}).load()
    assert org.reported_alerts == ()
    assert f"{ALERTS}: 2 alerts are not open and left out" in org.warnings


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            {"alerts": [{"title": "a", "timestamp": AT}]},
            "alert 1: no severity; severity, title and timestamp are needed; found: ",
        ),
        ({"alerts": [{"severity": None, "title": "a"}]}, "alert 1: no severity"),
        (
            {"alerts": [{"severity": "purple", "title": "a"}]},
            "alert 1, severity: 'purple' is not known; allowed: CRITICAL, HIGH",
        ),
        ({"alerts": [{"severity": 1, "title": "a"}]}, "alert 1, severity: '1' is not known"),
        ({"alerts": [{"severity": "high", "title": " "}]}, "alert 1: no title"),
        (
            {"alerts": [FIRING | {"labels": {"alertname": "x"}}]},
            "alert 1: no severity; .*found: status, labels, annotations",
        ),
        ({"alerts": [FIRING | {"startsAt": "soon"}]}, "alert 1, startsAt: 'soon' is not a time"),
        ({"monitors": [{"id": 1}]}, "no alerts are there; a list under the key alerts is needed; found: monitors"),
    ],
)
def test_what_is_no_alert_is_refused_with_what_is_needed(root: RootBuilder, content: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"^{ALERTS}[,:] {message}"):
        root.file(ALERTS, json.dumps(content)).load()


def test_ten_alerts_that_cannot_be_read_are_named_at_once(root: RootBuilder) -> None:
    with pytest.raises(InputError, match=r"(?s)alert 1: no severity.*alert 10: no severity.*;\nand 2 more$"):
        root.file(ALERTS, {"alerts": [{"title": "a"}] * 12}).load()


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("page", "CRITICAL"),
        ("P1", "CRITICAL"),
        ("sev1", "CRITICAL"),
        ("P2", "HIGH"),
        ("SEV_3", "MEDIUM"),
        ("P5", "LOW"),
    ],
)
def test_words_of_other_tools_are_mapped(word: str, meant: str) -> None:
    assert str(read_severity(word)) == meant
    assert read_severity("urgentish") is None


def test_an_artefact_of_which_nothing_was_read_says_so(root: RootBuilder) -> None:
    root.file("web/dashboard/health-dashboard.json", {"widgets": []}).file(
        "web/trends/trend-report.json", {"points": []}
    )
    warnings = "\n".join(root.load().warnings)
    assert "web/dashboard/health-dashboard.json: nothing was read: none of repository_score, " in warnings
    assert (
        "web/trends/trend-report.json: nothing was read: none of history, data_points, trend_history is there"
        in warnings
    )
