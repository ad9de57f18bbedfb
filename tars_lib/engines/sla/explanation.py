"""Why is this the verdict? One SLA in sentences: what was measured over which time, what is behind it, what to do."""

from __future__ import annotations

from collections.abc import Iterator

from tars_lib.engines.sla.report import Breach, ComplianceResult, SlaReport
from tars_lib.engines.sla.thresholds import STANDS_OUT
from tars_lib.model.names import SlaStatus
from tars_lib.text.counts import and_more, plural, unexplained_text
from tars_lib.text.quantities import between_text, days_text, value_text
from tars_lib.text.sentences import Told
from tars_lib.text.times import MINUTES

MAX_CAUSES = 3
"""Candidates in sentences, as the playbook's golden path prints them."""


def why(report: SlaReport, sla_id: str) -> Told:
    """Explain one verdict: value against objective, window, interval, causes, what no cause explains, and what to do.

    Raises
    ------
    UnknownNameError
        If there is no such SLA; the message lists those that there are.
    """
    result = report[sla_id]
    breach = next((breach for breach in report.breaches if breach.sla_id == sla_id), None)
    behind = () if breach is None else _behind(breach)
    is_chance = breach is not None and breach.could_be_chance
    measured = _measured(result, could_be_chance=is_chance)
    return Told.of((*_verdict(result), *measured, *behind, *_ahead(result), *_to_do(result, breach)))


def _verdict(result: ComplianceResult) -> Iterator[str]:
    where = f" in {result.scope}" if result.scope is not None else ""
    bound = "at least" if result.higher_is_better else "at most"
    against = (
        f"{value_text(result.value, result.unit)}, the objective is {bound} {value_text(result.objective, result.unit)}"
    )
    if result.status is SlaStatus.UNKNOWN:
        yield f"{result.sla_name} is UNKNOWN: {result.reason}."
        return
    if result.status is SlaStatus.COMPLIANT:
        yield f"{result.sla_name} is COMPLIANT: {against}{' (closest: ' + result.scope + ')' if result.scope else ''}."
        return
    yield f"{result.sla_name} is {result.status.value}{where}: {against}."
    if result.status is SlaStatus.AT_RISK and result.reason:
        yield f"At risk because {result.reason}."
    others = [repo for repo in result.affected_repos if repo != result.scope]
    if others:
        yield f"{'Also breached' if result.scope else 'Breached'} in {and_more(others)}, each judged alone."


def _measured(result: ComplianceResult, *, could_be_chance: bool) -> Iterator[str]:
    if not result.windows:
        return
    own = result.windows[0]
    counted = "events" if result.kind == "ratio" else "samples"
    yield (
        f"Measured over {own.window}, {own.start:{MINUTES}} to {own.end:{MINUTES}}: {own.n:,} {counted}, "
        f"samples cover {own.coverage:.0%} of that time."
    )
    if own.value is not None and own.ci_low is not None and own.ci_high is not None:
        includes = own.ci_low <= result.objective <= own.ci_high
        chance = "; it includes the objective" if includes else "; it excludes the objective"
        yield f"95% interval: {between_text(own.value, own.ci_low, own.ci_high, result.unit)}{chance}."
    if result.status is SlaStatus.BREACHED and could_be_chance:
        yield "A service that just meets the objective could show this value by chance."
    yield from _bounded(result)
    left_out = [item for item in result.exclusions if item.samples]
    if left_out:
        titles = and_more([f"{item.title} ({plural(item.samples, 'sample')})" for item in left_out])
        yield f"Excluded as planned maintenance: {titles}."
    if result.unknown_repos and result.status is not SlaStatus.UNKNOWN:
        yield f"Cannot be judged in {and_more(result.unknown_repos)}."


def _bounded(result: ComplianceResult) -> Iterator[str]:
    """Say what is missing, and what the value is whatever it was."""
    for sentence in result.missing:
        yield f"Missing: {sentence}."
    if not result.missing or result.value_low == result.value_high:
        return
    low, high = (
        "no bound" if bound is None else value_text(bound, result.unit)
        for bound in (result.value_low, result.value_high)
    )
    verdict = "so the verdict is certain" if result.certain else "so the verdict rests on the data at hand"
    yield f"Whatever the missing data hold, the value lies between {low} and {high}, {verdict}."


def _behind(breach: Breach) -> Iterator[str]:
    if breach.started_at is not None:
        since = f"{breach.started_at:{MINUTES}}{' or earlier' if breach.started_before else ''}"
        if breach.ended_at is None:
            yield f"Failing since {since}, still active."
        else:
            yield f"Failed from {since} to {breach.ended_at:{MINUTES}}."
    if not breach.root_causes:
        yield f"Cause unknown: {breach.reason}."
        return
    first, *rest = breach.root_causes[:MAX_CAUSES]
    word = "Most likely cause" if first.confidence >= STANDS_OUT else "No clear cause yet; check first"
    yield f"{word} ({first.confidence:.0%} confidence): {first.cause}."
    for cause in rest:
        yield f"Also considered ({cause.confidence:.0%} confidence): {cause.cause}."
    yield f"{unexplained_text(breach.unexplained)}."


def _ahead(result: ComplianceResult) -> Iterator[str]:
    if result.status in (SlaStatus.BREACHED, SlaStatus.UNKNOWN):
        return
    if result.breach_probability is None:
        yield f"No forecast: {result.forecast_reason}."
        return
    days = result.days_until_breach
    when = "" if days is None else f", in {days_text(days.value, days.low, days.high)}"
    yield f"Probability of a breach within the period: {result.breach_probability:.0%}{when}."


def _to_do(result: ComplianceResult, breach: Breach | None) -> Iterator[str]:
    if breach is not None:
        for action in breach.recommended_actions:
            yield f"{action}." if action.startswith("Verify: ") else f"Do: {action}."
    elif result.status is SlaStatus.UNKNOWN:
        yield f"Do: report {and_more(result.metrics)}; until then nobody knows whether the SLA is met."
    elif result.status is SlaStatus.AT_RISK:
        yield "Do: check it as often as the At-Risk Monitoring page says, and hold back risky changes."
