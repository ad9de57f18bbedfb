"""The impact of an incident in sentences, before any figure of an SLA: how many requests fail, since when, who sees it.

One function for every page, text and command, so that a run has one number of failed requests.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tars_lib.engines.sla.readiness import breach_headline, lasting
from tars_lib.engines.sla.report import Breach, SlaReport, UserImpact
from tars_lib.model.organisation import duration_text
from tars_lib.text.counts import and_more, listed, one_in
from tars_lib.text.quantities import value_text
from tars_lib.text.times import MINUTES

MIN_PACE = timedelta(hours=1)
"""Shortest breach of which a pace by the hour is told; judgement: minutes do not make an hour."""
MAX_NAMED = 3
"""Services that customers use named in one sentence; judgement."""


def leading_breach(sla: SlaReport) -> Breach | None:
    """Return the most urgent lasting breach that counts requests, else with a known impact; None where there is none.

    Where all breaches have ended, the same of these.
    """
    known = [breach for breach in lasting(sla.breaches) if breach.impact is not None]
    counted = (breach for breach in known if breach.impact is not None and breach.impact.failed is not None)
    return next(counted, known[0] if known else None)


def impact_text(sla: SlaReport, *, is_past: bool = False) -> str:
    """Return what users see of the leading breach; empty without one.

    Parameters
    ----------
    is_past : bool
        Told in the past and without a pace, as of what is settled; a breach that has ended always is.
    """
    breach = leading_breach(sla)
    if breach is None or breach.impact is None or breach.started_at is None:
        return ""
    impact, start, end = breach.impact, breach.started_at, breach.ended_at or sla.as_of
    is_past = is_past or breach.ended_at is not None
    since = f"{start:{MINUTES}}" + (" or earlier" if breach.started_before else "")
    lasted = duration_text(end - start)
    when = span_text(breach, end) if is_past else f"since {since}, {lasted} so far"
    more = []
    if impact.customers and impact.customers != (impact.repo,):
        more.append(f"customers {'saw' if is_past else 'see'} it at {_named(impact.customers)}")
    pace = hourly(impact, end - start)
    if pace and not is_past:
        more.append(f"at this rate {pace:,} more {'fails' if pace == 1 else 'fail'} every hour")
    then = "; ".join(more)
    return f"{_what(impact, when, is_past=is_past)} {then[:1].upper()}{then[1:]}{'.' if then else ''}".rstrip()


def lead(sla: SlaReport, *, is_past: bool = False) -> str:
    """Return the first words of a text about a run: the impact, then the verdict."""
    return " ".join(sentence for sentence in leads(sla, is_past=is_past) if sentence)


def leads(sla: SlaReport, *, is_past: bool = False) -> tuple[str, str]:
    """Return the same in two: what users see, and the verdict without a start that is said already; or the verdict alone."""
    impact = impact_text(sla, is_past=is_past)
    if not sla.breaches:
        return sla.risk_narrative.headline, ""
    counted = leading_breach(sla)
    is_said = bool(impact) and counted is not None and counted.started_at == lasting(sla.breaches)[0].started_at
    verdict = breach_headline(sla.breaches, is_dated=not is_said, is_past=is_past)
    return (impact, verdict) if impact else (verdict, "")


def span_text(breach: Breach, end: datetime) -> str:
    """From when to when a breach lasted, and for how long; empty where its start is unknown."""
    start = breach.started_at
    if start is None:
        return ""
    until = f"{end:%H:%M UTC}" if start.date() == end.date() else f"{end:{MINUTES}}"
    begun = f"{start:%Y-%m-%d %H:%M}{' or earlier' if breach.started_before else ''}"
    return f"from {begun} to {until} ({duration_text(end - start)})"


def hourly(impact: UserImpact, length: timedelta) -> int | None:
    """Failed requests an hour; None where they are not counted, or over too short a time."""
    if impact.failed is None or length < MIN_PACE:
        return None
    return round(impact.failed / (length / timedelta(hours=1)))


def _what(impact: UserImpact, when: str, *, is_past: bool) -> str:
    if impact.failed is None:
        now, before = (value_text(value, impact.unit) for value in (impact.during, impact.before))
        verb = "was" if is_past else "is"
        return f"{impact.metric} of {impact.repo} {verb} {now} {when}, against {before} before (medians)."
    if impact.share is None:
        return f"How many requests to {impact.repo} failed is unknown: none was counted {when}."
    many = one_in(impact.share, "request")
    verb = "failed" if is_past else "fails" if many.startswith(("One in", "No ")) else "fail"
    return f"{many} to {impact.repo} {verb}: {impact.failed:,} of {impact.requests:,} {when}."


def _named(names: tuple[str, ...]) -> str:
    if len(names) > MAX_NAMED:
        return and_more(names, MAX_NAMED)
    return listed(names)
