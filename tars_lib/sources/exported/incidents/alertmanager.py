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
    Entry,
    are_all,
    at,
    counted,
    entries_of,
    name_at,
    past_incident,
    text_at,
    time_at,
    unknown_severities,
)
from tars_lib.sources.exported.shapes import Choices, Exported

_LISTS = ("alerts", "data")
REPO_LABEL = "service"
"""Label that holds the repo unless `--repo-from` names another one; judgement: the name that most alert rules use."""


def is_one(document: object) -> bool:
    """Return whether parsed JSON looks like alerts of Alertmanager."""
    return are_all(document, _LISTS, lambda entry: "startsAt" in entry and isinstance(entry.get("labels"), dict))


def parse(document: object, label: str = "alertmanager", choices: Choices | None = None) -> Exported:
    """Read alerts as incidents: detected when they began to fire, resolved when Alertmanager was told so.

    Parameters
    ----------
    document : object
        Parsed JSON.
    label : str
        How messages name the file.
    choices : Choices, optional
        `repo_from` is the label that holds the repo.

    Raises
    ------
    InputError
        If no alert has that label, or an alert has no time or name.
    """
    choices = choices or Choices()
    found = entries_of(document, _LISTS, label)
    key = choices.repo_from or REPO_LABEL
    if not choices.repo and found and not any(name_at(entry, f"labels.{key}") for _, entry in found):
        seen = Counter(name for _, entry in found for name in at(entry, "labels") or {})
        names = ", ".join(name for name, _ in seen.most_common(10) if name not in ("alertname", "severity"))
        raise InputError(
            f"{label}: no alert has the label {key}; --repo-from LABEL says which one names the service "
            f"({names or 'there is no label'}), --repo NAME that all are of one"
        )
    alerts: dict[tuple[str, datetime], PastIncident] = {}
    notes: list[str] = []
    for where, entry in found:
        one = _alert(entry, where, key, choices)
        same = (one.ref or f"{one.title} {one.repo}", one.detected)
        before = alerts.get(same)
        if before is None or before.resolved is None:
            alerts[same] = one
    if len(alerts) < len(found):
        notes.append(f"{label}: {counted(len(found) - len(alerts), 'notification')} of alerts that are listed once")
    homeless = sum(one.repo is None for one in alerts.values())
    if homeless:
        notes.append(f"{label}: {counted(homeless, 'alert')} without the label {key}: no service is named")
    notes += unknown_severities([text_at(entry, "labels.severity") for _, entry in found], label)
    repo_from = f"repo {choices.repo}" if choices.repo else f"repo from label {key}"
    return Exported(
        incidents=tuple(alerts.values()),
        columns=f"labels, startsAt, endsAt; {repo_from}",
        zone=WITH_ZONE,
        notes=tuple(notes),
    )


def _alert(entry: Entry, where: str, key: str, choices: Choices) -> PastIncident:
    begin = time_at(entry, "startsAt", where=where, choices=choices)
    # the API gives firing alerts an end in the future, at which it would forget them
    is_over = text_at(entry, "status").lower() == "resolved" or text_at(entry, "status.state").lower() == "resolved"
    return past_incident(
        where=where,
        detected=begin,
        title=text_at(entry, "annotations.summary", "annotations.title", "labels.alertname", where=where),
        source="alertmanager",
        ref=_ref(text_at(entry, "fingerprint", where=where), begin),
        repo=choices.repo or choices.repo_of(name_at(entry, f"labels.{key}", where=where)),
        severity=text_at(entry, "labels.severity", where=where),
        resolved=time_at(entry, "endsAt", where=where, choices=choices) if is_over else None,
    )


def _ref(fingerprint: str, begin: datetime | None) -> str:
    """Return what names an alert once: its fingerprint is that of its labels, and the same whenever it fires again."""
    return f"{fingerprint}/{begin:%Y%m%dT%H%M%SZ}" if fingerprint and begin is not None else ""
