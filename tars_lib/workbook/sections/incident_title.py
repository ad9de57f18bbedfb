"""The head of a page that is about an incident, or about none."""

from __future__ import annotations

from tars_lib.incidents.views.case import Case
from tars_lib.model.names import Severity
from tars_lib.pipeline import Run
from tars_lib.playbook.facts import Status
from tars_lib.reports.blocks.kinds import Badge, TitleBlock, Tone
from tars_lib.text.counts import plural
from tars_lib.text.times import MINUTES
from tars_lib.workbook.parameters.register import Register

_STATUS: dict[Status, Tone] = {
    Status.OPEN: "critical",
    Status.ACKNOWLEDGED: "warning",
    Status.MITIGATING: "warning",
    Status.RESOLVED: "good",
    Status.CLOSED: "good",
}


def case_badges(case: Case) -> tuple[Badge, ...]:
    """Return the severity, type and state of an incident; once it is over the state comes first, and nothing alarms."""
    incident = case.incident
    status = Badge(incident.status.value.capitalize(), _STATUS[incident.status])
    tone: Tone = "neutral" if case.facts.is_over else "critical" if incident.severity is Severity.SEV_1 else "warning"
    what = (Badge(incident.severity.value, tone), Badge(incident.incident_type, tone))
    return (status, *what) if case.facts.is_over else (*what, status)


def case_head(
    run: Run, case: Case, what: str, headline: str, badges: tuple[Badge, ...], detail: str = ""
) -> TitleBlock:
    """Return the title, badges and facts of a page about an incident; clocks are read at the case's time."""
    incident = case.incident
    began = "" if incident.began_at is None else f"{incident.began_at:{MINUTES}}"
    before = incident.before.run_id if incident.before is not None else ""
    facts = (
        ("Incident", incident.incident_id),
        ("Clocks read at", f"{case.time:{MINUTES}}"),
        ("Impact began", began),
        ("Run", before or run.run_id),
    )
    return TitleBlock(
        title=f"{what}: {incident.incident_id}",
        subtitle=run.health.org.name,
        headline=headline,
        detail=detail,
        badges=badges,
        facts=tuple(fact for fact in facts if fact[1]),
        label=synthetic(run),
    )


def no_case_head(run: Run, register: Register, what: str, headline: str) -> TitleBlock:
    """Return the same where there is no incident to tell of."""
    return TitleBlock(
        title=f"{what}: {run.health.org.name}",
        subtitle=f"{plural(run.sla.summary.total, 'SLA')} over {plural(len(run.org.repos), 'service')}",
        headline=headline,
        badges=(Badge("No incident", "neutral"),),
        facts=(("Register", str(register.root)), ("Read at", f"{register.time:{MINUTES}}"), ("Run", run.run_id)),
        label=synthetic(run),
    )


def synthetic(run: Run) -> str:
    """Return the word at the head of every page where the data are made up."""
    return "Synthetic data" if "(synthetic)" in run.health.org.name else ""
