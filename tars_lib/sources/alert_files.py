"""The alerts of an artefact: as T.A.R.S. writes them, or as Alertmanager, Prometheus, Opsgenie or PagerDuty export them.

Each entry is read by the fields that it has. One whose severity or title cannot be found is refused, because an alert that is
read with less urgency than it has wakes nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tars_lib.errors import MAX_KEPT, InputError, listed
from tars_lib.files.limits import MAX_EVENTS, MAX_TEXT
from tars_lib.model.names import AlertSeverity, ReportedAlert, read_severity
from tars_lib.model.times import read_time

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_LISTS = ("alerts", "incidents", "data", "results")
_COUNTS = ("total_alerts", "critical_alerts")
# https://prometheus.io/docs/alerting/latest/configuration/#webhook_config,
# https://prometheus.io/docs/prometheus/latest/querying/api/#alerts, https://docs.opsgenie.com/docs/alert-api,
# https://developer.pagerduty.com/api-reference/9d0b4b12e36f9-list-incidents
_SEVERITY = (
    "severity",
    "labels.severity",
    "priority.summary",
    "priority.name",
    "priority",
    "labels.priority",
    "urgency",
)
_TITLE = ("title", "message", "annotations.summary", "annotations.description", "labels.alertname", "summary", "name")
_TIME = ("timestamp", "startsAt", "activeAt", "createdAt", "created_at")
_STATE = ("status.state", "status", "state")
_OVER = {"resolved", "closed", "inactive", "pending"}
"""States in which nobody is called; of those only that are not the artefact's own."""


def read_alerts(
    content: object, repo: str, label: str, assume_tz: ZoneInfo | None = None
) -> tuple[tuple[ReportedAlert, ...], tuple[str, ...]]:
    """Read alerts.

    Returns
    -------
    alerts : tuple of ReportedAlert
        Those that are open, in their own words.
    notes : tuple of str
        What was read in a particular way or left out.

    Raises
    ------
    InputError
        If no list of alerts is there, or an alert has no severity that is known, no title, or a time that cannot be read; up to
        ten are named.
    """
    entries = _entries(content, label)
    alerts, faults, over = [], [], 0
    read_as: Counter[str] = Counter()
    for number, entry in enumerate(entries, start=1):
        where = f"{label}, alert {number}"
        try:
            if _is_over(entry):
                over += 1
                continue
            alerts.append(_alert(entry, repo, where, assume_tz))
        except InputError as error:
            faults.append(str(error))
            continue
        word = alerts[-1].severity
        meant = read_severity(word)
        if meant is not None and meant != word:
            read_as[f"{word} as {meant}"] += 1
    if faults:
        raise InputError(listed(faults), faults=faults[:MAX_KEPT])
    notes = []
    if read_as:
        notes.append(f"{label}: severities are read as {', '.join(sorted(read_as))}")
    if over:
        notes.append(f"{label}: {over} {'alert is' if over == 1 else 'alerts are'} not open and left out")
    return tuple(alerts), tuple(notes)


def _entries(content: object, label: str) -> list[Any]:
    """Return the list of alerts, wherever the tool puts it."""
    if isinstance(content, dict) and isinstance(content.get("data"), dict):
        content = content["data"]
    if isinstance(content, dict):
        key = next((key for key in _LISTS if key in content), None)
        if key is None and content and not any(count in content for count in _COUNTS):
            keys = ", ".join(map(str, content))[:200]
            raise InputError(f"{label}: no alerts are there; a list under the key alerts is needed; found: {keys}")
        content = [] if key is None else content[key] or []
        if not isinstance(content, list):
            raise InputError(f"{label}: {key}: a list is needed, {type(content).__name__} was found")
    if not isinstance(content, list):
        raise InputError(f"{label}: {type(content).__name__} at top level; an object is needed")
    if len(content) > MAX_EVENTS:
        raise InputError(f"{label}: alerts: {len(content)} entries; up to {MAX_EVENTS} are allowed")
    return content


def _is_over(entry: object) -> bool:
    return isinstance(entry, dict) and "timestamp" not in entry and str(_first(entry, _STATE)[1]).lower() in _OVER


def _alert(entry: object, repo: str, where: str, assume_tz: ZoneInfo | None) -> ReportedAlert:
    if not isinstance(entry, dict):
        raise InputError(f"{where}: an object is needed")
    keys = ", ".join(map(str, entry))[:200] or "nothing"
    key, severity = _first(entry, _SEVERITY)
    if severity is None:
        raise InputError(f"{where}: no severity; severity, title and timestamp are needed; found: {keys}")
    if not isinstance(severity, str) or read_severity(severity) is None:
        allowed = ", ".join(member.value for member in AlertSeverity)
        raise InputError(
            f"{where}, {key}: {str(severity)[:60]!r} is not known; allowed: {allowed}, and words such as page, P1 or SEV-1"
        )
    _, title = _first(entry, _TITLE)
    if title is None or not str(title).strip():
        raise InputError(f"{where}: no title; severity, title and timestamp are needed; found: {keys}")
    key, time = _first(entry, _TIME)
    return ReportedAlert(
        repo,
        _short(severity, f"{where}, severity").upper(),
        _short(title, f"{where}, title"),
        None if time is None else read_time(time, f"{where}, {key}", assume_tz),
    )


def _first(entry: Mapping[str, Any], keys: tuple[str, ...]) -> tuple[str, Any]:
    """Return the first of several fields that is there, by its name."""
    for key in keys:
        outer, _, inner = key.partition(".")
        value = entry.get(outer)
        if inner:
            value = value.get(inner) if isinstance(value, dict) else None
        if value is not None and not isinstance(value, dict):
            return key, value
    return "", None


def _short(value: object, where: str) -> str:
    text = str(value).encode("utf-8", "replace").decode("utf-8")
    if len(text) > MAX_TEXT:
        raise InputError(f"{where}: a text of {len(text)} characters; up to {MAX_TEXT} are allowed")
    return text
