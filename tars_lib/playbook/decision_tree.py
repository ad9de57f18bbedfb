"""The playbook's decision tree: from exit codes to severity, response path, clocks and the next commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from tars_lib.findings.exit_codes import EXIT_CODES
from tars_lib.model.names import Severity
from tars_lib.playbook.packaged import packaged
from tars_lib.playbook.tables import IncidentType, Playbook

SHELL_CODES = {
    124: "a command that ran out of time (timeout)",
    130: "an interrupt (Ctrl-C)",
    134: "an abort (SIGABRT)",
    143: "a termination (SIGTERM)",
}
"""What a shell reports with codes that are ours, too (130 with `--legacy-exit-codes`)."""


@dataclass(frozen=True, slots=True)
class Classification:
    """Answer of the playbook to a set of exit codes.

    Attributes
    ----------
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


def classify(codes: Sequence[int], *, are_ours: bool = False, playbook: Playbook | None = None) -> Classification:
    """Walk down the decision tree.

    Parameters
    ----------
    codes : sequence of int
        Exit codes of any commands.
    are_ours : bool
        They stand in reports, so that 124, 130, 134 and 143 cannot be a shell's.
    playbook : Playbook
        The playbook in force; by default the packaged one.

    Examples
    --------
    >>> classify([131, 142]).path
    'SLA Breach Response'
    >>> classify([0]).severity is None
    True
    """
    playbook = playbook or packaged()
    notes = [
        f"{code} is ambiguous: a shell reports it for {SHELL_CODES[code]}, too; look at the report's exit_code"
        for code in codes
        if code in SHELL_CODES and not are_ours
    ]
    notes += [
        f"{code} is in no table of this package" for code in codes if code not in EXIT_CODES and code not in SHELL_CODES
    ]
    types = {row.code: row for row in playbook.incident_types}
    steps: list[tuple[str, bool]] = []
    branch = None
    for row in playbook.tree:
        is_it = any(code in row.codes for code in codes)
        steps.append((row.question, is_it))
        if is_it:
            branch = row
            break
    if branch is not None:
        severity, name = branch.severity, _name(next(code for code in branch.codes if code in codes), types)
    else:
        others = [code for code in codes if code in EXIT_CODES and code != 0]
        if not others and not notes:
            return Classification(tuple(codes), "no incident", None, tuple(steps), "nothing to do", "-", None, (), ())
        if any(code in SHELL_CODES for code in codes) and not are_ours and len(set(codes)) == 1:
            path = "look at the report's exit_code"
            return Classification(tuple(codes), "ambiguous", None, tuple(steps), path, "-", None, (), tuple(notes))
        severities = [types[code].severity for code in others if code in types]
        severity = min(severities, default=playbook.otherwise[0], key=lambda s: s.value)
        name = next((_name(code, types) for code in others), "other exit code")
    return Classification(
        codes=tuple(codes),
        incident_type=name,
        severity=severity,
        steps=tuple(steps),
        path=playbook.otherwise[1] if branch is None else branch.path,
        respond_within=playbook.severity(severity).response_time,
        contain_within=None if branch is None else branch.contain_within,
        commands=() if branch is None else branch.commands,
        notes=tuple(notes),
    )


def _name(code: int, types: Mapping[int, IncidentType]) -> str:
    row = types.get(code)
    return EXIT_CODES[code].meaning if row is None or row.incident_type is None else row.incident_type
