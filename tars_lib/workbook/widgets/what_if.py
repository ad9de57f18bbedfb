"""Trial of a verdict: what would move it, as blocks and as a panel in which one tries it out."""

from __future__ import annotations

from typing import Any

from tars_lib.engines.queries.what_if import Move, WhatIf, what_if
from tars_lib.errors import TarsError
from tars_lib.model.organisation import OrgData
from tars_lib.model.slo import AnyPolicy
from tars_lib.reports.blocks.kinds import Block, Callout, Column, Table
from tars_lib.reports.pages.html import preview
from tars_lib.text.quantities import value_text
from tars_lib.workbook.sections.labels import readiness_tone, sla_badge
from tars_lib.workbook.widgets.controls import Shown, message_html, widgets

ALL_REPOS = "all services"
_STEPS = 200
"""Steps of the slider; judgement: as fine as a hand can set."""


def moved(found: WhatIf) -> tuple[Block, ...]:
    """List every SLA before and after, moved ones first, then the moved verdicts on repos alone, and readiness."""
    was, is_now = found.before.executive_readiness, found.after.executive_readiness
    names = (
        f"Readiness {was.tier.value} at {was.readiness_score:.0f} before, {is_now.tier.value} at "
        f"{is_now.readiness_score:.0f} after."
    )
    slas = sorted(found.slas, key=lambda move: not move.is_moved)
    rows = [_row(move) for move in (*slas, *(move for move in found.moves if move.repo is not None))]
    count = sum(move.is_moved for move in found.slas)
    head = f"{count} of {len(found.slas)} SLA verdicts change" if found.moves else "No verdict changes"
    return (
        Callout(
            head,
            f"{' '.join(found.changes)} {names}",
            readiness_tone(is_now.tier),
            f"Readiness {is_now.tier.value.lower()}",
        ),
        Table(
            "Verdicts before and after",
            (
                Column("SLA"),
                Column("Service"),
                Column("Before", "badge"),
                Column("After", "badge"),
                Column("Measured after"),
                Column("Objective after"),
            ),
            rows,
            empty="No SLA is defined.",
        ),
    )


def _row(move: Move) -> tuple[Any, ...]:
    return (
        move.sla_name,
        move.repo or "-",
        sla_badge(move.before),
        sla_badge(move.after),
        value_text(move.value_after, move.unit),
        value_text(move.objective_after, move.unit),
    )


class WhatIfPanel(Shown):
    """A slider for an objective, a stretch to leave out, and the verdicts that both move.

    Attributes
    ----------
    sla : ipywidgets.Dropdown
        Whose objective is changed; the others keep theirs.
    objective : ipywidgets.FloatSlider
        In the SLA's unit.
    begin, end : ipywidgets.Text
        Stretch left out, ISO 8601 with a zone; empty: nothing is.
    repo : ipywidgets.Dropdown
        Whose samples are left out.
    found : WhatIf or None
        What is shown; None where a time cannot be read, which `table` then says.
    table : ipywidgets.HTML
    view : ipywidgets.VBox
    """

    def __init__(self, org: OrgData) -> None:
        library: Any = widgets()
        self.org = org
        self._policies: dict[str, AnyPolicy] = {policy.sla_id: policy for policy in org.policies}
        self.sla = library.Dropdown(description="SLA", options=list(self._policies))
        self.objective = library.FloatSlider(
            description="Objective", continuous_update=False, layout={"width": "32em"}, readout_format=".5g"
        )
        hint = {"placeholder": "2026-01-05T10:00Z", "continuous_update": False}
        self.begin = library.Text(description="Exclude", **hint)
        self.end = library.Text(description="until", **hint)
        self.repo = library.Dropdown(description="of", options=[ALL_REPOS, *(one.repo for one in org.repos)])
        self.table = library.HTML()
        self.found: WhatIf | None = None
        self._measured = {move.sla_id: move.value_before for move in what_if(org).slas}
        self._aim()
        self.sla.observe(lambda _: self._aim(), names="value")
        for choice in (self.objective, self.begin, self.end, self.repo):
            choice.observe(lambda _: self.judge(), names="value")
        rows = [[self.sla, self.objective], [self.begin, self.end, self.repo]]
        self.view = library.VBox([*(library.HBox(row, layout={"flex_flow": "row wrap"}) for row in rows), self.table])
        self.judge()

    def _aim(self) -> None:
        """Give the slider the range and the value of the chosen SLA."""
        if self.sla.value is None:
            self.objective.disabled = True
            return
        policy = self._policies[self.sla.value]
        low, high = objective_range(policy, self._measured[policy.sla_id])
        # bounds move apart before they close in, since a slider never holds a minimum above its maximum
        self.objective.min, self.objective.max = min(low, self.objective.min), max(high, self.objective.max)
        self.objective.step = (high - low) / _STEPS
        self.objective.value = policy.objective
        self.objective.min, self.objective.max = low, high

    def judge(self) -> None:
        """Judge anew with what is set."""
        changes: dict[str, float] = {}
        if self.sla.value is not None:
            changes = {self.sla.value: self.objective.value}
        stretches = []
        if self.begin.value.strip() or self.end.value.strip():
            of = () if self.repo.value == ALL_REPOS else (self.repo.value,)
            stretches = [(self.begin.value.strip(), self.end.value.strip(), *of)]
        try:
            self.found = what_if(self.org, objective=changes, exclude=stretches)
        except TarsError as error:
            # an analyst who types half a time must see why nothing is judged, in the panel and not in a log
            self.found = None
            self.table.value = message_html(str(error))
            return
        self.table.value = preview(*moved(self.found))


def objective_range(policy: AnyPolicy, measured: float | None) -> tuple[float, float]:
    """Return the objectives that a slider offers: from none to twice the present one, and what is measured always within.

    For a share what may fail is what is scaled: ten times as much as now, down to nothing.

    Parameters
    ----------
    policy : RatioPolicy or ThresholdPolicy
    measured : float or None
        In the SLA's unit; None where it is not known.
    """
    values = [policy.objective] if measured is None else [policy.objective, measured]
    if policy.unit == "ratio" and policy.higher_is_better:
        most = max(10.0 * (1.0 - policy.objective), 1.5 * (1.0 - min(values)), 0.001)
        return max(0.0, 1.0 - most), 1.0
    reach = 2.0 * max(abs(value) for value in values) or 1.0
    return (-reach if min(values) < 0 else 0.0), (min(reach, 1.0) if policy.unit == "ratio" else reach)
