"""What has to be looked at now, in which order, and why?

Each kind of trouble has a module that raises its alerts; here they are put together, storms are compressed and
priorities given. The same organisation at the same time always gives the same report.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from tars_lib.engines.alerts.data_quality import doubts
from tars_lib.engines.alerts.grouping import compress
from tars_lib.engines.alerts.health import anomalies, degradations, drifts
from tars_lib.engines.alerts.overdue import overdue_rungs
from tars_lib.engines.alerts.raised import publish
from tars_lib.engines.alerts.report import Alert, AlertReport
from tars_lib.engines.alerts.reported import carried
from tars_lib.engines.alerts.rules import firing, rule_warnings
from tars_lib.engines.alerts.score_history import ScoreCourses
from tars_lib.engines.alerts.sla import slo_violations, violations
from tars_lib.engines.alerts.trend import find_declines
from tars_lib.engines.health.report import HealthReport
from tars_lib.engines.report import Stamp, head
from tars_lib.engines.sla.report import SlaReport
from tars_lib.model.names import AlertSeverity
from tars_lib.model.organisation import OrgData
from tars_lib.playbook.escalation import NOTHING_OVERDUE, Overdue

logger = logging.getLogger(__name__)


def alert_code(alerts: Sequence[Alert]) -> int:
    """Exit code for alerts: 102 with a CRITICAL one, 101 with any other, else 0."""
    return 102 if any(alert.severity is AlertSeverity.CRITICAL for alert in alerts) else 101 if alerts else 0


def assess_alerts(
    org: OrgData,
    as_of: datetime,
    health: HealthReport,
    sla: SlaReport,
    stamp: Stamp,
    overdue: Overdue = NOTHING_OVERDUE,
) -> AlertReport:
    """Raise the alerts of an organisation.

    Parameters
    ----------
    sla : SlaReport
        Of the same time; its verdicts are taken, its root causes compress storms.
    overdue : Overdue
        What the register of incidents says, where it is asked.

    Returns
    -------
    AlertReport
        `exit_code` 102 with a CRITICAL alert, 101 with any other, else 0; drift alone is 0.
    """
    courses = ScoreCourses(org)
    declines = find_declines(health, courses)
    raised = [
        *degradations(health, courses, declines),
        *anomalies(health, declines),
        *violations(org, sla),
        *slo_violations(org, health, courses),
        *doubts(org, as_of),
        *carried(org, as_of),
        *firing(org, courses),
        *overdue_rungs(overdue.rungs, org.repos),
    ]
    alerts = publish(compress(raised, org, sla), org.repos)
    alerted = frozenset(repo for alert in alerts for repo in alert.repos)
    severities = Counter(alert.severity.value for alert in alerts)
    code = alert_code(alerts)
    logger.debug("alerts: %d raised, %d after compression, exit code %d", len(raised), len(alerts), code)
    warnings = dict.fromkeys((*org.warnings, *health.warnings, *sla.warnings, *rule_warnings(org), *overdue.warnings))
    return AlertReport(
        **head("org-alerts", stamp, as_of, (*org.inputs, *overdue.inputs), warnings, code),
        alerts=alerts,
        groups=dict(sorted(Counter(alert.type.value for alert in alerts).items())),
        severities=dict(sorted(severities.items())),
        raised=len(raised),
        findings=tuple(drifts(health, declines, alerted)),
    )
