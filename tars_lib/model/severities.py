"""The words that monitoring tools use for how urgent an alert is."""

from __future__ import annotations

import re

from tars_lib.model.names import AlertSeverity

# Opsgenie's P1 to P5 (https://docs.opsgenie.com/docs/alert-priority), PagerDuty's severities
# (https://support.pagerduty.com/main/docs/dynamic-notifications), Zabbix's; a page wakes a person, a ticket does not
# (https://sre.google/sre-book/practical-alerting/). Judgement where tools differ.
_WORDS = {
    AlertSeverity.CRITICAL: "CRITICAL CRIT FATAL EMERGENCY BLOCKER DISASTER URGENT PAGE SEV0 SEV1 P0 P1",
    AlertSeverity.HIGH: "HIGH ERROR MAJOR SEV2 P2",
    AlertSeverity.MEDIUM: "MEDIUM WARNING WARN MODERATE AVERAGE TICKET SEV3 P3",
    AlertSeverity.LOW: "LOW INFO INFORMATION INFORMATIONAL NOTICE MINOR NONE DEBUG SEV4 SEV5 P4 P5",
}
_SEVERITIES = {word: severity for severity, words in _WORDS.items() for word in words.split()}
_BETWEEN = re.compile(r"[-_\s]+")


def read_severity(word: str) -> AlertSeverity | None:
    """Severity that a word of a monitoring tool stands for, None for a word that is not known.

    Examples
    --------
    >>> read_severity("warning"), read_severity("Sev-1"), read_severity("page")
    (<AlertSeverity.MEDIUM: 'MEDIUM'>, <AlertSeverity.CRITICAL: 'CRITICAL'>, <AlertSeverity.CRITICAL: 'CRITICAL'>)
    """
    return _SEVERITIES.get(_BETWEEN.sub("", word.strip().upper()))
