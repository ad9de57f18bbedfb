"""The playbook's containment table: what to do for each kind of root cause."""

from __future__ import annotations

from tars_lib.model.names import ContainmentType
from tars_lib.playbook.packaged import packaged
from tars_lib.playbook.tables import Containment


def containment_row(containment_type: ContainmentType) -> Containment:
    """Return the row of one type."""
    return next(row for row in packaged().containment if row.containment_type is containment_type)


def action_for(containment_type: ContainmentType, repo: str) -> str:
    """Return the row's action with the repo that it concerns.

    Examples
    --------
    >>> action_for(ContainmentType.SINGLE_REPO_DEGRADATION, "api")
    'Freeze deployments to api'
    >>> action_for(ContainmentType.CASCADING_FAILURE, "api")
    'Enable circuit breakers (api)'
    """
    return with_repo(containment_row(containment_type).action, repo)


def with_repo(action: str, repo: str) -> str:
    """Return an action with the repo that it concerns, in the place that the sentence has for it."""
    return action.replace("that repo", repo) if "that repo" in action else f"{action} ({repo})"
