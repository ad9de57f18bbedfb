"""Alerts about people: a rung of an incident's escalation whose time has passed without a word to it.

The only alerts that no sample raises. They come from the register of incidents, where a caller asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tars_lib.engines.alerts.raised import Raised
from tars_lib.engines.alerts.report import Alert, OverdueRung
from tars_lib.model.names import AlertImpact, Repo
from tars_lib.playbook.escalation import Timeout
from tars_lib.playbook.wording import length_text

_SOURCE = "incident:"


def overdue_rungs(rungs: Iterable[Timeout], repos: Iterable[Repo]) -> Iterator[Raised]:
    """Yield an ESCALATION_TIMEOUT for each overdue rung; severity is that of the incident.

    `root` is null: the alert stands for an incident, so it is never taken for a cause of a breach, nor joined to a storm.
    """
    known = {repo.repo for repo in repos}
    for rung in rungs:
        yield Raised(
            type=rung.type,
            source=f"{_SOURCE}{rung.incident_id}",
            severity=rung.severity,
            title=rung.title,
            message=f"{rung.message}; late by {length_text(rung.last_seen - rung.first_seen)}.",
            repos=tuple(repo for repo in rung.repos if repo in known),
            root=None,
            first_seen=rung.first_seen,
            last_seen=rung.last_seen,
            why=f"severity of {rung.incident_id}, overdue",
            concern=AlertImpact.CUSTOMER_FACING if rung.customer_impact else AlertImpact.OTHER,
            key=rung.contact,
            escalation=OverdueRung(rung.incident_id, rung.contact, rung.first_seen, rung.rule),
        )


def is_about_people(alert: Alert) -> bool:
    """Return whether an alert comes from the register of incidents and not from the data."""
    return alert.escalation is not None
