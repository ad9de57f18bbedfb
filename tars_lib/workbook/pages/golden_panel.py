"""The golden path in JupyterLab: the clocks run, a step is picked, and its question, record and command are shown.

It reads the record and writes nothing: what is typed is typed in a terminal, and the panel goes on from there.
"""

from __future__ import annotations

import asyncio
import weakref
from contextlib import suppress
from typing import Any, ClassVar

from tars_lib.errors import TarsError
from tars_lib.findings.exit_codes import EXIT_CODES
from tars_lib.incidents.views.case import Case
from tars_lib.incidents.views.golden_path import command_lines
from tars_lib.pipeline import Run
from tars_lib.reports.blocks.kinds import Block, Callout, Column, Table
from tars_lib.reports.pages.html import preview
from tars_lib.workbook.pages.golden_path import clocks, contain, is_urgent, open_command, step_state, tell, walk
from tars_lib.workbook.parameters.register import Register, case_to_respond, open_register
from tars_lib.workbook.widgets.controls import Shown, has_widgets, message_html, missing, widgets

BEAT = 5
"""Seconds between two looks at clocks and record; judgement: minutes are shown, and a command is typed in about as long."""


def step_blocks(run: Run, register: Register, case: Case | None, number: int) -> list[Block]:
    """Show one step: what is asked, what the record holds, what to type.

    Parameters
    ----------
    run : Run
        Of which the incident is opened where there is none.
    register : Register
    case : Case or None
    number : int
        Position of the step, from 0.
    """
    if case is None:
        row = register.playbook.golden_path[number]
        command = open_command(run, register) if is_urgent(EXIT_CODES[run.status.exit_code]) else ""
        asked, said = (f"Minute {row.start}-{row.end}, {row.title}: {row.task or row.record}", "No incident is open.")
        return [Callout(asked, said, "neutral", "Not started"), *_to_type([command], "Open one to start the clocks")]
    path = walk(register, case)
    step, state = path.steps[number], step_state(path, number)
    recorded = Table(
        "In the record", (Column("Recorded"),), tuple((line,) for line in step.recorded), empty="Nothing yet."
    )
    # two of the steps have their own tables on the page; that of the containment holds its actions, too
    more = {"contain": contain(register, case)[1:], "escalate": tell(case)[1:]}.get(step.step_id, [])
    is_said = step.step_id == "contain" and walk(register, case).row is not None
    lines = command_lines(step.next_command or "")
    return [
        Callout(
            f"Minute {step.start_minute}-{step.end_minute}, {step.name}: {step.task}",
            "The record has everything this step asks for." if step.is_done else "",
            state.tone,
            state.text,
        ),
        *_to_type(lines, "Type"),
        *([] if is_said else [recorded]),
        *more,
    ]


def _to_type(lines: list[str], caption: str) -> list[Block]:
    rows = tuple((line,) for line in lines if line)
    return [Table(caption, (Column("Command", "mono"),), rows)] if rows else []


class GoldenPanel(Shown):
    """Clocks, five steps to pick from, and the one that is picked.

    Attributes
    ----------
    clocks, detail : ipywidgets.HTML
    step : ipywidgets.ToggleButtons
        Its value is a position in the path; setting it shows the step.
    further, again : ipywidgets.Button
        Go to the next step; read the record anew.
    follow : ipywidgets.Checkbox
        Clocks and record are read every `BEAT` seconds while it is ticked; off where a time was given, which does not go by.
    case : Case or None
        What is shown; the incident stays the same once one was found.
    view : ipywidgets.VBox
    """

    _shown_last: ClassVar[weakref.ref[GoldenPanel] | None] = None

    def __init__(self, run: Run, incidents_dir: str = "", as_of: str = "", incident_id: str = "") -> None:
        library: Any = widgets()
        self.run, self._given, self._incident = run, (incidents_dir, as_of), incident_id
        self.register = open_register(incidents_dir, as_of)
        self.case = case_to_respond(self.register, incident_id)
        self.clocks, self.detail = library.HTML(), library.HTML()
        names = [f"{row.start}-{row.end} {row.title}" for row in self.register.playbook.golden_path]
        self.step = library.ToggleButtons(
            options=[(name, number) for number, name in enumerate(names)],
            value=self._now(),
            style={"button_width": "auto"},
        )
        self.further = library.Button(description="Next step", icon="arrow-right")
        self.again = library.Button(description="Refresh", icon="refresh", layout={"width": "auto"})
        self.follow = library.Checkbox(
            description="Follow clocks and record", value=not as_of, disabled=bool(as_of), indent=False
        )
        self.step.observe(lambda _: self.show(), names="value")
        self.further.on_click(lambda _: self.go_on())
        self.again.on_click(lambda _: self.read())
        row = library.HBox([self.further, self.again, self.follow], layout={"flex_flow": "row wrap"})
        self.view = library.VBox([self.clocks, self.step, row, self.detail])
        self.show()
        GoldenPanel._shown_last = weakref.ref(self)
        if not as_of:
            self._beat_later()

    def go_on(self) -> None:
        """Pick the next step; after the last, the one that comes now."""
        last = len(self.step.options) - 1
        self.step.value = self.step.value + 1 if self.step.value < last else self._now()

    def read(self) -> None:
        """Read clocks and record; where the step that came now was picked, the one that comes now is picked after it."""
        followed = self.step.value == self._now()
        try:
            self.register = open_register(*self._given)
            self.case = case_to_respond(self.register, self._incident)
        except (TarsError, OSError) as error:
            # an altered record, say: a responder must see it in the panel and not in a log
            self.detail.value = message_html(str(error))
            return
        if followed and self.step.value != self._now():
            self.step.value = self._now()
        else:
            self.show()

    def show(self) -> None:
        """Show the step that is picked."""
        if self.case is not None:
            self._incident = self.case.incident.incident_id
        self.clocks.value = preview(clocks(self.run, self.register, self.case))
        self.detail.value = preview(*step_blocks(self.run, self.register, self.case, self.step.value))

    def beat(self) -> None:
        """Look at clocks and record once, and again later; a panel that was made after this one takes over."""
        if GoldenPanel._shown_last is None or GoldenPanel._shown_last() is not self:
            return
        if self.follow.value:
            self.read()
        self._beat_later()

    def _beat_later(self) -> None:
        # a kernel has a loop that runs between the cells; in a script there is none, and nobody who looks
        with suppress(RuntimeError):
            asyncio.get_running_loop().call_later(BEAT, self.beat)

    def _now(self) -> int:
        """Return the position of the step that comes now: the first at the beginning, the last at the end."""
        if self.case is None:
            return 0
        path = walk(self.register, self.case)
        return len(path.steps) - 1 if path.current is None else path.current


def panel(run: Run, incidents_dir: str = "", as_of: str = "", incident_id: str = "") -> GoldenPanel | Callout:
    """Return the panel, or say how to get it."""
    return GoldenPanel(run, incidents_dir, as_of, incident_id) if has_widgets() else missing("The panel")
