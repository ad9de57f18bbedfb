"""Adding a run to an incident: the first one is *before*, each later one is *after* and says whether containment worked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tars_lib.errors import TarsError
from tars_lib.incidents.acts import Writer
from tars_lib.incidents.journal import Written
from tars_lib.incidents.opening import MANUAL_TYPE, minutes_of
from tars_lib.incidents.record import Action, ActionState, EffectVerdict, Incident, RunReference
from tars_lib.incidents.runs import effect_of, facts_of, reference
from tars_lib.incidents.timeline import Draft, EntryKind
from tars_lib.pipeline import Run, load_run
from tars_lib.playbook.decision_tree import classify

_CONTAINED = (EffectVerdict.RECOVERED, EffectVerdict.ENDED)


def record_run(writer: Writer, run: Run) -> Written:
    """Add a run.

    An incident opened by hand gets its facts, its type and its time to contain from its first run; title and severity stay as
    the person set them. A run whose effect is RECOVERED or ENDED stops the contain clock.
    """
    known = reference(run, writer.folder)

    def draft(incident: Incident) -> Draft:
        if incident.before is None:
            facts = facts_of(run)
            changes = facts.changes() | {
                "before": known,
                "causes": (*incident.causes, *facts.causes),
                "conditions": tuple(dict.fromkeys([*incident.conditions, *facts.conditions])),
                "actions": _joined(incident.actions, facts.actions),
                "exit_codes": tuple(step.exit_code for step in run.status.steps),
                "progress_at": writer.time,
                **_type_from(incident, run),
            }
            return Draft(EntryKind.RUN, f"{run.run_id} recorded as before: {run.sla.risk_narrative.headline}", changes)
        effect = effect_of(incident, find_run(incident.before, writer.folder), run)
        changes = {"after": known, "effect": effect, "progress_at": writer.time}
        if effect.verdict in _CONTAINED and incident.contained_at is None:
            changes["contained_at"] = writer.time
        return Draft(EntryKind.RUN, f"{run.run_id} recorded as after: {effect.verdict.value}: {effect.text}", changes)

    return writer.act("record", draft)


def find_run(known: RunReference, folder: Path) -> Run | None:
    """The run that a record refers to; None if it is gone or not what it was."""
    place = folder / known.path
    try:
        run = load_run(place)
    except (TarsError, OSError):
        return None
    return run if reference(run, folder).manifest_sha256 == known.manifest_sha256 else None


def _type_from(incident: Incident, run: Run) -> dict[str, object]:
    """Type, path and time to contain of an incident that a person opened without them."""
    found = classify([step.exit_code for step in run.status.steps], are_ours=True)
    if incident.incident_type != MANUAL_TYPE or found.severity is None:
        return {}
    return {
        "incident_type": found.incident_type,
        "response_path": found.path,
        "contain_within_minutes": minutes_of(found.contain_within),
    }


def _joined(actions: tuple[Action, ...], more: tuple[Action, ...]) -> tuple[Action, ...]:
    """The checklist with further suggestions; ids go on, and a text that is there already is not repeated."""
    there = {action.text for action in actions}
    fresh = [action for action in more if action.text not in there]
    return (
        *actions,
        *(
            replace(action, action_id=f"A{n}", state=ActionState.SUGGESTED)
            for n, action in enumerate(fresh, len(actions) + 1)
        ),
    )
