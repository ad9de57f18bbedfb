"""The playbook's containment table: what to do for each kind of root cause."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from tars_lib.schema import ContainmentType


@dataclass(frozen=True, slots=True)
class Containment:
    """A row of the table: the kind of cause in words, the action, how it is undone and what shows that it worked."""

    containment_type: ContainmentType
    cause: str
    action: str
    revert: str
    verify: str


_ROWS = (
    Containment(
        ContainmentType.SINGLE_REPO_DEGRADATION,
        "Single repo degradation",
        "Freeze deployments to that repo",
        "Lift the freeze once the SLA has held for a full window",
        "the repo's own metric is back at its level before the onset",
    ),
    Containment(
        ContainmentType.CASCADING_FAILURE,
        "Cascading failure",
        "Enable circuit breakers",
        "Close the breakers one caller at a time",
        "callers recover while the failing repo is cut off",
    ),
    Containment(
        ContainmentType.INFRASTRUCTURE_ISSUE,
        "Infrastructure issue",
        "Contact infrastructure team",
        "None: the infrastructure team reports the end",
        "all repos that share the infrastructure recover together",
    ),
    Containment(
        ContainmentType.EXTERNAL_DEPENDENCY,
        "External dependency",
        "Activate fallback/cache",
        "Deactivate the fallback once the provider has recovered",
        "callers meet their SLA while the provider still fails",
    ),
)

CONTAINMENT = MappingProxyType({row.containment_type: row for row in _ROWS})
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
    action = CONTAINMENT[containment_type].action
    return action.replace("that repo", repo) if "that repo" in action else f"{action} ({repo})"
