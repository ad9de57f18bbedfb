"""Which findings fail a build? The code that a command returns to a build server, given what was found.

A policy changes the code that is returned and nothing else: `status.json` and every report keep the finding. Errors are no
findings, so that no policy can let input pass that could not be read, or of which nothing could be judged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from tars_lib.errors import ConfigError
from tars_lib.findings.exit_codes import DECISION_ORDER, EXIT_CODES, NOTHING_JUDGED, highest
from tars_lib.model.names import SlaStatus

SLA_CODES = MappingProxyType({SlaStatus.BREACHED: 142, SlaStatus.AT_RISK: 141})
"""Code that a verdict on an SLA stands for; COMPLIANT and UNKNOWN have none."""


@dataclass(frozen=True, slots=True)
class ExitPolicy:
    """Policy of what fails a build.

    Attributes
    ----------
    codes : frozenset of int
        Findings that fail a build.
    slas : mapping of str to frozenset of SlaStatus
        Verdicts that fail a build, of SLAs for which `codes` does not decide.
    passes_unjudged : bool
        Whether a build passes where nothing could be judged. As errors do, that fails one under every policy of a file.
    """

    codes: frozenset[int]
    slas: Mapping[str, frozenset[SlaStatus]] = field(default_factory=lambda: MappingProxyType({}))
    passes_unjudged: bool = False

    def fails_for(self, sla_id: str, status: SlaStatus) -> bool:
        """Return whether this verdict on this SLA fails a build."""
        code = SLA_CODES.get(status)
        if code is None:
            return False
        own = self.slas.get(sla_id)
        return code in self.codes if own is None else status in own


_ORDER = (*DECISION_ORDER, NOTHING_JUDGED)
EVERY_FINDING = ExitPolicy(frozenset(DECISION_ORDER))
"""What is in force where nobody asks for anything else: every finding is returned."""
NO_FINDING = ExitPolicy(frozenset(), passes_unjudged=True)
"""What `--exit-zero` asks for."""


@dataclass(frozen=True, slots=True)
class BuildDecision:
    """Decision of a policy on the findings.

    Attributes
    ----------
    code : int
        Of what fails the build, the code that stands highest in the playbook's decision tree; 0: it passes.
    failing_codes : tuple of int
        In the order of the tree.
    failing_slas : tuple of str
        SLA ids, sorted.
    passed : tuple of str
        What was found and does not fail the build.
    """

    code: int
    failing_codes: tuple[int, ...]
    failing_slas: tuple[str, ...]
    passed: tuple[str, ...]


def decide(policy: ExitPolicy, codes: Iterable[int], slas: Mapping[str, SlaStatus] | None = None) -> BuildDecision:
    """Code to return for what was found.

    Parameters
    ----------
    policy : ExitPolicy
    codes : iterable of int
        Exit codes of the engines; 0 is no finding.
    slas : mapping of str to SlaStatus, optional
        Verdicts by SLA id. With them 141 and 142 among `codes` are judged SLA by SLA; without them as codes.

    Returns
    -------
    Decision

    Examples
    --------
    >>> policy = ExitPolicy(frozenset({142, 92}), {"old-api": frozenset()})
    >>> decide(policy, (142, 121), {"old-api": SlaStatus.BREACHED}).code
    0
    >>> decide(policy, (96,)).code, decide(NO_FINDING, (96,)).code
    (96, 0)
    >>> decide(policy, (142, 92), {"old-api": SlaStatus.BREACHED}).code
    92
    """
    verdicts = slas or {}
    by_sla = set(SLA_CODES.values()) if slas is not None else set()
    raised = {code for code in codes if code != 0 and code not in by_sla}
    # no list of findings lets pass what nobody could judge; --exit-zero does
    always = set() if policy.passes_unjudged else {NOTHING_JUDGED}
    failing = raised & (policy.codes | always)
    hit = sorted(sla_id for sla_id, status in verdicts.items() if policy.fails_for(sla_id, status))
    failing |= {SLA_CODES[verdicts[sla_id]] for sla_id in hit}
    left = [f"{EXIT_CODES[code].finding} ({code})" for code in _ORDER if code in raised - failing]
    spared = [
        f"{sla_id} {status.value}"
        for sla_id, status in sorted(verdicts.items())
        if status in SLA_CODES and sla_id not in hit
    ]
    return BuildDecision(
        code=highest(tuple(failing)),
        failing_codes=tuple(code for code in _ORDER if code in failing),
        failing_slas=tuple(hit),
        passed=(*spared, *left),
    )


def check_names(policy: ExitPolicy, known: Collection[str], label: str) -> None:
    """Refuse a policy that names an SLA which is not there: a misspelt name would guard nothing.

    Raises
    ------
    ConfigError
        If there is one.
    """
    for sla_id in policy.slas:
        if sla_id not in known:
            allowed = ", ".join(sorted(known)) or "none, no SLA is defined"
            raise ConfigError(f"{label}: slas.{sla_id}: no such SLA; allowed: {allowed}")
