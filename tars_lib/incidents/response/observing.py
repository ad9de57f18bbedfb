"""Adding a run to an incident: the first one is *before*, each later one is *after* and says whether containment worked."""

from __future__ import annotations

from tars_lib.incidents.response.acts import Writer
from tars_lib.incidents.response.checklist import joined, suggested
from tars_lib.incidents.response.opening import MANUAL_TYPE, minutes_of
from tars_lib.incidents.store.journal import Written
from tars_lib.incidents.store.record import Condition, CustomerImpact, EffectVerdict, Incident
from tars_lib.incidents.store.timeline import Draft, EntryKind
from tars_lib.incidents.views.run_facts import RunFacts, effect_of, facts_of, find_run, reference
from tars_lib.pipeline import Run
from tars_lib.playbook.decision_tree import classify
from tars_lib.playbook.tables import Playbook

_CONTAINED = (EffectVerdict.RECOVERED, EffectVerdict.ENDED)
_FOUND = (Condition.SLA_BREACH,)
_PROGRESS = (*_CONTAINED, EffectVerdict.IMPROVED)


def record_run(writer: Writer, run: Run, beside: str = "") -> Written:
    """Add a run.

    An incident opened by hand gets its facts, its type and its time to contain from its first run; title and severity stay as
    the person set them. A run whose effect is RECOVERED or ENDED stops the contain clock; one that shows no improvement is no
    progress, so it does not hold off an escalation. Repos, customers and
    SLAs that are hit only now join the record. `beside` is said with it.
    """
    known = reference(run, writer.folder)

    def draft(incident: Incident) -> Draft:
        if incident.before is None:
            facts = facts_of(run)
            first = facts.changes() | {
                "before": known,
                "causes": (*incident.causes, *facts.causes),
                "conditions": tuple(dict.fromkeys([*incident.conditions, *facts.conditions])),
                "actions": joined(
                    incident.actions,
                    suggested(facts.causes, incident.severity, facts.affected, facts.conditions, writer.playbook),
                ),
                "exit_codes": tuple(step.exit_code for step in run.status.steps),
                "progress_at": writer.time,
                **_type_from(incident, run, writer.playbook),
            }
            return Draft(EntryKind.RUN, f"{run.run_id} recorded as before: {run.sla.risk_narrative.headline}", first)
        effect = effect_of(incident, find_run(incident.before, writer.folder), run)
        spread, names = _spread(incident, facts_of(run))
        changes: dict[str, object] = {"after": known, "effect": effect, **spread}
        if effect.verdict in _PROGRESS:
            changes["progress_at"] = writer.time
        if effect.verdict in _CONTAINED and incident.contained_at is None:
            changes["contained_at"] = writer.time
        sentence = f"{run.run_id} recorded as after: {effect.verdict.value}: {effect.text}"
        if names:
            sentence = f"{sentence}; newly hit: {', '.join(names)}"
        return Draft(EntryKind.RUN, f"{sentence}; {beside}" if beside else sentence, changes)

    return writer.act("record", draft)


def _spread(incident: Incident, facts: RunFacts) -> tuple[dict[str, object], list[str]]:
    """Return fields that grow because the harm did, and the repos and SLAs that are new. Nothing is taken away: it was hit."""
    repos = [repo for repo in facts.affected_repos if repo not in incident.affected_repos]
    known = {breach.sla_id for breach in incident.breached_slas}
    slas = [breach for breach in facts.breached_slas if breach.sla_id not in known]
    if not facts.breached_slas or not (repos or slas):
        return {}, []
    customers = [repo for repo in facts.customer_repos if repo not in incident.customer_repos]
    changes: dict[str, object] = {
        "affected_repos": (*incident.affected_repos, *repos),
        "affected": (*incident.affected, *(item for item in facts.affected if item.repo in repos)),
        "breached_slas": (*incident.breached_slas, *slas),
        "customer_repos": (*incident.customer_repos, *customers),
        "conditions": tuple(
            dict.fromkeys([*incident.conditions, *(item for item in facts.conditions if item in _FOUND or customers)])
        ),
    }
    if customers:
        changes["customer_impact"] = CustomerImpact.YES
        changes["denied_conditions"] = tuple(
            item for item in incident.denied_conditions if item is not Condition.CUSTOMER_IMPACT
        )
    return changes, [*repos, *(breach.sla_id for breach in slas)]


def _type_from(incident: Incident, run: Run, playbook: Playbook) -> dict[str, object]:
    """Type, path and time to contain of an incident that a person opened without them."""
    classification = classify([step.exit_code for step in run.status.steps], are_ours=True, playbook=playbook)
    if incident.incident_type != MANUAL_TYPE or classification.severity is None:
        return {}
    return {
        "incident_type": classification.incident_type,
        "response_path": classification.path,
        "contain_within_minutes": minutes_of(classification.contain_within),
    }
