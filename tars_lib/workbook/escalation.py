"""Whom to tell, when, and by which rule of the playbook: where two rules name the same person the more urgent one wins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from tars_lib.org import duration_text
from tars_lib.pipeline import Run
from tars_lib.playbook.severity import ESCALATION_AFTER, SEVERITIES
from tars_lib.schema import Severity
from tars_lib.workbook.state import affected_repos, facing


@dataclass(frozen=True, slots=True)
class Rung:
    """Somebody to tell: `after` so long without progress (0: at once), by this way, because of this rule."""

    who: str
    after: timedelta
    by: str
    rule: str

    @property
    def due(self) -> str:
        """When, in words."""
        return f"after {duration_text(self.after)} without progress" if self.after else "now"


def rungs(run: Run) -> tuple[Rung, ...]:
    """The escalation of a run with a breach, most urgent first; empty without one."""
    if not run.sla.breaches:
        return ()
    severity = severity_of(run)
    matrix = zip(SEVERITIES[severity].escalation, ESCALATION_AFTER, strict=False)
    found = [Rung(who, after, "", f"matrix of {severity.value}") for who, after in matrix]
    found.append(Rung("VP Engineering", timedelta(0), "phone and e-mail", "SLA breach"))
    if facing(run, affected_repos(run)):
        found.append(Rung("Customer Success", timedelta(0), "Slack and e-mail", "customer impact"))
    urgent: dict[str, Rung] = {}
    for rung in found:
        if rung.who not in urgent or rung.after < urgent[rung.who].after:
            urgent[rung.who] = rung
    return tuple(sorted(urgent.values(), key=lambda rung: rung.after))


def severity_of(run: Run) -> Severity:
    """The most severe breach."""
    return min((breach.severity for breach in run.sla.breaches), key=lambda severity: severity.value)
