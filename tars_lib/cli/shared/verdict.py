"""A run on one screen: the state of the incident, the plan, the scorecard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tars_lib.cli.shared.screen import Tone, Toned, paragraph, toned
from tars_lib.text.quantities import value_text
from tars_lib.text.visible import visible

if TYPE_CHECKING:
    from tars_lib.engines.queries.incident_state import IncidentState
    from tars_lib.engines.queries.response_plan import ResponsePlan
    from tars_lib.engines.sla.report import SlaReport

MAX_ROWS = 8
"""SLAs of a scorecard on a screen, worst first; judgement. The rest is counted."""
_TONES = {"BREACHED": Tone.BAD, "AT_RISK": Tone.WARNING, "COMPLIANT": Tone.GOOD, "UNKNOWN": Tone.WARNING}


def state_lines(state: IncidentState) -> list[str]:
    """Return the sentence that leads every page and text about a run."""
    bad, sentence = {"ACTIVE": Tone.BAD, "RECOVERING": Tone.WARNING}, visible(state.sentence)
    return toned(paragraph(sentence, most=6), bad.get(state.state.value, Tone.GOOD))


def plan_lines(state: IncidentState, plan: ResponsePlan | None) -> Iterator[str]:
    """Yield the plan of the response while there is one to follow."""
    if plan is not None and not state.is_settled:
        yield from toned(paragraph(visible(f"{plan.title}. {plan.text}"), "", "  ", 4), Tone.CURRENT)


def scorecard_lines(sla: SlaReport) -> Iterator[str]:
    """Yield a line for each SLA, worst first: verdict, name, value, objective or why it is unknown."""
    order = list(_TONES)
    rows = sorted(sla.compliance_results, key=lambda row: order.index(row.status.value))
    for row in rows[:MAX_ROWS]:
        sign = ">=" if row.higher_is_better else "<="
        measured = f"{value_text(row.value, row.unit)}, objective {sign} {value_text(row.objective, row.unit)}"
        if row.status.value == "UNKNOWN" and row.reason:
            measured = row.reason
        yield from toned(
            paragraph(visible(f"{row.sla_id}: {measured}"), f"{row.status.value:9}  ", " " * 11, 1),
            _TONES[row.status.value],
        )
    if len(rows) > MAX_ROWS:
        yield Toned(f"{len(rows) - MAX_ROWS} more SLAs: tars sla --summary-only", Tone.QUIET)


def next_lines(exit_code: int, run: str) -> Iterator[str]:
    """Yield the command that follows a run: an incident where the playbook has a severity for its finding, else a report."""
    from tars_lib.findings.exit_codes import EXIT_CODES

    severity = EXIT_CODES[exit_code].severity
    yield f"next: tars incident open --from-run {run}" if severity else f"next: tars report incident_report --run {run}"
