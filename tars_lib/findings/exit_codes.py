"""The one table of exit codes: commands return from it, help and docs are written from it, tests walk through it."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from tars_lib.model.names import Severity

MONITORING_FAILURE = "Monitoring Failure"


@dataclass(frozen=True, slots=True)
class ExitCode:
    """One exit code: who returns it, what it means, and which incident type and severity the playbook gives it.

    `incident_type` is None where the code says that something was found but the playbook opens no typed incident for it;
    `severity` is None where there is no incident at all.
    """

    code: int
    source: str
    finding: str
    meaning: str
    incident_type: str | None = None
    severity: Severity | None = None


_FAILURES = (
    (93, "health", "NO_REPOSITORIES", "no repositories"),
    (94, "health", "CONFIGURATION_ERROR", "configuration error"),
    (95, "health", "INPUT_ERROR", "input could not be read"),
    (96, "health, sla", "NOTHING_JUDGED", "data were read and nothing could be judged: every SLA UNKNOWN and no score"),
    (103, "alerts", "CONFIGURATION_ERROR", "configuration error"),
    (104, "alerts", "PARSE_ERROR", "parse error"),
    (105, "alerts", "CHANNELS_FAILED", "all channels failed"),
    (123, "correlation", "CONFIGURATION_ERROR", "configuration error"),
    (124, "correlation", "PARSE_ERROR", "parse error"),
    (133, "temporal", "CONFIGURATION_ERROR", "configuration error"),
    (134, "temporal", "PARSE_ERROR", "parse error"),
    (143, "sla", "CONFIGURATION_ERROR", "configuration error"),
    (144, "sla", "PARSE_ERROR", "parse error"),
    (199, "any", "UNEXPECTED_ERROR", "unexpected error"),
)

_TABLE = (
    ExitCode(0, "any", "NONE", "completed, nothing found"),
    ExitCode(91, "health", "SLO_VIOLATIONS", "organisation SLO violated", None, Severity.SEV_3),
    ExitCode(92, "health", "HIGH_ORG_RISK", "organisation risk HIGH or CRITICAL", "High Org Risk", Severity.SEV_2),
    ExitCode(101, "alerts", "ALERTS", "alerts, none critical", None, Severity.SEV_3),
    ExitCode(102, "alerts", "CRITICAL_ALERTS", "critical alerts", "Critical Alerts", Severity.SEV_1),
    ExitCode(121, "correlation", "CORRELATIONS", "correlations found", None, Severity.SEV_3),
    ExitCode(122, "correlation", "CRITICAL_ANOMALY", "critical cross-repo anomaly", "Critical Anomaly", Severity.SEV_1),
    ExitCode(131, "temporal", "TEMPORAL_CORRELATIONS", "temporal correlations found", None, Severity.SEV_3),
    ExitCode(132, "temporal", "CRITICAL_PROPAGATION", "critical propagation risk", "Propagation Risk", Severity.SEV_1),
    ExitCode(141, "sla", "SLA_AT_RISK", "SLAs at risk", None, Severity.SEV_2),
    ExitCode(142, "sla", "SLA_BREACH", "SLA breach", "SLA Breach", Severity.SEV_1),
    *(
        ExitCode(code, source, finding, text, MONITORING_FAILURE, Severity.SEV_3)
        for code, source, finding, text in _FAILURES
    ),
    ExitCode(1, "pipeline, report, verify, review", "STEP_FAILED", "a step failed after the input was accepted"),
    ExitCode(2, "any", "USAGE", "wrong usage of a command"),
)

EXIT_CODES = MappingProxyType({entry.code: entry for entry in _TABLE})
"""Every code that a command can return."""

DECISION_ORDER = (142, 132, 122, 102, 92, 141, 121, 131, 101, 91)
"""Findings from the top of the playbook's decision tree down, then the rest."""
NOTHING_JUDGED = 96
"""No finding, and no all-clear either."""


def highest(codes: tuple[int, ...]) -> int:
    """The finding that stands highest in the decision tree; else 96 where nothing could be judged, 0 where nothing was found.

    Examples
    --------
    >>> highest((0, 92, 141))
    92
    """
    for code in DECISION_ORDER:
        if code in codes:
            return code
    return NOTHING_JUDGED if NOTHING_JUDGED in codes else 0
