"""Whom to tell of a run with a breach, when, and by which rule: the playbook's escalation, counted from the run's own time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from tars_lib.model.names import Severity
from tars_lib.model.organisation import duration_text
from tars_lib.pipeline import Run
from tars_lib.playbook.escalation import escalate
from tars_lib.playbook.facts import BreachedSla, Facts, Status
from tars_lib.workbook.sections.run_facts import affected_repos, facing


@dataclass(frozen=True, slots=True)
class ShownRung:
    """Somebody to tell: `after` so long without progress (0: at once), by this way, because of this rule."""

    who: str
    after: timedelta
    by: str
    rule: str

    @property
    def due(self) -> str:
        """When, in words."""
        return f"after {duration_text(self.after)} without progress" if self.after else "now"


def rungs(run: Run) -> tuple[ShownRung, ...]:
    """The escalation of a run with a breach, most urgent first; empty without one."""
    if not run.sla.breaches:
        return ()
    opened = run.sla.as_of
    facts = Facts(
        incident_id=run.run_id,
        title=run.sla.risk_narrative.headline,
        severity=severity_of(run),
        incident_type=run.status.incident_type or "",
        status=Status.OPEN,
        opened_at=opened,
        slas=tuple(BreachedSla(breach.sla_id, breach.sla_id) for breach in run.sla.breaches),
        customer_impact=bool(facing(run, affected_repos(run))),
    )
    found = escalate(facts, opened)
    return tuple(
        ShownRung(rung.contact, rung.due_at - opened, " and ".join(rung.methods), rung.rule)
        for rung in (*found.due, *found.upcoming)
    )


def severity_of(run: Run) -> Severity:
    """The most severe breach."""
    return min((breach.severity for breach in run.sla.breaches), key=lambda severity: severity.value)
