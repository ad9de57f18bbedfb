"""Critical alert triage (102): which alerts are critical, of what kind, and which comes first?"""

from __future__ import annotations

from collections import Counter

from tars_lib.engines.alerts.report import Alert
from tars_lib.engines.queries.incident_state import IncidentState
from tars_lib.figures.health.alerts import draw_priorities, draw_storm, in_words, worded
from tars_lib.model.names import AlertImpact, AlertSeverity, AlertType
from tars_lib.pipeline import Run
from tars_lib.reports.blocks.kinds import Badge, Block, Callout, Column, KeyFigure, KeyFigures, Table, TitleBlock, Tone
from tars_lib.text.counts import plural
from tars_lib.text.quantities import value_text
from tars_lib.workbook.parameters.register import state_by
from tars_lib.workbook.sections.figure_blocks import figures
from tars_lib.workbook.sections.labels import label_of, listed
from tars_lib.workbook.sections.next_commands import (
    check_again,
    health_report,
    next_steps,
    run_again,
    run_place,
    settled_steps,
)
from tars_lib.workbook.sections.relations import page_head
from tars_lib.workbook.sections.state import planned_step, settled_step

_MODULE = "python -m analytics.run_org_alerts"
_TONES: dict[AlertSeverity, Tone] = {
    AlertSeverity.CRITICAL: "critical",
    AlertSeverity.HIGH: "warning",
    AlertSeverity.MEDIUM: "info",
    AlertSeverity.LOW: "neutral",
}
_MEANING = {
    AlertType.HEALTH_DEGRADATION: "a service's health score fell below its tier",
    AlertType.SLO_VIOLATION: "an SLA or an objective of the organisation is missed",
    AlertType.TREND_ANOMALY: "a score declines, or left its level",
    AlertType.ESCALATION_TIMEOUT: "an alert stayed open, or an incident continued, and nobody was notified in time",
    AlertType.DATA_INTEGRITY: "the numbers themselves cannot be trusted",
}
_NOTEBOOK = {AlertType.SLO_VIOLATION: "sla_breach", AlertType.HEALTH_DEGRADATION: "org_risk"}
"""Where an alert's kind is looked into further."""


def critical(run: Run) -> tuple[Alert, ...]:
    """Return the critical alerts, first to be looked at first."""
    return tuple(alert for alert in run.alerts.alerts if alert.severity is AlertSeverity.CRITICAL)


def title(run: Run, incident_id: str = "", state: IncidentState | None = None) -> TitleBlock:
    """Say how many there are, and which comes first."""
    oldest = min((alert.first_seen for alert in critical(run) if alert.first_seen is not None), default=None)
    return page_head(run, "Critical alerts", _headline(run), (102, 101), "No alert", incident_id, oldest, state)


def key_figures(run: Run) -> KeyFigures:
    """Count the critical alerts, what compression left, and whom they concern."""
    alerts, urgent = run.alerts.alerts, critical(run)
    seen = [alert for alert in alerts if alert.impact is AlertImpact.CUSTOMER_FACING]
    data = [alert for alert in alerts if alert.impact is AlertImpact.DATA_INTEGRITY]
    others = ", ".join(
        f"{number} {name.lower()}"
        for name, number in run.alerts.severities.items()
        if name != AlertSeverity.CRITICAL.value
    )
    return KeyFigures(
        (
            KeyFigure(
                "Critical alerts", f"{len(urgent)} of {len(alerts)}", note=others or "no other",
                tone="critical" if urgent else "good", word="" if urgent else "None",
            ),
            KeyFigure(
                "Open", str(len(alerts)), note=f"{run.alerts.raised} raised, each storm combined into one",
                tone="neutral",
            ),
            KeyFigure(
                "Customer facing", str(len(seen)), note="first priority",
                tone="critical" if seen else "good", word="" if seen else "None",
            ),
            KeyFigure(
                "Data in doubt", str(len(data)), note="second priority",
                tone="warning" if data else "good", word="" if data else "None",
            ),
        )
    )  # fmt: skip


def first_step(run: Run, state: IncidentState | None = None) -> Callout:
    """Name the alert to begin with."""
    state = state or state_by(run, None)
    if (settled := settled_step(state)) is not None:
        return settled
    alert = next(iter(critical(run)), None)
    if alert is None:
        rest = run.alerts.alerts
        if rest:
            return Callout(
                "Nothing critical",
                f"{plural(len(rest), 'alert')} of lower severity; first: {rest[0].title}.",
                "warning",
            )
        return Callout("Nothing to triage", "No alert was raised. Keep the hourly checks running.", "good")
    return planned_step(state, f"First alert: {alert.message}")


def critical_list(run: Run, max_alerts: int = 12) -> Table:
    """List every critical alert, the playbook's first step."""
    return _table(critical(run), "Critical alerts, by priority", "No alert is critical.", max_alerts)


def groups(run: Run) -> list[Block]:
    """Count the alerts of each kind before and after storms were compressed, the playbook's second step."""
    alerts = run.alerts.alerts
    raised: Counter[AlertType] = Counter()
    for alert in alerts:
        raised[alert.type] += max(len(alert.members), 1)
    left = Counter(alert.type for alert in alerts)
    grave = Counter(alert.type for alert in critical(run))
    rows = tuple(
        (worded(kind.value), str(raised[kind]), str(left[kind]), str(grave[kind]), _MEANING[kind]) for kind in AlertType
    )
    table = Table(
        caption="Alerts by group",
        columns=(
            Column("Group"),
            Column("Raised", "number"),
            Column("Open", "number"),
            Column("Critical", "number"),
            Column("What it means"),
        ),
        rows=rows,
        note="Alerts with one cause, or with one start in three or more services, are combined; the members are in "
        "org-alerts.json.",
    )
    return [table, *figures(draw_storm(run.alerts))]


def priorities(run: Run, max_alerts: int = 12) -> list[Block]:
    """Order the alerts by impact, and show what comes after the critical ones: the playbook's third step."""
    rest = tuple(alert for alert in run.alerts.alerts if alert.severity is not AlertSeverity.CRITICAL)
    blocks: list[Block] = [*figures(draw_priorities(run.alerts))]
    if rest or not run.alerts.alerts:
        blocks.append(_table(rest, "The other alerts, by priority", "There is no other alert.", max_alerts))
    return blocks


def next_action(run: Run, incident_id: str = "", state: IncidentState | None = None) -> Table:
    """Say what to run now."""
    if (left := settled_steps(run, incident_id, state)) is not None:
        return left
    query = f"{_MODULE} --org-report {health_report(run)} --json | jq '.alerts[] | select(.severity == \"CRITICAL\")'"
    urgent = critical(run)
    if not urgent:
        return next_steps(("Run the checks again, hourly", run_again(run)), ("This run's report", query))
    kinds = dict.fromkeys(alert.type for alert in urgent)
    further = tuple(
        (f"Investigate: {in_words(kind.value)}", f"tars report {_NOTEBOOK[kind]} --run {run_place(run)}")
        for kind in kinds
        if kind in _NOTEBOOK
    )
    return next_steps(*further[:1], *check_again(run, incident_id), ("The critical alerts in full", query))


def _headline(run: Run) -> str:
    alerts, found = run.alerts.alerts, critical(run)
    if not alerts:
        dark = " What cannot be judged raises no alert." if run.sla.summary.unknown else ""
        return f"No alert was raised.{dark}"
    first = (found or alerts)[0]
    where = f"in {listed(first.repos, 3)}" if first.repos else "in the organisation as a whole"
    what = f"{label_of(first.title, 100)} {where} ({in_words(first.impact.value)})"
    if not found:
        return f"None of {plural(len(alerts), 'alert')} is critical; look first at {what}."
    which = "is critical: " if len(found) == 1 else "are critical; the first of them: "
    return f"{len(found)} of {plural(len(alerts), 'alert')} {which}{what}."


def _table(alerts: tuple[Alert, ...], caption: str, empty: str, most: int) -> Table:
    is_mixed = any(alert.severity is not AlertSeverity.CRITICAL for alert in alerts)
    return Table(
        caption=caption,
        columns=(
            Column("Alert"),
            *((Column("Severity", "badge"),) if is_mixed else ()),
            Column("Impact"),
            Column("Services"),
            Column("Measured", "text", "right"),
            Column("Limit", "text", "right"),
            Column("Since, UTC"),
        ),
        rows=tuple(
            (
                f"{alert.priority}. {alert.title}",
                *((Badge(alert.severity.value.capitalize(), _TONES[alert.severity]),) if is_mixed else ()),
                worded(alert.impact.value),
                listed(alert.repos, 3) or "-",
                "-" if alert.value is None else value_text(alert.value, alert.unit),
                "-" if alert.threshold is None else value_text(alert.threshold, alert.unit),
                "unknown" if alert.first_seen is None else f"{alert.first_seen:%m-%d %H:%M}",
            )
            for alert in alerts[:most]
        ),
        note=f"{len(alerts) - most} more are in org-alerts.json." if len(alerts) > most else "",
        empty=empty,
    )
