"""The playbook's containment table: what to do for each kind of root cause."""

from __future__ import annotations

from types import MappingProxyType

from tars_lib.playbook.packaged import PACKAGED
from tars_lib.playbook.tables import Containment
from tars_lib.schema import ContainmentType

__all__ = ["CONTAINMENT", "Containment", "action_for", "with_repo"]

CONTAINMENT = MappingProxyType({row.containment_type: row for row in PACKAGED.containment})
"""The four rows, by type."""


def action_for(containment_type: ContainmentType, repo: str) -> str:
    """The row's action with the repo that it concerns.

    Examples
    --------
    >>> action_for(ContainmentType.SINGLE_REPO_DEGRADATION, "api")
    'Freeze deployments to api'
    >>> action_for(ContainmentType.CASCADING_FAILURE, "api")
    'Enable circuit breakers (api)'
    """
    return with_repo(CONTAINMENT[containment_type].action, repo)


def with_repo(action: str, repo: str) -> str:
    """An action with the repo that it concerns, in the place that the sentence has for it."""
    return action.replace("that repo", repo) if "that repo" in action else f"{action} ({repo})"
