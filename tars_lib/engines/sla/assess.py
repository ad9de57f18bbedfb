"""Which SLAs are breached, since when, why, and how ready is the organisation to answer for it?"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import numpy as np

from tars_lib.engines.health.report import HealthReport
from tars_lib.engines.report import Stamp, head
from tars_lib.engines.sla.attribution import Attribution, attribute
from tars_lib.engines.sla.impact import impact_of
from tars_lib.engines.sla.onset import burning_stretch
from tars_lib.engines.sla.readiness import assess_readiness, narrate, silence_text, summarize
from tars_lib.engines.sla.report import Breach, ComplianceResult, ScorecardRow, SlaReport
from tars_lib.engines.sla.sli import Known, in_scope, scope_names
from tars_lib.engines.sla.thresholds import STANDS_OUT
from tars_lib.engines.sla.verdict import INFORMING, Verdict, judge
from tars_lib.files.json_records import time_text
from tars_lib.files.reading import sha256_hex
from tars_lib.model.history import from_micros, to_micros
from tars_lib.model.metrics import percent_of
from tars_lib.model.names import Repo, SlaStatus
from tars_lib.model.organisation import OrgData
from tars_lib.model.recurrence import CLOSED
from tars_lib.model.slo import Window
from tars_lib.playbook.containment import action_for, containment_row
from tars_lib.stats.series.standing import standing
from tars_lib.text.counts import some_of
from tars_lib.text.times import MINUTES

logger = logging.getLogger(__name__)

EXCUSED = 0.5
"""Share of the window below which what maintenance leaves is told beside the verdict; judgement."""


def assess_slas(
    org: OrgData, as_of: datetime, health: HealthReport, stamp: Stamp, windows: tuple[Window, ...] = INFORMING
) -> SlaReport:
    """Judge all SLAs of an organisation and explain the breaches.

    Parameters
    ----------
    windows : tuple of Window
        Measured beside each SLA's own window, for information.

    Returns
    -------
    SlaReport
        `exit_code` 142 with a breach, 141 with an SLA at risk, 96 where every SLA is UNKNOWN and there is no score, else 0.
    """
    known: Known = {}
    verdicts = [judge(org, policy, as_of, windows, known=known) for policy in org.policies]
    results = tuple(verdict.result for verdict in verdicts)
    breaches = tuple(sorted((_breach(org, v) for v in verdicts if v.result.status is SlaStatus.BREACHED), key=_urgency))
    silent = silent_repos(org, as_of)
    readiness = assess_readiness(results, breaches, health, silent)
    statuses = {result.status for result in results}
    is_blind = statuses <= {SlaStatus.UNKNOWN} and health.aggregate_score is None
    code = 142 if breaches else 141 if SlaStatus.AT_RISK in statuses else 96 if is_blind else 0
    return SlaReport(
        **head(
            "sla-intelligence",
            stamp,
            as_of,
            org.inputs,
            (*org.warnings, *_warnings(results), *_brought_together(org, verdicts), *map(silence_text, silent)),
            code,
        ),
        compliance_results=results,
        breaches=breaches,
        executive_readiness=readiness,
        scorecard=tuple(_row(result) for result in results),
        risk_narrative=narrate(results, breaches, readiness, health, silent),
        summary=summarize(results),
        policies_from=org.policies_from,
    )


def silent_repos(org: OrgData, as_of: datetime) -> tuple[Repo, ...]:
    """Return the repos that matter most (customer facing, of tier 1, or named by an SLA) and report nothing at all.

    Nothing within the longest window of any SLA, that is. A repo that is declared quiet may be silent.
    """
    longest = max((policy.window.length for policy in org.policies), default=timedelta(days=30))
    history, first = org.history, to_micros(as_of - longest)
    series, ends = history.latest()
    heard = {history.repos[number] for number in np.unique(series[ends > first] % max(len(history.repos), 1))}
    named = {name for policy in org.policies for name in policy.repos}
    return tuple(
        repo
        for repo in org.repos
        if (repo.customer_facing or repo.tier == 1 or repo.repo in named) and not repo.quiet and repo.repo not in heard
    )


def _breach(org: OrgData, verdict: Verdict) -> Breach:
    policy, track, measured = verdict.policy, verdict.track, verdict.measured
    if track is None or measured is None:
        raise ValueError(f"{policy.sla_id}: a breach needs data")
    column = _target(org, verdict)
    repo = org.repos[column]
    step = int(track.step[column])
    stretch = burning_stretch(policy, track, measured, column)
    explained = attribute(org, policy, repo.repo, stretch, step)
    logger.debug("breach of %s in %s since %s: %d causes", policy.sla_id, repo.repo, stretch, len(explained.causes))
    repos = verdict.result.affected_repos
    began = None if stretch is None else stretch.start
    identity = f"{policy.sla_id}\0{repo.repo}\0{'' if began is None else time_text(began)}"
    return Breach(
        breach_id=f"breach-{sha256_hex(identity.encode())[:12]}",
        sla_id=policy.sla_id,
        sla_name=policy.sla_name,
        sla_type=policy.sla_type,
        severity=policy.severity_on_breach,
        priority=policy.priority,
        started_at=began,
        started_before=stretch is not None and stretch.began_before,
        ended_at=stretch.end if stretch is not None and stretch.is_over else None,
        value=verdict.result.value,
        objective=policy.objective,
        unit=policy.unit,
        could_be_chance=verdict.could_be_chance,
        scope=verdict.result.scope,
        repos=repos,
        target=repo.repo,
        target_metric=policy.subject,
        customer_facing=any(r.customer_facing for r in org.repos if r.repo in (*repos, repo.repo)),
        root_causes=explained.causes,
        unexplained=explained.unexplained,
        reason=explained.reason,
        recommended_actions=_actions(explained),
        unmeasured=explained.unmeasured,
        impact=impact_of(org, policy, track, stretch, verdict.result.scope or repo.repo, repos),
    )


def _target(org: OrgData, verdict: Verdict) -> int:
    """Return the repo whose deviation is explained: customer facing before others, then by harm."""
    policy, measured, track = verdict.policy, verdict.measured, verdict.track
    if measured is None or track is None:
        raise ValueError(f"{policy.sla_id}: a breach needs data")
    alone = [judged.column for judged in verdict.breached if judged.column is not None]
    columns = alone or np.flatnonzero((track.rows.counts > 0) & in_scope(org, policy, track)).tolist()

    def harm(column: int) -> float:
        reading = measured.reading
        if policy.adds_up:
            return float(reading.bad[column] - policy.allowed * reading.events[column])
        value = float(reading.value[column])
        return policy.beyond(value) if np.isfinite(value) else -np.inf

    return int(max(columns, key=lambda c: (org.repos[c].customer_facing, harm(c), -c)))


def _urgency(breach: Breach) -> tuple[str, float, str]:
    distance = abs((breach.value or 0.0) - breach.objective)
    whole = percent_of(breach.unit)
    allowed = whole - breach.objective if breach.objective > 0.5 * whole > 0 else abs(breach.objective)
    relative = distance / allowed if allowed > 0 else float("inf")
    return breach.severity.value, -relative, breach.sla_id


def _actions(explained: Attribution) -> tuple[str, ...]:
    if explained.unmeasured is not None and not explained.causes:
        hidden = explained.unmeasured
        places = ", ".join(hidden.calls)
        return (f"Instrument {places}, which {hidden.near} calls", f"Check {places} and {hidden.near} by hand")
    if not explained.causes:
        return (f"Find the cause by hand: {explained.reason}",)
    first = explained.causes[0]
    if first.confidence < STANDS_OUT:
        *names, last = dict.fromkeys(cause.repo for cause in explained.causes[:3])
        what = f"Compare {', '.join(names)} and {last}" if names else f"Check {last}"
        return (f"{what} by hand: no clear cause yet",)
    row = containment_row(first.containment_type)
    actions = [action_for(first.containment_type, first.repo)]
    if first.cause_type.value == "CHANGE_EVENT":
        # what changed is undone first; the playbook's containment follows
        actions.insert(0, f"Roll back {first.change} of {first.repo}")
    actions.append(f"Verify: {row.verify}")
    return tuple(actions)


def _row(result: ComplianceResult) -> ScorecardRow:
    return ScorecardRow(
        sla_id=result.sla_id,
        sla_name=result.sla_name,
        status=result.status,
        value=result.value,
        objective=result.objective,
        unit=result.unit,
        budget_consumed=None if result.error_budget is None else result.error_budget.consumed_share,
        affected_repos=len(result.affected_repos),
    )


def _brought_together(org: OrgData, verdicts: Iterable[Verdict]) -> list[str]:
    """Say how samples were brought together, which were left out, and what maintenance could not take out of them."""
    warnings = []
    for verdict in verdicts:
        label, track = f"SLA {verdict.policy.sla_id}", verdict.track
        if track is None:
            continue
        if track.impossible:
            part, total = verdict.policy.needs[-1], verdict.policy.needs[0]
            warnings.append(f"{label}: {track.impossible} samples have more {part} than {total} and are excluded")
        for note, columns in zip(track.notes, track.noted, strict=True):
            warnings.append(f"{label}: {note.format(some_of(scope_names(org, columns)))}")
        warnings += [f"{label}: {sentence}" for sentence in _doubts(org, verdict)]
        for item in verdict.result.exclusions:
            if item.kept_samples and not item.samples:
                what = "a sample is" if item.kept_samples == 1 else f"{item.kept_samples} samples are"
                warnings.append(
                    f"{label}: the samples are too coarse to exclude maintenance '{item.title}' "
                    f"({item.start:{MINUTES}} to {item.end:{MINUTES}}): {what} much longer and kept"
                )
    return warnings


def _doubts(org: OrgData, verdict: Verdict) -> Iterator[str]:
    """Name what makes a verdict another one than it seems: uneven sampling, and maintenance of most of the window."""
    policy, track, measured = verdict.policy, verdict.track, verdict.measured
    if track is None or measured is None:
        return
    by_time = policy.share_of_time(track, measured.keep, len(org.repos))
    if by_time is not None:
        for number in np.flatnonzero(measured.samples >= policy.fewest).tolist():
            share, of_time = float(measured.reading.value[number]), float(by_time[number])
            if policy.is_met_by(share) != policy.is_met_by(of_time):
                yield (
                    f"{share:.1%} of the samples of {org.repos[number].repo} are good, which is {of_time:.1%} of the time: it "
                    "is sampled more closely at some times, and samples are judged"
                )
    judged = in_scope(org, policy, track) & (measured.samples > 0)
    for (first, end), (_, part) in zip(track.rows.blocks(), track.parts(), strict=True):
        amount = part.value if part.total is None else part.total
        for number in (first + np.flatnonzero(judged[first:end])).tolist() if policy.slices is None else ():
            mine = amount[part.of(number)]
            if still := standing(mine):
                since = from_micros(int(part.rows.of_repo(number)[-still]))
                yield (
                    f"{policy.needs[0]} of {org.repos[number].repo} is {mine[-1]:g} in each of the last {still} samples, "
                    f"since {since:{MINUTES}}, and moved before: does its source repeat its last answer?"
                )
    whole = (measured.end - measured.start) // timedelta(microseconds=1)
    scope = in_scope(org, policy, track) & (measured.samples > 0) & (measured.length < EXCUSED * whole)
    if scope.any() and not any(item.title == CLOSED for item in verdict.result.exclusions):
        shares = 1.0 - measured.length[scope] / whole
        yield (
            f"maintenance excuses {float(shares.max()):.0%} of the window of "
            f"{some_of(scope_names(org, np.flatnonzero(scope)))}: the verdict is on the rest"
        )


def _warnings(results: Iterable[ComplianceResult]) -> list[str]:
    warnings, missing = [], dict[str, list[str]]()
    for result in results:
        if result.status is SlaStatus.UNKNOWN:
            warnings.append(f"SLA {result.sla_id} is UNKNOWN: {result.reason}")
        elif result.unknown_repos:
            count = len(result.unknown_repos)
            repos = "1 service" if count == 1 else f"{count} services"
            warnings.append(f"SLA {result.sla_id} cannot be judged in {repos}: {some_of(result.unknown_repos)}")
        for sentence in result.missing:
            missing.setdefault(sentence, []).append(result.sla_id)
    labels = (f"SLA{'s' if len(ids) > 1 else ''} {some_of(ids)}: {sentence}" for sentence, ids in missing.items())
    return [*warnings, *labels]
