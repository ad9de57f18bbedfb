"""Which repos are in bad health, which are on their way there, and whose healthy baseline drifts?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tars_lib.engines.alerts.persistence import Persistence, hold
from tars_lib.engines.alerts.raised import Raised
from tars_lib.engines.alerts.report import DriftFinding
from tars_lib.engines.alerts.score_history import RepoCourse, ScoreCourses
from tars_lib.engines.alerts.trend import Decline
from tars_lib.engines.health.report import HealthReport, RepositoryReport
from tars_lib.engines.health.scores import GREEN, HIGH, SCORE, YELLOW, tier_of
from tars_lib.files.reading import sha256_hex
from tars_lib.model.history import from_micros
from tars_lib.model.names import AlertSeverity, AlertType, HealthStatus, RiskTier, Severity
from tars_lib.text.times import MINUTES

MARGIN = 2.0
"""Points beyond a tier's bound from which a score counts as clear of it; judgement: a tenth of the width of a tier."""
SOURCE = "health"


def degradations(health: HealthReport, courses: ScoreCourses, declines: Mapping[str, Decline]) -> Iterator[Raised]:
    """Yield the alerts for repos below YELLOW, and for YELLOW ones that got there by a decline.

    CRITICAL in tier CRITICAL and, for a customer-facing repo, in tier HIGH; else HIGH in tier HIGH, MEDIUM in tier
    MEDIUM. A tier is left only by two samples `MARGIN` beyond its bound. An unknown score raises nothing.
    """
    for report in health.repository_reports:
        if report.score is None or report.score >= GREEN + MARGIN:
            continue
        course = courses.of(report.repo)
        level = course.level.copy()
        if not level.size:
            continue
        # the grid of a composed score averages finer metrics; the verdict is that of the health report
        level[-1] = report.score
        below = {bound: hold(level < bound, level >= bound + MARGIN) for bound in (GREEN, YELLOW, HIGH)}
        fell = declines.get(report.repo)
        if below[YELLOW] is not None or (below[GREEN] is not None and fell is not None):
            yield _degraded(report, course, below, fell)


def anomalies(health: HealthReport, declines: Mapping[str, Decline]) -> Iterator[Raised]:
    """Yield the alerts for declines that matter and go on, or have just happened.

    HIGH for a customer-facing repo and below YELLOW, else MEDIUM; a trend alone is no outage and never CRITICAL.
    """
    for report in health.repository_reports:
        fell = declines.get(report.repo)
        if fell is None or report.score is None or not (fell.matters and fell.is_recent):
            continue
        is_high = report.customer_facing or report.score < YELLOW
        change = _decline_text(fell)
        yield Raised(
            type=AlertType.TREND_ANOMALY,
            source=SOURCE,
            severity=AlertSeverity.HIGH if is_high else AlertSeverity.MEDIUM,
            title=f"{report.repo}: score declines" if fell.shift is None else f"{report.repo}: score dropped",
            message=f"{report.repo}: {change}; score now {report.score:.1f}.",
            repos=(report.repo,),
            root=report.repo,
            first_seen=fell.since,
            last_seen=health.as_of,
            why=("customer facing" if report.customer_facing else f"score below {YELLOW:g}")
            if is_high
            else "a material decline in an internal service",
            metric=SCORE,
            value=report.score,
            threshold=GREEN,
            unit="score",
        )


def drifts(health: HealthReport, declines: Mapping[str, Decline], alerted: frozenset[str]) -> Iterator[DriftFinding]:
    """Declines within GREEN of repos for which there is no alert at all."""
    for report in sorted(health.repository_reports, key=lambda r: r.repo):
        fell = declines.get(report.repo)
        if fell is None or report.repo in alerted or report.status is not HealthStatus.GREEN:
            continue
        identity = sha256_hex(f"drift\0{SCORE}\0{report.repo}".encode())[:12]
        yield DriftFinding(
            finding_id=f"drift-{identity}",
            severity=Severity.SEV_4,
            repo=report.repo,
            metric=SCORE,
            title=f"{report.repo}: baseline drifts",
            message=f"{report.repo}: {_decline_text(fell)}; score now {report.score:.1f}, within GREEN.",
            since=fell.since,
            slope_per_day=fell.slope_per_day,
            before=None if fell.shift is None else fell.shift.before,
            after=None if fell.shift is None else fell.shift.after,
        )


def _degraded(
    report: RepositoryReport, course: RepoCourse, below: Mapping[float, Persistence | None], fell: Decline | None
) -> Raised:
    tier = RiskTier.MEDIUM
    if below[YELLOW] is not None:
        tier = RiskTier.HIGH if below[HIGH] is None else RiskTier.CRITICAL
    severity = {
        RiskTier.CRITICAL: AlertSeverity.CRITICAL,
        RiskTier.HIGH: AlertSeverity.CRITICAL if report.customer_facing else AlertSeverity.HIGH,
    }.get(tier, AlertSeverity.MEDIUM)
    bound = {RiskTier.CRITICAL: HIGH, RiskTier.HIGH: YELLOW}.get(tier, GREEN)
    # an alert began when it was first raised, not when it became worse
    began, worst = below[YELLOW] or below[GREEN], below[bound]
    if began is None or worst is None or report.score is None:
        raise ValueError(f"{report.repo}: no tier holds")
    first, since, last = (from_micros(int(course.times[n])) for n in (began.first, worst.first, worst.last))
    message = f"{report.repo}: score {report.score:.1f}, below {bound:g} since {since:{MINUTES}}"
    if worst.is_clearing:
        message = (
            f"{report.repo}: score {report.score:.1f} after being below {bound:g} until {last:{MINUTES}}; "
            f"cleared by two samples at {bound + MARGIN:g} or more"
        )
    if fell is not None:
        message += f"; {_decline_text(fell)}"
    facing = ", customer facing" if report.customer_facing and tier is RiskTier.HIGH else ""
    held_text = f" (held, now {tier_of(report.score)})" if worst.is_clearing else ""
    return Raised(
        type=AlertType.HEALTH_DEGRADATION,
        source=SOURCE,
        severity=severity,
        title=f"{report.repo}: health degraded, tier {tier}",
        message=message + ".",
        repos=(report.repo,),
        root=report.repo,
        first_seen=first,
        last_seen=last,
        why=f"risk tier {tier}{held_text}{facing}",
        metric=SCORE,
        value=report.score,
        threshold=bound,
        unit="score",
    )


def _decline_text(fell: Decline) -> str:
    if fell.shift is not None:
        before, after = fell.shift.before, fell.shift.after
        return f"level went from {before:.1f} to {after:.1f} at {fell.since:{MINUTES}}"
    slope = 0.0 if fell.slope_per_day is None else fell.slope_per_day
    return f"score changes by {slope:.2g} points a day since about {fell.since:%Y-%m-%d} UTC"
