"""What is the matter with one service? Its score, the SLAs that it misses, its part in their breach, its alerts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tars_lib.errors import UnknownNameError
from tars_lib.text.quantities import value_text
from tars_lib.text.sentences import Told
from tars_lib.text.times import MINUTES

if TYPE_CHECKING:
    from tars_lib.engines.alerts.report import AlertReport
    from tars_lib.engines.health.report import HealthReport
    from tars_lib.engines.sla.report import SlaReport

MAX_ALERTS = 5
"""Alerts told, the most urgent first; judgement."""


def service_story(repo: str, health: HealthReport, sla: SlaReport, alerts: AlertReport) -> Told:
    """Explain a service in sentences.

    Raises
    ------
    UnknownNameError
        If there is no such service; the message lists those that there are.
    """
    report = next((candidate for candidate in health.repository_reports if candidate.repo == repo), None)
    if report is None:
        there = ", ".join(sorted(candidate.repo for candidate in health.repository_reports)[:20])
        raise UnknownNameError(f"{repo!r} is no service and no SLA; services: {there}")
    score = "unknown" if report.score is None else f"{report.score:.0f} of 100"
    why = f": {'; '.join(report.reasons)}" if report.reasons else ""
    head = f"{repo} is {report.status.value}, score {score}, trend {report.trend.value}{why}."
    return Told.of((head, *_missed(repo, sla), *_part(repo, sla), *_alerted(repo, alerts)))


def _missed(repo: str, sla: SlaReport) -> Iterator[str]:
    for result in sla.compliance_results:
        for alone in result.repo_results:
            if alone.repo == repo:
                value = f"{value_text(alone.value, result.unit)} against {value_text(result.objective, result.unit)}"
                yield f"{result.sla_name} is {alone.status.value} in {repo} alone: {alone.reason or value}."


def _part(repo: str, sla: SlaReport) -> Iterator[str]:
    for breach in sla.breaches:
        for number, cause in enumerate(breach.root_causes, 1):
            if cause.repo == repo:
                reason = cause.cause.removeprefix(f"{repo}: ")
                rank = "the most likely cause" if number == 1 else f"candidate {number}"
                yield f"It is {rank} of the breach of {breach.sla_name} ({cause.confidence:.0%} confidence): {reason}."
        impact = breach.impact
        if impact is not None and impact.repo == repo and impact.during is not None and impact.before is not None:
            now, before = value_text(impact.during, impact.unit), value_text(impact.before, impact.unit)
            yield f"During that breach its {impact.metric} is {now}, {before} before."


def _alerted(repo: str, alerts: AlertReport) -> Iterator[str]:
    mine = [alert for alert in alerts.alerts if repo in alert.repos]
    for alert in mine[:MAX_ALERTS]:
        yield f"Alert, {alert.severity.value}: {alert.title}, since {alert.first_seen:{MINUTES}}."
    if len(mine) > MAX_ALERTS:
        yield f"{len(mine) - MAX_ALERTS} more alerts."
    if not mine:
        yield "No alert names it."
