"""The state of the incident on a page: its badge, and the first step while nothing is to be contained."""

from __future__ import annotations

from dataclasses import replace

from tars_lib.engines.queries.incident_state import IncidentState, State
from tars_lib.reports.blocks.kinds import Badge, Callout, KeyFigures, Tone

_BADGES: dict[State, tuple[str, Tone]] = {
    State.RECOVERING: ("Recovering", "warning"),
    State.OVER: ("Over", "neutral"),
    State.RESOLVED: ("Resolved", "good"),
    State.STALE: ("Old data", "unknown"),
}
_FIRST_STEPS: dict[State, tuple[str, str, Tone, str]] = {
    State.OVER: ("Over: keep watching", "Hold back risky changes until the budget allows them.", "warning", "Watch"),
    State.RESOLVED: ("Resolved: no action needed", "What follows is what was found at the time.", "good", "Done"),
    State.STALE: (
        "The data are old: pull current data first",
        "What follows describes the end of the data, not the present.",
        "unknown",
        "Old data",
    ),
}


def state_badge(state: IncidentState) -> tuple[Badge, ...]:
    """Return the badge of a state; none where the finding's own badges say enough."""
    shown = _BADGES.get(state.state)
    return () if shown is None else (Badge(*shown),)


def settled_step(state: IncidentState) -> Callout | None:
    """Return the first step where nothing is to be contained now; None while the page's own finding decides."""
    shown = _FIRST_STEPS.get(state.state)
    if shown is None:
        return None
    title, text, tone, word = shown
    return Callout(title, f"{state.detail} {text}" if state.state is State.OVER else text, tone, word)


def without_alarm(figures: KeyFigures, state: IncidentState) -> KeyFigures:
    """Return the numbers without the colour of alarm once the incident is settled."""
    if not state.is_settled:
        return figures
    return KeyFigures(
        tuple(replace(item, tone="neutral") if item.tone == "critical" else item for item in figures.items)
    )


def planned_step(state: IncidentState, why: str = "") -> Callout:
    """Return the first action of the plan, its clock and whom to notify; the same on every page. `why` is the page's own."""
    plan = state.plan
    if plan is None:
        return Callout("No containment needed", f"{why} Keep the hourly checks running.".strip(), "good")
    return Callout(plan.title, f"{why} {plan.text}".strip(), "critical", "Do now")
