"""Facts on an incident from a run, and whether a later run shows that containment worked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path

from tars_lib.engines.alerts.assess import alert_code
from tars_lib.engines.alerts.overdue import is_about_people
from tars_lib.engines.alerts.report import AlertReport
from tars_lib.engines.difference import Difference, Direction
from tars_lib.engines.queries.run_difference import compare
from tars_lib.engines.sla.readiness import lasting
from tars_lib.errors import TarsError
from tars_lib.files.reading import sha256_of
from tars_lib.findings.exit_codes import DECISION_ORDER, EXIT_CODES, highest
from tars_lib.incidents.store.record import (
    AffectedRepo,
    BreachedSla,
    Cause,
    Condition,
    CustomerImpact,
    Effect,
    EffectVerdict,
    Incident,
    RunReference,
)
from tars_lib.model.names import SlaStatus
from tars_lib.pipeline import MANIFEST_FILE, Run, load_run
from tars_lib.text.times import MINUTES

SHOWN_CHANGES = 12
"""Changes kept in the record; judgement: what fits on a page. `tars diff` lists all."""


def reference(run: Run, folder: Path) -> RunReference:
    """Return where a run stands and what it is, so that it can be found and checked later."""
    directory = run.directory.resolve()
    inside = directory.is_relative_to(folder.resolve())
    return RunReference(
        run_id=run.run_id,
        path=directory.relative_to(folder.resolve()).as_posix() if inside else str(directory),
        manifest_sha256=sha256_of(run.directory / MANIFEST_FILE),
        as_of=run.status.as_of,
        exit_code=run.status.exit_code,
        finding=run.status.finding,
        generated_at=run.status.generated_at,
        root=run.status.root,
    )


@dataclass(frozen=True, slots=True)
class RunFacts:
    """Fields of the record that a run knows, under the record's names."""

    breached_slas: tuple[BreachedSla, ...]
    causes: tuple[Cause, ...]
    affected_repos: tuple[str, ...]
    customer_impact: CustomerImpact
    customer_repos: tuple[str, ...]
    conditions: tuple[Condition, ...]
    affected: tuple[AffectedRepo, ...]
    began_at: datetime | None
    readiness_score: float
    readiness_tier: str
    summary: str

    def changes(self) -> dict[str, object]:
        """Return the fields by name, as an entry sets them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def facts_of(run: Run) -> RunFacts:
    """Collect what a run knows about an incident."""
    breaches = breached_slas(run)
    repos = tuple(dict.fromkeys(repo for breach in run.sla.breaches for repo in breach.repos))
    if not repos:
        clusters = [cluster for cluster in run.correlation.clusters if cluster.is_anomalous]
        paths = [path for path in run.temporal.propagation_paths if path.is_active]
        named = [
            *(repo for cluster in clusters for repo in cluster.repos),
            *(repo for path in paths for repo in path.path),
        ]
        repos = tuple(dict.fromkeys([*named, *run.health.below_threshold]))
    facing = {repo.repo for repo in run.org.repos if repo.customer_facing}
    customers = tuple(repo for repo in repos if repo in facing)
    conditions = [Condition.SLA_BREACH] if breaches else []
    readiness = run.sla.executive_readiness
    onsets = [breach.started_at for breach in breaches if breach.started_at is not None]
    return RunFacts(
        breached_slas=breaches,
        causes=causes_of(run),
        affected_repos=repos,
        # with no repo marked as customer facing nobody has said which ones are
        customer_impact=CustomerImpact.YES if customers else CustomerImpact.NO if facing else CustomerImpact.UNKNOWN,
        customer_repos=customers,
        conditions=(*conditions, *([Condition.CUSTOMER_IMPACT] if customers else [])),
        affected=tuple(
            AffectedRepo(
                repo.repo, repo.name, repo.team, repo.customer_facing, run.health.repository_scores.get(repo.repo)
            )
            for repo in run.org.repos
            if repo.repo in repos
        ),
        began_at=min(onsets, default=None),
        readiness_score=readiness.readiness_score,
        readiness_tier=readiness.tier.value,
        summary=run.sla.risk_narrative.headline,
    )


def breached_slas(run: Run) -> tuple[BreachedSla, ...]:
    """Breached SLAs in the run's order, the worst first."""
    budgets = {
        result.sla_id: None if result.error_budget is None else result.error_budget.consumed_share
        for result in run.sla.compliance_results
    }
    return tuple(
        BreachedSla(
            sla_id=breach.sla_id,
            sla_name=breach.sla_name,
            sla_type=breach.sla_type,
            severity=breach.severity,
            value=breach.value,
            objective=breach.objective,
            unit=breach.unit,
            started_at=breach.started_at,
            ended_at=breach.ended_at,
            could_be_chance=breach.could_be_chance,
            repos=breach.repos,
            customer_facing=breach.customer_facing,
            budget_consumed=budgets.get(breach.sla_id),
        )
        for breach in run.sla.breaches
    )


def causes_of(run: Run) -> tuple[Cause, ...]:
    """Return causes of all breaches in their order, lasting ones first; the same sentence for two SLAs stands once for each."""
    first = lasting(run.sla.breaches)
    return tuple(
        Cause(
            cause=cause.cause,
            source=run.run_id,
            sla_id=breach.sla_id,
            cause_type=cause.cause_type,
            repo=cause.repo,
            metric=cause.metric,
            confidence=cause.confidence,
            contribution=cause.contribution,
            containment_type=cause.containment_type,
            change=cause.change,
        )
        for breach in (*first, *(breach for breach in run.sla.breaches if breach not in first))
        for cause in breach.root_causes
    )


def effect_of(incident: Incident, before: Run | None, after: Run) -> Effect:
    """Judge whether the run after containment shows that it worked.

    RECOVERED needs every SLA that was breached to be judged and met; ENDED every lasting breach to have an end. A run that
    knows no more than the one before says nothing.
    """
    if before is None:
        return Effect(EffectVerdict.UNKNOWN, "the run before containment can no longer be read", 0, 0, ())
    changes = compare(*({**run.reports, "alerts": _from_data(run)} for run in (before, after)))
    better = sum(change.direction is Direction.BETTER for change in changes)
    worse = sum(change.direction is Direction.WORSE for change in changes)
    lines = tuple(f"{c.direction.value}: {c.subject}: {c.before} -> {c.after}" for c in changes[:SHOWN_CHANGES])
    verdict, text = _verdict(incident, before, after, changes)
    return Effect(verdict, text, better, worse, lines)


def _verdict(incident: Incident, before: Run, after: Run, changes: Sequence[Difference]) -> tuple[EffectVerdict, str]:
    if after.status.as_of <= before.status.as_of:
        return EffectVerdict.UNKNOWN, f"no new data since {_minute(before.status.as_of)}"
    old = {breach.sla_id for breach in before.sla.breaches}
    still = {breach.sla_id: breach for breach in after.sla.breaches}
    fresh = sorted(still.keys() - old)
    if fresh:
        return EffectVerdict.WORSE, f"newly breached: {', '.join(fresh)}"
    if not old:
        return _by_finding(before, after)
    judged = {result.sla_id: result.status for result in after.sla.compliance_results}
    unknown = sorted(sla for sla in old if judged.get(sla, SlaStatus.UNKNOWN) is SlaStatus.UNKNOWN)
    if unknown:
        return EffectVerdict.UNKNOWN, f"can no longer be judged: {', '.join(unknown)}"
    if not still:
        return EffectVerdict.RECOVERED, f"met again: {', '.join(sorted(old))}"
    ends = [breach.ended_at for breach in still.values()]
    if all(end is not None for end in ends):
        last = max(end for end in ends if end is not None)
        return (
            EffectVerdict.ENDED,
            f"the impact ended at {_minute(last)}; still beyond the objective over its window: {', '.join(sorted(still))}",
        )
    about = [change for change in changes if change.subject.removeprefix("SLA ") in old]
    ups = sum(change.direction is Direction.BETTER for change in about)
    downs = sum(change.direction is Direction.WORSE for change in about)
    lasting = f"still breached: {', '.join(sorted(still))}"
    if ups > downs:
        return EffectVerdict.IMPROVED, lasting
    return (EffectVerdict.WORSE if downs > ups else EffectVerdict.UNCHANGED), lasting


def _by_finding(before: Run, after: Run) -> tuple[EffectVerdict, str]:
    """For an incident without a breach, the place of the finding in the decision tree is what can change."""
    findings = [EXIT_CODES[_code(run)] for run in (before, after)]
    ranks = [
        DECISION_ORDER.index(finding.code) if finding.code in DECISION_ORDER else len(DECISION_ORDER)
        for finding in findings
    ]
    text = " -> ".join(
        f"{'' if n else 'finding '}{finding.finding} ({finding.code})" for n, finding in enumerate(findings)
    )
    if ranks[1] == len(DECISION_ORDER):
        return EffectVerdict.RECOVERED, text
    if ranks[0] == ranks[1]:
        return EffectVerdict.UNCHANGED, text
    return (EffectVerdict.IMPROVED if ranks[1] > ranks[0] else EffectVerdict.WORSE), text


def _from_data(run: Run) -> AlertReport:
    """Alerts without those about responders: that nobody was told is not the harm, and telling them does not contain it."""
    alerts = tuple(alert for alert in run.alerts.alerts if not is_about_people(alert))
    return replace(run.alerts, alerts=alerts, exit_code=alert_code(alerts))


def _code(run: Run) -> int:
    """Return the exit code of what the data say."""
    own = _from_data(run).exit_code
    return highest(tuple(own if step.step == "alerts" else step.exit_code for step in run.status.steps))


def _minute(time: datetime) -> str:
    return f"{time:{MINUTES}}"


def find_run(known: RunReference, folder: Path) -> Run | None:
    """Return the run that a record refers to; None if it is gone or not what it was."""
    directory = folder / known.path
    try:
        run = load_run(directory)
    except (TarsError, OSError):
        return None
    return run if reference(run, folder).manifest_sha256 == known.manifest_sha256 else None
