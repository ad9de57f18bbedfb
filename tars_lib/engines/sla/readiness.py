"""Executive readiness and the board-ready summary: every number and sentence names what it was made from."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tars_lib.engines.health.report import HealthReport
from tars_lib.engines.health.risk_text import risk_text
from tars_lib.engines.sla.report import (
    Breach,
    ComplianceResult,
    ExecutiveReadiness,
    ReadinessComponent,
    RiskNarrative,
    Sentence,
    SlaSummary,
)
from tars_lib.engines.sla.thresholds import LIKELY, STANDS_OUT
from tars_lib.model.names import CauseType, ReadinessTier, Repo, RiskTier, SlaStatus
from tars_lib.text.counts import active_text, and_more, plural, some_of
from tars_lib.text.quantities import days_text, value_text
from tars_lib.text.times import MINUTES

SLA_WEIGHT, HEALTH_WEIGHT, COVERAGE_WEIGHT = 0.5, 0.3, 0.2
"""Judgement: what was promised counts most, then how healthy the repos are, then how much of it is known."""
_POINTS = {SlaStatus.COMPLIANT: 100.0, SlaStatus.AT_RISK: 50.0, SlaStatus.BREACHED: 0.0}
GREEN, YELLOW = 80.0, 60.0
"""Points from which the tier may be GREEN, and below which it is RED; judgement, as for a repo's score."""
MAX_UNSEEN = 0.05
"""Share of the score that may be unseen at GREEN; judgement: a lost sample here and there, not a lost week."""


def assess_readiness(
    results: Sequence[ComplianceResult], breaches: Sequence[Breach], health: HealthReport, silent: Sequence[Repo] = ()
) -> ExecutiveReadiness:
    """Readiness of the organisation.

    An unknown part counts as 0 points with its full weight, and an SLA's points count by the share of its window that
    was seen. Where what is lost is just what was bad, that cannot make up for it, but it keeps the tier from GREEN.
    RED with a breach, with risk tier CRITICAL or under 60; YELLOW with anything at risk or unknown, with a `silent` repo that
    matters most, or under 80;
    UNKNOWN where half or more is.
    """
    share = SLA_WEIGHT / len(results) if results else 0.0
    components = [_sla_component(result, share) for result in results]
    if not results:
        components.append(ReadinessComponent("SLAs", None, SLA_WEIGHT, "no SLA is defined"))
    components.append(_health_component(health))
    components.append(
        ReadinessComponent(
            "coverage", 100.0 * health.coverage, COVERAGE_WEIGHT, "share of the expected samples that arrived"
        )
    )
    score = sum((c.score or 0.0) * c.weight for c in components)
    unseen = sum(1.0 - result.windows[0].coverage for result in results if result.status in _POINTS) * share
    unknown = min(1.0, sum(c.weight for c in components if c.score is None) + unseen)
    statuses = {result.status for result in results}
    if breaches or health.risk_tier is RiskTier.CRITICAL:
        tier = ReadinessTier.RED
    elif unknown >= 0.5:
        tier = ReadinessTier.UNKNOWN
    elif score + 100.0 * unknown < YELLOW:
        tier = ReadinessTier.RED  # even if all that is unknown were perfect
    elif score < GREEN or unknown > MAX_UNSEEN or silent or statuses & {SlaStatus.AT_RISK, SlaStatus.UNKNOWN}:
        tier = ReadinessTier.YELLOW
    else:
        tier = ReadinessTier.GREEN
    return ExecutiveReadiness(score, tier, tuple(components), unknown, _outlook(results, breaches, health))


def _sla_component(result: ComplianceResult, share: float) -> ReadinessComponent:
    """Return the points of a verdict, less what was not seen of its window."""
    points = _POINTS.get(result.status)
    if points is None:
        return ReadinessComponent(f"SLA {result.sla_id}", None, share, result.status.value)
    coverage = result.windows[0].coverage
    explanation = (
        result.status.value if coverage == 1.0 else f"{result.status.value}, {coverage:.0%} of its window seen"
    )
    return ReadinessComponent(f"SLA {result.sla_id}", points * coverage, share, explanation)


def _health_component(health: HealthReport) -> ReadinessComponent:
    """Return the aggregate score, with 0 for every repo whose score is not known: a repo that falls silent earns nothing."""
    reports = health.repository_reports
    known = sum(report.score is not None for report in reports)
    score = None if health.aggregate_score is None else health.aggregate_score * known / len(reports)
    explanation = (
        f"aggregate score of {known} of {len(reports)} services, the others counted as 0"
        if known < len(reports)
        else ("aggregate score")
    )
    return ReadinessComponent("health", score, HEALTH_WEIGHT, f"{explanation}, tier {health.risk_tier.value}")


def summarize(results: Sequence[ComplianceResult]) -> SlaSummary:
    """Return the number of SLAs by verdict."""
    count = {status: sum(result.status is status for result in results) for status in SlaStatus}
    return SlaSummary(
        total=len(results),
        compliant=count[SlaStatus.COMPLIANT],
        at_risk=count[SlaStatus.AT_RISK],
        breached=count[SlaStatus.BREACHED],
        unknown=count[SlaStatus.UNKNOWN],
    )


def narrate(
    results: Sequence[ComplianceResult],
    breaches: Sequence[Breach],
    readiness: ExecutiveReadiness,
    health: HealthReport,
    silent: Sequence[Repo] = (),
) -> RiskNarrative:
    """Return the risk narrative: a headline and sentences, each with the fields that it rests on."""
    summary = summarize(results)
    sentences = [_summary_sentence(summary)]
    explained: dict[tuple[str, str | None, str | None], str] = {}
    for number, breach in enumerate(breaches[:3]):
        sentences += _breach_sentences(breach, number, explained)
    for number, result in enumerate(results):
        if result.status is SlaStatus.AT_RISK:
            text = f"{result.sla_name} is at risk: {result.reason}."
            sentences.append(
                Sentence(text, (f"compliance_results[{number}].status", f"compliance_results[{number}].reason"))
            )
        elif result.status is SlaStatus.UNKNOWN:
            text = f"{result.sla_name} cannot be judged: {result.reason}."
            sentences.append(
                Sentence(text, (f"compliance_results[{number}].status", f"compliance_results[{number}].reason"))
            )
    sentences += [Sentence(f"{silence_text(repo)}.", ("warnings",)) for repo in silent[:3]]
    if health.aggregate_score is None:
        health_text = "The health of the organisation is not known."
    else:
        health_text = f"Organisation health is {risk_text(health)}."
    sentences.append(Sentence(health_text, ("executive_readiness.components",)))
    sentences.append(
        Sentence(
            f"Executive readiness is {readiness.tier.value} at {readiness.readiness_score:.0f} of 100"
            + (f"; {readiness.unknown_share:.0%} of it is unknown." if readiness.unknown_share else "."),
            ("executive_readiness.tier", "executive_readiness.readiness_score", "executive_readiness.unknown_share"),
        )
    )
    headline = _headline(summary, breaches, silent)
    return RiskNarrative(headline, " ".join(sentence.text for sentence in sentences), tuple(sentences))


def silence_text(repo: Repo) -> str:
    """Return that a repo that matters reports nothing, and why it matters."""
    why = "is customer facing" if repo.customer_facing else "is of tier 1" if repo.tier == 1 else "is named by an SLA"
    return f"{repo.repo} {why} and reports nothing, so its state is unknown"


def _headline(summary: SlaSummary, breaches: Sequence[Breach], silent: Sequence[Repo]) -> str:
    if breaches:
        return breach_headline(breaches)
    if summary.at_risk:
        return f"{summary.at_risk} of {summary.total} SLAs {'is' if summary.at_risk == 1 else 'are'} at risk, none is breached."
    if summary.unknown:
        return f"No SLA is known to be breached; {summary.unknown} of {summary.total} cannot be judged."
    if not summary.total:
        return "No SLA is defined."
    if silent:
        names = some_of([repo.repo for repo in silent], 3)
        return f"All SLAs that can be judged are met, but {names} report{'s' if len(silent) == 1 else ''} nothing."
    return "The SLA is met." if summary.total == 1 else f"All {summary.total} SLAs are met."


def breach_headline(breaches: Sequence[Breach], *, is_dated: bool = True, is_past: bool = False) -> str:
    """Return the worst lasting breach in a sentence, and how many more last; of those that have ended where all have.

    Parameters
    ----------
    breaches : sequence of Breach
        At least one.
    is_dated : bool
        With its start, which a reader who has just read it does not want to read again.
    is_past : bool
        In the past, as of what is settled.
    """
    breaches = lasting(breaches)
    first = breaches[0]
    since = "" if first.started_at is None or not is_dated else f" {_when(first)}"
    singular, plural_verb = ("was", "were") if is_past or first.ended_at is not None else ("is", "are")
    others = len({*first.repos} - {first.scope})
    more_repos = f" (worst) and {plural(others, 'other service')}" if others else ""
    where = f" in {first.scope}{more_repos}" if first.scope is not None else ""
    verdict = (
        f"{first.sla_name} {singular} breached{where}{since}: {value_text(first.value, first.unit)} against "
        f"{value_text(first.objective, first.unit)}"
    )
    more = (
        ""
        if len(breaches) == 1
        else f" One more SLA {singular} breached."
        if len(breaches) == 2
        else f" {len(breaches) - 1} more SLAs {plural_verb} breached."
    )
    if not first.root_causes:
        return f"{verdict}; cause unknown.{more}"
    cause = first.root_causes[0]
    if cause.confidence < STANDS_OUT:
        return f"{verdict}; no clear cause yet, check {cause.repo} first ({cause.confidence:.0%} confidence).{more}"
    change = f" after {cause.change}" if cause.change and cause.cause_type is CauseType.CHANGE_EVENT else ""
    return f"{verdict}; most likely cause: {cause.repo}{change} ({cause.confidence:.0%} confidence).{more}"


def lasting(breaches: Sequence[Breach]) -> Sequence[Breach]:
    """Return the breaches that have not ended; all of them where each has."""
    return [breach for breach in breaches if breach.ended_at is None] or breaches


def _when(breach: Breach) -> str:
    """Since when a breach lasts, or from when to when it did; without a tense."""
    if breach.started_at is None:
        return ""
    if breach.ended_at is None:
        return f"since {breach.started_at:{MINUTES}}"
    until = f"{breach.ended_at:{'%H:%M UTC' if breach.started_at.date() == breach.ended_at.date() else MINUTES}}"
    return f"from {breach.started_at:%Y-%m-%d %H:%M} to {until}"


def _summary_sentence(summary: SlaSummary) -> Sentence:
    parts = [
        f"{count} {word}"
        for count, word in (
            (summary.breached, "breached"),
            (summary.at_risk, "at risk"),
            (summary.unknown, "unknown"),
            (summary.compliant, "compliant"),
        )
        if count
    ]
    return Sentence(_counts(summary.total, parts), ("summary",))


def _counts(total: int, parts: Sequence[str]) -> str:
    """Return the verdicts in one sentence: "2 of 4 SLAs breached, 1 unknown, 1 compliant."."""
    if not parts:
        return "No SLA is defined."
    number, _, word = parts[0].partition(" ")
    first = f"{number} of {plural(total, 'SLA')} {word}"
    return f"{', '.join((first, *parts[1:]))}."


def _breach_sentences(
    breach: Breach, number: int, explained: dict[tuple[str, str | None, str | None], str]
) -> list[Sentence]:
    """Return a breach and its first cause; evidence that an earlier breach has told, by `explained`, is not told again."""
    where = f"breaches[{number}]"
    when = "" if breach.started_at is None else f", {_when(breach)}"
    chance = " The 95% interval includes the objective, so this could be chance." if breach.could_be_chance else ""
    verdict = (
        f"{breach.sla_name}: {value_text(breach.value, breach.unit)} against {value_text(breach.objective, breach.unit)} in "
        f"{and_more(breach.repos, 3) or 'the organisation as a whole'}{when}.{chance}"
    )
    fields = ("sla_name", "started_at", "ended_at", "value", "objective", "repos", "could_be_chance")
    sentences = [Sentence(verdict, tuple(f"{where}.{field}" for field in fields if getattr(breach, field) is not None))]
    if breach.root_causes:
        cause = breach.root_causes[0]
        word = "Most likely cause" if cause.confidence >= STANDS_OUT else "No clear cause yet; check first"
        same = explained.setdefault((cause.repo, cause.change, None if cause.change else cause.metric), breach.sla_name)
        # how far it stands out from its past is for the table of causes
        evidence = (
            cause.cause.partition(", worse than ")[0] if same == breach.sla_name else f"{cause.repo}, as for {same}"
        )
        text = f"{word} ({cause.confidence:.0%} confidence): {evidence}."
        sources = (f"{where}.root_causes[0].cause", f"{where}.root_causes[0].confidence")
        sentences.append(Sentence(text.replace("..", "."), sources))
    else:
        sentences.append(Sentence(f"Cause unknown: {breach.reason}.", (f"{where}.reason",)))
    return sentences


def _outlook(results: Sequence[ComplianceResult], breaches: Sequence[Breach], health: HealthReport) -> str:
    """Say what goes on, what the forecasts say, and of which SLAs they say nothing and why."""
    declining = sum(report.trend.value == "DECLINING" for report in health.repository_reports)
    parts = []
    if breaches:
        lasting = sum(breach.ended_at is None for breach in breaches)
        activity = active_text(lasting, len(breaches), health.as_of)
        parts.append(
            f"{plural(len(breaches), 'SLA')} {'is' if len(breaches) == 1 else 'are'} breached already ({activity})"
        )
    elif any(result.status is SlaStatus.AT_RISK for result in results):
        parts.append("no breach, but an SLA is at risk")
    elif results:
        parts.append("no breach" if declining else "steady")
    parts += _expected([result for result in results if result.status is not SlaStatus.BREACHED], bool(breaches))
    if declining:
        parts.append(
            f"{plural(declining, 'service')} of {len(health.repository_reports)} {'is' if declining == 1 else 'are'} declining"
        )
    return "; ".join(parts) or "no SLA is defined"


def _expected(results: Sequence[ComplianceResult], are_others: bool) -> list[str]:
    """Forecasts of SLAs that are not breached: the nearest breach that is likely, and what cannot be forecast."""
    known = [result for result in results if result.breach_probability is not None]
    likely = [result for result in known if (result.breach_probability or 0.0) > LIKELY]
    parts = []
    if likely:
        first = min(likely, key=lambda r: math.inf if r.days_until_breach is None else r.days_until_breach.value)
        days = first.days_until_breach
        when = "" if days is None else f" in {days_text(days.value, days.low, days.high)}"
        more = "" if len(likely) == 1 else f", and {len(likely) - 1} more SLA{'s' if len(likely) > 2 else ''} later"
        parts.append(f"{first.sla_name} is likely to breach{' too' if are_others else ''}{when}{more}")
    elif known:
        parts.append("no other SLA is expected to breach" if are_others else "none of the forecasts expects a breach")
    unknown = [result for result in results if result.breach_probability is None]
    if unknown:
        more = "" if len(unknown) == 1 else f" and {len(unknown) - 1} more"
        parts.append(f"no forecast for {unknown[0].sla_name}{more}: {unknown[0].forecast_reason}")
    return parts
