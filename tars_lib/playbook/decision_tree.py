"""The playbook's decision tree: from exit codes to severity, response path, clocks and the next commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from tars_lib.exit_codes import EXIT_CODES
from tars_lib.playbook.severity import SEVERITIES
from tars_lib.schema import Severity

_MODULE = "python -m analytics.run_org_"
_REPORT = "--org-report ./org-health-report.json --json"


@dataclass(frozen=True, slots=True)
class Branch:
    """One question of the tree.

    `codes` answer it with yes; `path` is the playbook's section that it leads to; `contain_within` is that section's time to
    contain, None where it has none (92: to be responded to within the hour).
    """

    codes: tuple[int, ...]
    question: str
    severity: Severity
    path: str
    contain_within: timedelta | None
    commands: tuple[str, ...]


TREE = (
    Branch(
        (142,),
        "Exit Code 142 (SLA Breach)?",
        Severity.SEV_1,
        "SLA Breach Response",
        timedelta(minutes=15),
        (
            f"{_MODULE}sla_intelligence {_REPORT} | jq '.compliance_results[] | select(.status == \"BREACHED\")'",
            f"{_MODULE}sla_intelligence {_REPORT} | jq '.breaches[] | {{sla_id, root_causes}}'",
        ),
    ),
    Branch(
        (132,),
        "Exit Code 132 (Critical Propagation)?",
        Severity.SEV_1,
        "Propagation Containment",
        timedelta(minutes=15),
        (
            f"{_MODULE}temporal_intelligence {_REPORT} | jq '.influence_scores[] | select(.classification == \"LEADER\")'",
            f"{_MODULE}temporal_intelligence {_REPORT} | jq '.propagation_paths'",
        ),
    ),
    Branch(
        (122,),
        "Exit Code 122 (Critical Anomaly)?",
        Severity.SEV_1,
        "Cross-Repo Anomaly Response",
        timedelta(minutes=30),
        (f"{_MODULE}trend_correlation {_REPORT} | jq '.clusters[] | select(.is_anomalous == true)'",),
    ),
    Branch(
        (102,),
        "Exit Code 102 (Critical Alerts)?",
        Severity.SEV_1,
        "Critical Alert Triage",
        timedelta(minutes=30),
        (f"{_MODULE}alerts {_REPORT} | jq '.alerts[] | select(.severity == \"CRITICAL\")'",),
    ),
    Branch(
        (92,),
        "Exit Code 92 (High Org Risk)?",
        Severity.SEV_2,
        "Org Risk Assessment",
        None,
        (f"{_MODULE}health --root-dir ./org-health --json | jq '.risk_tier, .aggregate_score'",),
    ),
    Branch(
        (141,),
        "Exit Code 141 (At-Risk SLAs)?",
        Severity.SEV_2,
        "At-Risk Monitoring",
        None,
        (f"{_MODULE}sla_intelligence {_REPORT} | jq '.compliance_results[] | select(.status == \"AT_RISK\")'",),
    ),
    Branch(
        (121, 131),
        "Exit Code 121/131 (Correlations Found)?",
        Severity.SEV_3,
        "Correlation Investigation",
        None,
        (
            f"{_MODULE}trend_correlation {_REPORT} | jq '.correlations'",
            f"{_MODULE}temporal_intelligence {_REPORT} | jq '.lead_lag'",
        ),
    ),
)
"""The questions from the top down; the playbook's page, word for word."""

SHELL_CODES = {
    124: "a command that ran out of time (timeout)",
    130: "an interrupt (Ctrl-C)",
    134: "an abort (SIGABRT)",
    143: "a termination (SIGTERM)",
}
"""What a shell reports with codes that are ours, too (130 with `--legacy-exit-codes`)."""


@dataclass(frozen=True, slots=True)
class Classification:
    """What the playbook says about a set of exit codes.

    Attributes
    ----------
    codes : tuple of int
    incident_type : str
    severity : Severity or None
        None: no incident.
    steps : tuple of (str, bool)
        Questions asked and their answers, down to the first yes.
    path : str
        Section to go to.
    respond_within : str
        Clock by severity.
    contain_within : timedelta or None
        Clock by type.
    commands : tuple of str
    notes : tuple of str
        Ambiguities and failures that came along.
    """

    codes: tuple[int, ...]
    incident_type: str
    severity: Severity | None
    steps: tuple[tuple[str, bool], ...]
    path: str
    respond_within: str
    contain_within: timedelta | None
    commands: tuple[str, ...]
    notes: tuple[str, ...]


def classify(codes: Sequence[int], *, are_ours: bool = False) -> Classification:
    """Walk down the decision tree.

    Parameters
    ----------
    codes : sequence of int
        Exit codes of any commands.
    are_ours : bool
        They stand in reports, so that 124, 130, 134 and 143 cannot be a shell's.

    Examples
    --------
    >>> classify([131, 142]).path
    'SLA Breach Response'
    >>> classify([0]).severity is None
    True
    """
    notes = [
        f"{code} is ambiguous: a shell reports it for {SHELL_CODES[code]}, too; look at the report's exit_code"
        for code in codes
        if code in SHELL_CODES and not are_ours
    ]
    notes += [
        f"{code} is in no table of this package" for code in codes if code not in EXIT_CODES and code not in SHELL_CODES
    ]
    steps: list[tuple[str, bool]] = []
    for branch in TREE:
        is_it = any(code in branch.codes for code in codes)
        steps.append((branch.question, is_it))
        if is_it:
            hit = next(code for code in branch.codes if code in codes)
            name = EXIT_CODES[hit].incident_type or EXIT_CODES[hit].meaning
            return _classified(codes, name, branch.severity, steps, branch, notes)
    others = [EXIT_CODES[code] for code in codes if code in EXIT_CODES and code not in (0,)]
    if not others and not notes:
        return Classification(tuple(codes), "no incident", None, tuple(steps), "nothing to do", "-", None, (), ())
    if any(code in SHELL_CODES for code in codes) and not are_ours and len(set(codes)) == 1:
        return Classification(
            tuple(codes), "ambiguous", None, tuple(steps), "look at the report's exit_code", "-", None, (), tuple(notes)
        )
    severities = [entry.severity for entry in others if entry.severity is not None]
    severity = min(severities, default=Severity.SEV_4, key=lambda s: s.value)
    name = next((entry.incident_type or entry.meaning for entry in others), "other exit code")
    return _classified(codes, name, severity, steps, None, notes)


def _classified(
    codes: Sequence[int],
    name: str,
    severity: Severity,
    steps: list[tuple[str, bool]],
    branch: Branch | None,
    notes: list[str],
) -> Classification:
    return Classification(
        codes=tuple(codes),
        incident_type=name,
        severity=severity,
        steps=tuple(steps),
        path="Document and monitor" if branch is None else branch.path,
        respond_within=SEVERITIES[severity].response_time,
        contain_within=None if branch is None else branch.contain_within,
        commands=() if branch is None else branch.commands,
        notes=tuple(notes),
    )
