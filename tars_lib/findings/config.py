"""The exit-policy file: which findings fail a build, as a team writes it down for its build server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from tars_lib.config.yaml_file import read_yaml, validate
from tars_lib.errors import ConfigError, TarsError
from tars_lib.findings.exit_codes import DECISION_ORDER, EXIT_CODES
from tars_lib.findings.exit_policy import SLA_CODES, ExitPolicy
from tars_lib.model.names import Severity, SlaStatus


class _FailOn(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    codes: list[int] = []
    findings: list[str] = []
    severity: str | None = None


def _mapping(value: object) -> object:
    if not isinstance(value, dict):
        raise ValueError(  # noqa: TRY004 -- pydantic reports only a ValueError as a refusal
            "codes, findings or severity below it are needed, as in `fail_on: {codes: [142]}`; "
            "`fail_on: {}` fails no build on a finding"
        )
    return value


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    # required: an empty file would let every build pass, and nobody means that by leaving a file empty
    fail_on: Annotated[_FailOn, BeforeValidator(_mapping)]
    slas: dict[str, list[str]] = {}


def read_exit_policy(path: Path) -> ExitPolicy:
    """Read an exit-policy file.

    Parameters
    ----------
    path : Path
        YAML with ``fail_on`` (``codes``, ``findings``, ``severity``: this one and worse) and ``slas`` (id: verdicts).

    Returns
    -------
    ExitPolicy

    Raises
    ------
    ConfigError
        If the file is missing or not valid; the message names file, key, value and what is allowed.
    """
    label = str(path)
    if not path.is_file():
        raise ConfigError(f"{label}: no such file; --exit-policy needs a YAML file with fail_on")
    given = validate(_File, read_yaml(path, label) or {}, label)
    codes = {_code(code, label) for code in given.fail_on.codes}
    codes |= {_named(name, label) for name in given.fail_on.findings}
    if given.fail_on.severity is not None:
        codes |= _as_severe_as(given.fail_on.severity, label)
    slas = {sla_id: frozenset(_status(sla_id, text, label) for text in texts) for sla_id, texts in given.slas.items()}
    return ExitPolicy(frozenset(codes), slas)


def _code(code: int, label: str) -> int:
    if code not in DECISION_ORDER:
        listed = ", ".join(map(str, sorted(DECISION_ORDER)))
        raise ConfigError(f"{label}: fail_on.codes: {code} is no finding; allowed: {listed} (errors always fail)")
    return code


def _named(name: str, label: str) -> int:
    findings = {EXIT_CODES[code].finding: code for code in DECISION_ORDER}
    if name.strip().upper() not in findings:
        listed = ", ".join(findings)
        raise ConfigError(f"{label}: fail_on.findings: {name!r} is no finding; allowed: {listed} (errors always fail)")
    return findings[name.strip().upper()]


def _as_severe_as(text: str, label: str) -> set[int]:
    try:
        least = Severity.parse(text)
    except TarsError as error:
        raise ConfigError(f"{label}: fail_on.severity: {error}") from error
    # SEV-1 is the worst and sorts first
    severities = {code: EXIT_CODES[code].severity for code in DECISION_ORDER}
    return {code for code, severity in severities.items() if severity is not None and severity.value <= least.value}


def _status(sla_id: str, text: str, label: str) -> SlaStatus:
    known = {status.value: status for status in SLA_CODES}
    if text.strip().upper() not in known:
        raise ConfigError(
            f"{label}: slas.{sla_id}: {text!r}; allowed: {', '.join(known)}, or [] for none (UNKNOWN has no exit code)"
        )
    return known[text.strip().upper()]
