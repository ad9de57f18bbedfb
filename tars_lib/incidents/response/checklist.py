"""The checklist of an incident: what the playbook suggests for its causes, as actions that nobody has begun."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tars_lib.incidents.store.record import (
    Action,
    ActionKind,
    ActionState,
    AffectedRepo,
    Cause,
    Condition,
    IncidentStatus,
)
from tars_lib.model.names import ContainmentType, Severity
from tars_lib.playbook.actions import SuggestedAction, suggest
from tars_lib.playbook.facts import Facts
from tars_lib.playbook.tables import Playbook
from tars_lib.playbook.wording import line

if TYPE_CHECKING:
    from tars_lib.engines.queries.response_plan import ResponsePlan

# the functions of the playbook want a time to begin at; the record says when somebody did
_AT_ONCE = datetime.fromtimestamp(0, UTC)


def suggested(
    causes: Sequence[Cause],
    severity: Severity,
    affected: Sequence[AffectedRepo],
    conditions: Sequence[Condition],
    playbook: Playbook,
) -> tuple[Action, ...]:
    """Return actions for the first cause of each breach, the roll-back of a change named in it, and what watches the harm.

    A finding that explains nothing (confidence 0) is no reason to act.
    """
    first: dict[str | None, Cause] = {}
    for cause in causes:
        first.setdefault(cause.sla_id, cause)
    reasons = [cause for cause in first.values() if cause.confidence != 0]
    case = Facts(
        incident_id="",
        title="",
        severity=severity,
        incident_type="",
        status=IncidentStatus.OPEN,
        opened_at=_AT_ONCE,
        repos=tuple(affected),
        causes=tuple(reasons),
        data_loss_risk=True if Condition.DATA_LOSS_RISK in conditions else None,
    )
    teams = {repo.repo: repo.team for repo in affected}
    actions: list[Action] = []
    for row in suggest(case, _AT_ONCE, playbook):
        action = _action(row, reasons)
        if action.kind is ActionKind.CONTAINMENT:
            # what changed is undone first; the playbook's containment follows
            actions += [
                _roll_back(action, cause, teams.get(cause.repo), playbook)
                for cause in reasons
                if cause.change is not None and cause.repo is not None and cause.repo == row.repo
            ]
        actions.append(action)
    return joined((), actions)


def joined(actions: Sequence[Action], more: Sequence[Action]) -> tuple[Action, ...]:
    """Return the checklist with further suggestions; ids go on, and a text that is there already is not repeated."""
    there = {action.text for action in actions}
    fresh: dict[str, Action] = {}
    for action in more:
        if action.text not in there:
            fresh.setdefault(action.text, action)
    return (
        *actions,
        *(replace(action, action_id=f"A{n}") for n, action in enumerate(fresh.values(), len(actions) + 1)),
    )


def planned(plan: ResponsePlan | None) -> tuple[Action, ...]:
    """Return the actions of a response plan, in its order; the first one has its owner and its check."""
    if plan is None:
        return ()
    rows = [Action("", text, ActionState.SUGGESTED, kind=ActionKind.CONTAINMENT) for text in (plan.first, *plan.then)]
    rows[0] = replace(rows[0], verify=plan.verify or None, suggested_owner=plan.owner)
    return joined((), rows)


def _roll_back(beside: Action, cause: Cause, team: str | None, playbook: Playbook) -> Action:
    """Return the roll-back of a change: the repo's own team does it, and it worked if the repo itself is well again."""
    own = next(row for row in playbook.containment if row.containment_type is ContainmentType.SINGLE_REPO_DEGRADATION)
    return replace(
        beside,
        text=f"Roll back {cause.change} of {cause.repo}",
        revert="Deploy it again",
        how=None,
        suggested_owner=team or own.owner,
        verify=own.verify,
        query=own.query.replace("{repo}", shlex.quote(line(cause.repo or ""))),
    )


def _action(row: SuggestedAction, causes: Sequence[Cause]) -> Action:
    kind = ActionKind.parse(row.kind)
    types = [cause.containment_type for cause in causes if cause.repo == row.repo]
    return Action(
        action_id="",
        text=row.action,
        state=ActionState.SUGGESTED,
        containment_type=types[0] if types and kind is ActionKind.CONTAINMENT else None,
        revert=row.revert or None,
        verify=row.verify or None,
        kind=kind,
        how=row.how or None,
        reason=row.reason or None,
        query=row.query or None,
        suggested_owner=row.owner or None,
    )
