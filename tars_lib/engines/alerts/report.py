"""Content of `org-alerts.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tars_lib.engines.report import Report
from tars_lib.model.names import AlertImpact, AlertSeverity, AlertType, Severity

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class AlertMember:
    """One of the alerts that a storm was compressed from: its repo and what it would have said alone."""

    repo: str
    severity: AlertSeverity
    value: float | None
    first_seen: datetime | None


@dataclass(frozen=True, slots=True)
class OverdueRung:
    """A contact who should have been told of an incident, by when, and by which rule of the playbook."""

    incident_id: str
    contact: str
    due_at: datetime
    rule: str


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that somebody has to look at now.

    Attributes
    ----------
    alert_id : str
        Of this occurrence: the fingerprint with `first_seen`.
    fingerprint : str
        Of what is wrong, the same in every run: made from type, source and root alone, never from times or values.
    source : str
        What raised it: ``health``, ``sla:<id>``, ``slo:<id>``, ``rule:<id>``, ``artefact``, ``counts``, ``silence``,
        ``unit``, ``incident:<id>``.
    title : str
        For people; that of an alert found in artefacts is theirs, verbatim.
    repos : tuple of str
        Sorted.
    root : str or None
        The repo that stands for all: the common cause of a storm, else the repo itself; null where the source speaks
        for the whole organisation or for an SLA.
    metric, value, threshold, unit
        What was measured (the worst repo's), null where nothing was.
    first_seen, last_seen : datetime or None
        First and last time at which the condition held; null where the source gives no time.
    priority : int
        1 is to be looked at first.
    reason : str
        Why this severity and this priority.
    members : tuple of AlertMember
        The alerts that were compressed into this one, worst first; empty for an alert that stands alone.
    escalation : OverdueRung or None
        Of an incident in the register; null for every alert that the data raise.
    """

    alert_id: str
    fingerprint: str
    type: AlertType
    source: str
    severity: AlertSeverity
    title: str
    message: str
    repos: tuple[str, ...]
    root: str | None
    metric: str | None
    value: float | None
    threshold: float | None
    unit: str
    first_seen: datetime | None
    last_seen: datetime | None
    impact: AlertImpact
    priority: int
    reason: str
    members: tuple[AlertMember, ...] = ()
    escalation: OverdueRung | None = None


@dataclass(frozen=True, slots=True)
class DriftFinding:
    """A healthy baseline that slowly moves down: nothing to be woken for, and no exit code.

    `slope_per_day` is in points a day, null for a change of level; `before` and `after` are the levels, null for a
    trend.
    """

    finding_id: str
    severity: Severity
    repo: str
    metric: str
    title: str
    message: str
    since: datetime | None
    slope_per_day: float | None
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AlertReport(Report):
    """Alerts in the playbook's order of priority.

    `groups` and `severities` count the alerts by type and by severity, those that occur. `raised` is the number of
    alerts before storms were compressed.
    """

    alerts: tuple[Alert, ...]
    groups: Mapping[str, int]
    severities: Mapping[str, int]
    raised: int
    findings: tuple[DriftFinding, ...]

    @property
    def frame(self) -> pd.DataFrame:
        """One row an alert: type, severity, impact, title, repos, metric, value, threshold, times; index `priority`."""
        import pandas as pd

        columns = (
            "type",
            "severity",
            "impact",
            "title",
            "repos",
            "metric",
            "value",
            "threshold",
            "first_seen",
            "last_seen",
        )
        rows = [{name: getattr(alert, name) for name in ("priority", *columns)} for alert in self.alerts]
        return pd.DataFrame(rows, columns=["priority", *columns]).set_index("priority")
