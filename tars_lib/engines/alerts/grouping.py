"""One alert for one cause: compresses the alerts of many repos that have a cause, or an onset, in common.

First by cause: an SLA report says which repo explains a breach; what degrades in that repo and in its callers from then
on is one trouble. Then by onset: the same alert in three repos or more within two samples is one storm, whatever its
cause.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tars_lib.engines.alerts.raised import NEVER, SEVERITY_ORDER, Raised
from tars_lib.engines.sla.report import Breach, SlaReport
from tars_lib.model.history import DAY
from tars_lib.model.names import AlertType
from tars_lib.model.organisation import OrgData, duration_text
from tars_lib.playbook.packaged import packaged
from tars_lib.text.counts import some_of
from tars_lib.text.times import MINUTES

MIN_CONFIDENCE = 0.5
"""Confidence from which a root cause stands for the alerts of its callers; judgement: more likely right than wrong."""
MIN_STORM = 3
"""Repos from which the same onset makes a storm; judgement: two may meet by chance."""
ONSET_SAMPLES = 2
"""Sampling intervals within which onsets are the same; the median of three samples delays a score by one or two."""
MAX_NAMED = 10
_EXPLAINABLE = (AlertType.HEALTH_DEGRADATION, AlertType.TREND_ANOMALY)


@dataclass(frozen=True, slots=True)
class _Cause:
    """A repo that explains breaches, since when, and the repos whose trouble it can explain."""

    repo: str
    confidence: float
    sla_name: str
    since: datetime
    reach: frozenset[str]


def compress(raised: Iterable[Raised], org: OrgData, sla: SlaReport) -> list[Raised]:
    """Return the alerts with storms compressed; each alert is in the result once, alone or as a member."""
    callers: dict[str, set[str]] = {}
    for edge in org.dependencies:
        callers.setdefault(edge.callee, set()).add(edge.caller)
    causes = _causes(sla, callers)
    steps = {metric: step for metric in org.history.metrics if (step := org.history.interval(metric)) is not None}
    by_cause: dict[tuple[str, ...], list[Raised]] = {}
    rest: list[Raised] = []
    for alert in raised:
        cause = _cause_of(alert, causes, steps)
        if cause is None:
            rest.append(alert)
        else:
            by_cause.setdefault((*_kind(alert), cause.repo), []).append(alert)
    named = {cause.repo: cause for cause in reversed(causes)}
    compressed: list[Raised] = []
    for (*_, repo), members in by_cause.items():
        if len(members) < 2:
            rest += members
            continue
        cause = named[repo]
        reason = f"one cause: {repo} ({cause.confidence:.0%} confidence in the breach of {cause.sla_name})"
        compressed.append(_join(members, repo, f"one cause: {repo}", reason))
    return compressed + _by_onset(rest, callers, steps)


def _causes(sla: SlaReport, callers: dict[str, set[str]]) -> list[_Cause]:
    """Surest first."""
    causes = []
    for breach in sla.breaches:
        for root in breach.root_causes:
            if root.confidence >= MIN_CONFIDENCE and breach.started_at is not None:
                reach = _reach(root.repo, breach, callers)
                causes.append(_Cause(root.repo, root.confidence, breach.sla_name, breach.started_at, reach))
    return sorted(causes, key=lambda cause: (-cause.confidence, cause.repo, cause.since))


def _reach(repo: str, breach: Breach, callers: dict[str, set[str]]) -> frozenset[str]:
    """Return the cause and all that call it, directly or not; without a call graph the repos of the breach."""
    if not callers:
        return frozenset({repo, breach.target, *breach.repos})
    reached, pending = {repo}, [repo]
    while pending:
        further = callers.get(pending.pop(), set()) - reached
        reached |= further
        pending += sorted(further)
    return frozenset(reached)


def _cause_of(alert: Raised, causes: Sequence[_Cause], steps: Mapping[str, int]) -> _Cause | None:
    if alert.type not in _EXPLAINABLE or alert.source == "artefact" or alert.root is None or alert.first_seen is None:
        return None
    earliest = alert.first_seen + _slack(alert, steps)
    for cause in causes:
        if alert.root in cause.reach and earliest >= cause.since:
            return cause
    return None


def _by_onset(raised: Iterable[Raised], callers: dict[str, set[str]], steps: Mapping[str, int]) -> list[Raised]:
    kinds: dict[tuple[str, ...], list[Raised]] = {}
    compressed: list[Raised] = []
    for alert in raised:
        if alert.root is None or alert.first_seen is None:
            compressed.append(alert)
        else:
            kinds.setdefault(_kind(alert), []).append(alert)
    for alerts in kinds.values():
        pending = sorted(alerts, key=lambda a: (a.first_seen or NEVER, a.root or ""))
        while pending:
            # from the first onset on, not from one to the next: a chain of onsets is no common one
            first = pending[0].first_seen or NEVER
            limit = first + _slack(pending[0], steps)
            storm = [alert for alert in pending if (alert.first_seen or NEVER) <= limit]
            pending = pending[len(storm) :]
            if len(storm) < MIN_STORM:
                compressed += storm
                continue
            when = f"{first:{MINUTES}}"
            compressed.append(
                _join(
                    storm,
                    _stem(storm, callers),
                    "at the same time",
                    f"all within {duration_text(_slack(storm[0], steps))} of {when}",
                )
            )
    return compressed


def _kind(alert: Raised) -> tuple[str, ...]:
    return alert.type.value, alert.source, alert.metric or "", alert.key


def _slack(alert: Raised, steps: Mapping[str, int]) -> timedelta:
    """Return how far apart onsets may be and still be one; `steps` are the metrics' sampling intervals in microseconds."""
    if alert.source == "artefact":
        return packaged().escalation_after[-1]
    step = steps.get(alert.metric or "") or max(steps.values(), default=DAY)
    return timedelta(microseconds=ONSET_SAMPLES * step)


def _stem(storm: Sequence[Raised], callers: dict[str, set[str]]) -> str:
    """Return the repo that stands for a storm, the same in later runs: of those hit first, the one that most others call."""
    first = storm[0].first_seen
    names = {alert.root for alert in storm}
    earliest = [alert.root or "" for alert in storm if alert.first_seen == first]
    return min(earliest, key=lambda repo: (-len(callers.get(repo, set()) & names), repo))


def _join(members: Sequence[Raised], root: str, short: str, reason: str) -> Raised:
    def urgency(alert: Raised) -> tuple[int, bool, datetime, str]:
        return SEVERITY_ORDER.index(alert.severity), alert.root != root, alert.first_seen or NEVER, alert.root or ""

    ordered = sorted(members, key=urgency)
    worst = ordered[0]
    repos = tuple(sorted({repo for alert in members for repo in alert.repos}))
    named = some_of(repos, MAX_NAMED)
    what = worst.title if worst.source == "artefact" else f"{len(repos)} services: {_what(worst)}, {short}"
    first = [alert.first_seen for alert in members if alert.first_seen is not None]
    last = [alert.last_seen for alert in members if alert.last_seen is not None]
    return replace(
        worst,
        title=what,
        message=f"{len(members)} alerts combined, {reason}: {named}. Worst: {worst.message}",
        repos=repos,
        root=root,
        first_seen=min(first, default=None),
        last_seen=max(last, default=None),
        why=f"the worst of {len(members)}: {worst.why}",
        members=tuple(alert.member for alert in ordered),
    )


def _what(alert: Raised) -> str:
    if alert.source.startswith("rule:"):
        # a title of the user's own does not begin with the repo
        own = not alert.title.startswith(f"{alert.root}: ")
        return alert.title if own else f"{alert.source.replace(':', ' ')} fires"
    if alert.type is AlertType.TREND_ANOMALY:
        return "scores decline"
    return {
        "silence": "samples no longer arrive",
        "counts": f"{alert.metric} impossibly high",
        "unit": f"{alert.metric} changed its scale",
    }.get(alert.source, "health degraded")
