"""Which containment actions does the playbook suggest for these facts, who does them, and how are they undone and verified?

Suggestions only: nothing here acts.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime

from tars_lib.model.names import CauseType, ContainmentType, Severity
from tars_lib.playbook.containment import with_repo
from tars_lib.playbook.facts import Facts
from tars_lib.playbook.packaged import packaged
from tars_lib.playbook.tables import ActionRow, Playbook
from tars_lib.playbook.wording import line

# Which operational actions fit a kind of cause, beside the containment table's own: judgement, by the column "When to Use".
_OPERATIONAL = {
    ContainmentType.SINGLE_REPO_DEGRADATION: ("feature-flags",),
    ContainmentType.CASCADING_FAILURE: ("freeze-deployments",),
    ContainmentType.INFRASTRUCTURE_ISSUE: ("redirect-traffic",),
    ContainmentType.EXTERNAL_DEPENDENCY: (),
}
# The operational action that says how a row of the containment table is done; the other two rows say it themselves.
_HOW = {
    ContainmentType.SINGLE_REPO_DEGRADATION: "freeze-deployments",
    ContainmentType.CASCADING_FAILURE: "circuit-breakers",
}


@dataclass(frozen=True, slots=True)
class SuggestedAction:
    """An action with all that is needed to do, undo and judge it.

    Attributes
    ----------
    action_id : str
        Stable within the incident.
    kind : str
        CONTAINMENT, OPERATIONAL or MONITORING.
    reason : str
        Row and cause that suggest it.
    owner : str
        The repo's team where it is known, else the role of the playbook's row.
    start : datetime
        When to begin: at once.
    query : str
        Command that shows whether it worked; the repo is quoted for a POSIX shell. Empty where no command can.
    """

    action_id: str
    kind: str
    action: str
    how: str
    reason: str
    repo: str | None
    owner: str
    start: datetime
    revert: str
    verify: str
    query: str


def suggest(facts: Facts, now: datetime, playbook: Playbook | None = None) -> tuple[SuggestedAction, ...]:
    """Actions for the causes that were found, best cause first, then what holds for the incident as a whole.

    Without a cause only monitoring is suggested: an action without a reason does harm.
    """
    playbook = playbook or packaged()
    read_only = [row for row in playbook.operational if row.action_id == "read-only" and facts.data_loss_risk]
    actions = [
        *_for_causes(facts, now, playbook),
        *(_operational(row, "Data loss risk", None, "On-call engineer", now, "") for row in read_only),
        *_watch(facts, now, playbook),
    ]
    unique: dict[str, SuggestedAction] = {}
    for action in actions:
        unique.setdefault(action.action_id, action)
    return tuple(unique.values())


def _for_causes(facts: Facts, now: datetime, playbook: Playbook) -> list[SuggestedAction]:
    rows = {row.containment_type: row for row in playbook.containment}
    operational = {row.action_id: row for row in playbook.operational}
    teams = {repo.repo: repo.team for repo in facts.repos}
    actions = []
    for cause in facts.causes:
        if cause.containment_type is None or cause.repo is None:
            continue
        row = rows[cause.containment_type]
        query = row.query.replace("{repo}", shlex.quote(line(cause.repo)))
        owner = line(teams.get(cause.repo) or "") or row.owner
        reason = f"{row.cause}: {line(cause.cause)}"
        actions.append(
            SuggestedAction(
                f"{cause.containment_type.value}:{cause.repo}",
                "CONTAINMENT",
                with_repo(row.action, line(cause.repo)),
                operational[how].how if (how := _HOW.get(cause.containment_type)) in operational else row.action,
                reason,
                cause.repo,
                # who is called is not who owns the failing repo
                owner if cause.containment_type is ContainmentType.SINGLE_REPO_DEGRADATION else row.owner,
                now,
                row.revert,
                row.verify,
                query,
            )
        )
        ids = _OPERATIONAL[cause.containment_type]
        if cause.cause_type is CauseType.PROPAGATION_PATH:
            ids = ("freeze-deployments", *ids)
        if cause.metric is not None and cause.metric.startswith("latency"):
            ids = (*ids, "scale")
        actions += [
            # whether nothing was deployed is seen in events.csv; no score answers it
            _operational(operational[key], reason, cause.repo, owner, now, "" if key == "freeze-deployments" else query)
            for key in ids
            if key in operational
        ]
    return actions


def _watch(facts: Facts, now: datetime, playbook: Playbook) -> list[SuggestedAction]:
    wanted = {"check-frequency", "verbose-logging"} if facts.severity is not Severity.SEV_4 else {"custom-alerts"}
    if any(cause.metric is not None and cause.metric.startswith("latency") for cause in facts.causes):
        wanted.add("tracing")
    return [
        SuggestedAction(
            row.action_id,
            "MONITORING",
            row.action,
            row.how,
            row.when,
            None,
            "On-call engineer",
            now,
            row.revert or "Back to normal once the incident is resolved",
            row.verify or "the next run has newer data",
            "",
        )
        for row in playbook.monitoring
        if row.action_id in wanted
    ]


def _operational(
    row: ActionRow, reason: str, repo: str | None, owner: str, now: datetime, query: str
) -> SuggestedAction:
    return SuggestedAction(
        row.action_id if repo is None else f"{row.action_id}:{repo}",
        "OPERATIONAL",
        row.action if repo is None else with_repo(row.action, line(repo)),
        row.how,
        f"{row.when} ({reason})",
        repo,
        owner,
        now,
        row.revert,
        row.verify,
        query,
    )
