"""Alerts of Alertmanager: the payload of its webhook, several of them, or the answer of its API (`amtool alert -o json`).

References
----------
https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from tars_lib.errors import InputError
from tars_lib.model.names import PastIncident
from tars_lib.sources.exported.fields import (
    WITH_ZONE,
    EntryShape,
    PlacedEntry,
    homeless,
    past_incident,
    unknown_severities,
)
from tars_lib.sources.exported.shapes import NO_CHOICES, Choices, Exported
from tars_lib.sources.exported.whose import REPO_LABEL
from tars_lib.text.counts import plural

SHAPE = EntryShape(("alerts", "data"), {"startsAt": object, "labels": dict})


def parse(document: object, label: str = "alertmanager", choices: Choices = NO_CHOICES) -> Exported:
    """Read alerts as incidents: detected when they began to fire, resolved when Alertmanager was told so.

    Parameters
    ----------
    choices : Choices, optional
        `repo_from` is the label that holds the repo.

    Raises
    ------
    InputError
        If no alert has that label, or an alert has no time or name.
    """
    entries = SHAPE.records(document, label, choices)
    key = choices.repo_from or REPO_LABEL
    if not choices.repo and entries and not any(entry.name(f"labels.{key}") for entry in entries):
        seen = Counter(name for entry in entries for name in entry.at("labels") or {})
        names = ", ".join(name for name, _ in seen.most_common(10) if name not in ("alertname", "severity"))
        raise InputError(
            f"{label}: no alert has the label {key}; --repo-from LABEL says which one names the service "
            f"({names or 'there is no label'}), --repo NAME that all are of one"
        )
    alerts: dict[tuple[str, datetime], PastIncident] = {}
    notes: list[str] = []
    for entry in entries:
        alert = _alert(entry, key)
        identity = (alert.ref or f"{alert.title} {alert.repo}", alert.detected)
        before = alerts.get(identity)
        if before is None or before.resolved is None:
            alerts[identity] = alert
    if len(alerts) < len(entries):
        notes.append(f"{label}: {plural(len(entries) - len(alerts), 'notification')} of alerts that are listed once")
    notes += homeless(alerts.values(), label, "alert", f"the label {key}")
    notes += unknown_severities([entry.text("labels.severity") for entry in entries], label)
    repo_from = f"repo {choices.repo}" if choices.repo else f"repo from label {key}"
    return Exported(
        incidents=tuple(alerts.values()),
        columns=f"labels, startsAt, endsAt; {repo_from}",
        zone=WITH_ZONE,
        notes=tuple(notes),
    )


def _alert(entry: PlacedEntry, key: str) -> PastIncident:
    begin = entry.time("startsAt")
    # the API gives firing alerts an end in the future, at which it would forget them
    is_over = "resolved" in (entry.text("status").lower(), entry.text("status.state").lower())
    fingerprint = entry.text("fingerprint")
    return past_incident(
        entry.where,
        "alertmanager",
        detected=begin,
        title=entry.text("annotations.summary", "annotations.title", "labels.alertname"),
        # the fingerprint is that of the labels, and the same whenever the alert fires again
        ref=f"{fingerprint}/{begin:%Y%m%dT%H%M%SZ}" if fingerprint and begin is not None else "",
        repo=entry.choices.repo or entry.choices.repo_of(entry.name(f"labels.{key}")),
        severity=entry.text("labels.severity"),
        resolved=entry.time("endsAt") if is_over else None,
    )
