"""Notebooks by finding: the sections of the playbook's decision tree as pages of the workbook."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

from tars_lib.findings.exit_codes import DECISION_ORDER

PAGE_OF = MappingProxyType(
    {
        142: "sla_breach",
        132: "propagation",
        122: "cross_repo_anomaly",
        102: "critical_alerts",
        92: "org_risk",
        141: "at_risk_monitoring",
        121: "correlation_investigation",
        131: "correlation_investigation",
        101: "critical_alerts",
        91: "org_risk",
    }
)
"""Finding to notebook: the tree's sections, and below them the notebook that lists alerts and scores without a section."""
ALWAYS = ("incident_report", "executive_summary")
"""What every run gets: the report that says what was found, or that nothing was, and its page for leadership."""


def pages_for(codes: Iterable[int]) -> tuple[str, ...]:
    """Return the notebooks that a run's findings call for, in the order of the decision tree.

    Parameters
    ----------
    codes : iterable of int
        Exit codes of the run's steps; 0 and codes of failures call for none of their own.

    Examples
    --------
    >>> pages_for([0, 121, 142])
    ('incident_report', 'executive_summary', 'sla_breach', 'correlation_investigation')
    >>> pages_for([0])
    ('incident_report', 'executive_summary')
    """
    given_codes = set(codes)
    return tuple(dict.fromkeys([*ALWAYS, *(PAGE_OF[code] for code in DECISION_ORDER if code in given_codes)]))
