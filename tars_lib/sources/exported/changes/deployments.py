"""Common ground of deployments of every git host: which are wanted, and what an event says of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tars_lib.errors import InputError
from tars_lib.model.names import Event
from tars_lib.sources.exported.shapes import Choices
from tars_lib.text.counts import plural

_LIVE = ("production", "prod", "live", "prd")
"""Environments that users meet, by name; judgement. Others are left out where one of these is there, and a note counts them."""
_UNDER_WAY = {"created", "pending", "queued", "waiting", "in_progress", "running", "blocked", "manual"}
_FAILED = {"failure", "failed", "error", "canceled", "cancelled", "abort", "aborted", "inactive_failure"}


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment as a host tells it; empty where it does not."""

    at: datetime
    repo: str
    environment: str
    state: str
    what: str
    ref: str
    is_live: bool | None = None


def deploy_events(
    deployments: Sequence[Deployment], label: str, choices: Choices
) -> tuple[tuple[Event, ...], tuple[str, ...]]:
    """Return the events of the deployments that reached an environment that is wanted, and notes of those left out.

    Parameters
    ----------
    choices : Choices
        `environments` of a map file decides; else those that are live by their host or by name; else the only one.

    Raises
    ------
    InputError
        If a deployment has no repo, or it cannot be told which of several environments is the live one.
    """
    homeless = [deployment for deployment in deployments if not deployment.repo]
    if homeless:
        raise InputError(
            f"{label}: {plural(len(homeless), 'deployment')} of a service that is not named; add --repo NAME"
        )
    wanted = _wanted(deployments, label, choices)
    begun = [deployment for deployment in deployments if deployment.environment in wanted]
    done = [deployment for deployment in begun if deployment.state.lower() not in _UNDER_WAY]
    notes = []
    elsewhere = Counter(deployment.environment for deployment in deployments if deployment.environment not in wanted)
    if elsewhere:
        shown = ", ".join(f"{name or 'no environment'} {number}" for name, number in elsewhere.most_common(5))
        kept = ", ".join(sorted(wanted))
        notes.append(
            f"{label}: deployments to {kept} are read, others left out: {shown}. A map file with environments: [...] "
            "chooses others"
        )
    if len(done) < len(begun):
        notes.append(f"{label}: left out: {plural(len(begun) - len(done), 'deployment')} not finished")
    events = tuple(
        Event(deployment.at, choices.repo_of(deployment.repo), "deploy", _title(deployment), deployment.ref or None)
        for deployment in sorted(done, key=lambda deployment: (deployment.at, deployment.repo, deployment.ref))
    )
    return events, tuple(notes)


def _wanted(deployments: Sequence[Deployment], label: str, choices: Choices) -> set[str]:
    there = {deployment.environment for deployment in deployments}
    if choices.environments:
        wanted = set(choices.environments) & there
        if not wanted:
            raise InputError(
                f"{label}: no deployment to {', '.join(choices.environments)}; found: {', '.join(sorted(there)) or 'none'}"
            )
        return wanted
    live_by_host = {deployment.environment for deployment in deployments if deployment.is_live}
    live_by_name = {name for name in there if name.lower() in _LIVE}
    wanted = live_by_host or live_by_name or (there if len(there) <= 1 else set())
    if not wanted and there:
        raise InputError(
            f"{label}: deployments to {', '.join(sorted(there))[:200]}: which are live? --map FILE with "
            "environments: [NAME, ...] says it"
        )
    return wanted


def _title(deployment: Deployment) -> str:
    where = f" to {deployment.environment}" if deployment.environment else ""
    failed = f", {deployment.state.lower()}" if deployment.state.lower() in _FAILED else ""
    return f"Deploy {deployment.what}{where}{failed}" if deployment.what else f"Deploy{where}{failed}"
