"""Which tickets follow from an incident or from a run, and which objectives could not be looked at?"""

from __future__ import annotations

from dataclasses import dataclass

from tars_lib.engines.sla.past_windows import past_windows
from tars_lib.incidents.store.record import AffectedRepo
from tars_lib.incidents.views.case import Case
from tars_lib.incidents.views.run_facts import find_run
from tars_lib.pipeline import Run
from tars_lib.playbook.documents.tickets import Ticket, improvement_tickets, slo_tickets, slo_updates, tickets


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Tickets, and sentences about objectives whose past says nothing."""

    tickets: tuple[Ticket, ...]
    notes: tuple[str, ...]


def of_case(case: Case) -> FollowUp:
    """Return tickets of an incident: its action items, its repos of low health, and the objectives of its latest run.

    A run that cannot be read any more is a note.
    """
    own = (*tickets(case.facts), *improvement_tickets(case.facts.repos))
    known = case.incident.after or case.incident.before
    if known is None:
        return FollowUp(own, ())
    run = find_run(known, case.folder)
    if run is None:
        return FollowUp(own, (f"{known.run_id} can no longer be read, so no objective was reviewed",))
    objectives = _objectives(run)
    return FollowUp((*own, *objectives.tickets), objectives.notes)


def of_run(run: Run) -> FollowUp:
    """Return the tickets of a run alone: all its repos of low health, and its objectives."""
    repos = [
        AffectedRepo(repo.repo, repo.name, repo.team, repo.customer_facing, run.health.repository_scores.get(repo.repo))
        for repo in run.org.repos
    ]
    objectives = _objectives(run)
    return FollowUp((*improvement_tickets(repos), *objectives.tickets), objectives.notes)


def _objectives(run: Run) -> FollowUp:
    pasts = past_windows(*run.org.at(run.status.as_of))
    lacking = [(past.sla_id, past.lacking) for past in pasts]
    return FollowUp(
        slo_tickets(slo_updates(pasts)),
        tuple(f"objective of {sla_id} not reviewed: {why}" for sla_id, why in lacking if why is not None),
    )
