"""Where does an incident stand: active, recovering, over, resolved, or told from data that are old?

Decided once, from the reports of a run and from the record of the incident, and quoted by every page, text and command, so that
none calls for action that another one calls done.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tars_lib.engines.queries.impact_text import impact_text, leads, span_text
from tars_lib.engines.queries.response_plan import ResponsePlan
from tars_lib.engines.sla.report import Breach, SlaReport, UserImpact
from tars_lib.model.times import read_duration
from tars_lib.text.counts import one_in
from tars_lib.text.times import MINUTES

STALE_AFTER = timedelta(days=1)
"""Age of the newest sample from which a page describes the past; judgement: nobody contains today what failed yesterday."""
STALE_INTERVALS = 3
"""...or so many sampling intervals, where they are longer; judgement: daily data are not old on the next morning."""


class State(StrEnum):
    """Stage of an incident."""

    CALM = "CALM"
    ACTIVE = "ACTIVE"
    RECOVERING = "RECOVERING"
    OVER = "OVER"
    RESOLVED = "RESOLVED"
    STALE = "STALE"


@dataclass(frozen=True, slots=True)
class Resolution:
    """End of an incident as its record tells it."""

    resolved_at: datetime
    resolved_by: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class IncidentState:
    """The state in one word, the sentences that lead every page, and the plan of the response while there is one to follow.

    `headline` is what everybody has to know, `detail` what follows it; `sentence` is both, for texts.
    """

    state: State
    headline: str
    detail: str = ""
    plan: ResponsePlan | None = None

    @property
    def sentence(self) -> str:
        """Headline and detail in a row."""
        return f"{self.headline} {self.detail}".strip()

    @property
    def is_settled(self) -> bool:
        """Return whether nothing is to be contained now."""
        return self.state in (State.OVER, State.RESOLVED, State.STALE)


def incident_state(interval: str | None, sla: SlaReport, resolution: Resolution | None = None) -> IncidentState:
    """Decide the state of what a run found.

    Parameters
    ----------
    interval : str or None
        Usual distance of two samples, as the health report gives it (`history.interval`).
    sla : SlaReport
        The age of the data is counted at the time at which it was made.
    resolution : Resolution, optional
        The end of the incident as its record has it; None while it is open, or where there is no record.

    Returns
    -------
    IncidentState
        RESOLVED by the record; else STALE where the newest sample is old; else by the breaches: OVER where each has ended,
        RECOVERING where some have, ACTIVE where none has; CALM without a breach.
    """
    if resolution is not None:
        return IncidentState(State.RESOLVED, _resolved(resolution), impact_text(sla, is_past=True))
    age = sla.generated_at - sla.as_of
    if age > max(STALE_AFTER, STALE_INTERVALS * (read_duration(interval) if interval else timedelta(0))):
        return IncidentState(State.STALE, *_stale(sla, age))
    ended = [breach for breach in sla.breaches if breach.ended_at is not None]
    if not sla.breaches:
        return IncidentState(State.CALM, sla.risk_narrative.headline)
    if not ended:
        return IncidentState(State.ACTIVE, *leads(sla))
    if len(ended) < len(sla.breaches):
        again = ", ".join(breach.sla_name for breach in ended)
        no_longer = "no longer fails" if len(ended) == 1 else "no longer fail"
        headline, detail = leads(sla)
        return IncidentState(State.RECOVERING, f"Recovering: {again} {no_longer}. {headline}", detail)
    return IncidentState(State.OVER, *_over(sla, sla.breaches[0], len(sla.breaches) - 1))


def _stale(sla: SlaReport, age: timedelta) -> tuple[str, str]:
    headline, detail = leads(sla, is_past=True)
    return f"As of {sla.as_of:{MINUTES}}, {_age(age)} old: {headline}", detail


def _resolved(resolution: Resolution) -> str:
    by = f" by {resolution.resolved_by}" if resolution.resolved_by else ""
    text = f": {resolution.text.rstrip('.')}" if resolution.text else ""
    return f"Resolved at {resolution.resolved_at:{MINUTES}}{by}{text}."


def _over(sla: SlaReport, breach: Breach, others: int) -> tuple[str, str]:
    where = f" in {breach.scope}" if breach.scope else ""
    when = "" if breach.ended_at is None else f" {span_text(breach, breach.ended_at)}"
    budget = sla[breach.sla_id].error_budget
    share = None if budget is None else budget.consumed_share
    spent = (
        ""
        if share is None
        else "The error budget is spent. "
        if share >= 1.0
        else f"{share:.0%} of the error budget is used. "
    )
    more = f"{'One other SLA' if others == 1 else f'{others} other SLAs'} failed too. " if others else ""
    counted = "" if breach.impact is None or breach.impact.share is None else _counted(breach.impact)
    return (
        f"{breach.sla_name} failed{where}{when}{counted}.",
        f"{spent}{more}Keep watching; no containment is needed now.",
    )


def _counted(impact: UserImpact) -> str:
    share = one_in(impact.share or 0.0, "request").partition(" request")[0].removesuffix(" of")
    return f": {impact.failed or 0:,} of {impact.requests or 0:,} requests, {share[:1].lower()}{share[1:]}"


def _age(age: timedelta) -> str:
    days = age // timedelta(days=1)
    return f"{days} day{'' if days == 1 else 's'}"
