"""All engines over an organisation, in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tars_lib.engines.engine_input import EngineInput
from tars_lib.engines.report import Report
from tars_lib.engines.steps import STEPS
from tars_lib.findings.exit_codes import highest
from tars_lib.model.organisation import OrgData
from tars_lib.model.times import read_time
from tars_lib.pipeline.stamping import stamp
from tars_lib.pipeline.step_reports import StepReports
from tars_lib.playbook.escalation import NOTHING_OVERDUE, Overdue
from tars_lib.reports.blocks.plain_text import plain_text
from tars_lib.reports.pages.html import preview
from tars_lib.reports.summaries.glance import glance
from tars_lib.stats.scheduler import using

if TYPE_CHECKING:
    from datetime import timedelta

    from tars_lib.engines.queries.moved_metrics import Moved
    from tars_lib.engines.queries.run_difference import Comparison
    from tars_lib.engines.queries.what_if import WhatIf
    from tars_lib.model.names import Event
    from tars_lib.reports.blocks.kinds import Block
    from tars_lib.reports.pages.explorer_page import ExplorerPage
    from tars_lib.text.sentences import Told


@dataclass(frozen=True, eq=False, repr=False)
class Analysis(StepReports):
    """Reports of the engines on an organisation at one time.

    Parameters
    ----------
    org : OrgData
        As it was known at `as_of`.
    as_of : datetime
        UTC.
    reports : mapping
        Name of a step to its report; each is an attribute too: ``.health``, ``.sla``.
    """

    org: OrgData
    as_of: datetime
    reports: Mapping[str, Report]

    @property
    def codes(self) -> dict[str, int]:
        """Engine to the exit code of its report."""
        return {step.name: report.exit_code for step, report in self.made()}

    @property
    def exit_code(self) -> int:
        """Return the finding that stands highest in the playbook's decision tree."""
        return highest(tuple(self.codes.values()))

    def why(self, name: str) -> Told:
        """Explain an SLA or a service in sentences.

        Raises
        ------
        UnknownNameError
            If there is neither.
        """
        from tars_lib.engines.queries.service_story import service_story
        from tars_lib.engines.sla.explanation import why

        if any(result.sla_id == name for result in self.sla.compliance_results):
            return why(self.sla, name)
        return service_story(name, self.health, self.sla, self.alerts)

    def what_if(self, objective: float | str, *sla_ids: str) -> WhatIf:
        """Judge again with another objective, such as ``"99.5%"``, for these SLAs; without names for all that are shares."""
        from tars_lib.engines.queries.what_if import objectives_of, what_if

        return what_if(self.org, objective=objectives_of(self.org, objective, sla_ids), as_of=self.as_of)

    def moved(self, event: Event | str, length: timedelta | None = None) -> Moved:
        """Say which metrics turned after an event, which may be named by title or ref; default length a day."""
        from tars_lib.engines.queries.moved_metrics import LENGTH, moved

        return moved(self.org, event, LENGTH if length is None else length)

    def compare(self, as_of: datetime | str) -> Comparison:
        """Judge the same organisation as it was known at an earlier time, and say what has changed since."""
        from tars_lib.engines.queries.run_difference import Comparison, compare

        earlier = analyze(self.org, as_of)
        return Comparison(earlier.as_of, self.as_of, compare(earlier.reports, self.reports))

    def explorer(self) -> ExplorerPage:
        """Make one page of all metrics to point at and zoom, which goes from an event to what moved; `.save(path)`."""
        from tars_lib.reports.pages.explorer_page import explorer_page

        return explorer_page(self.org)

    def blocks(self) -> tuple[Block, ...]:
        """Return what was found at a glance, as blocks of a report."""
        return glance(self.health, self.alerts, self.sla, self.exit_code)

    def __repr__(self) -> str:
        return "\n".join(plain_text(block) for block in self.blocks())

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": preview(*self.blocks())}


def analyze(
    org: OrgData,
    as_of: datetime | str | None = None,
    *,
    on_step: Callable[[str], None] | None = None,
    overdue: Overdue = NOTHING_OVERDUE,
    scheduler: object | None = None,
) -> Analysis:
    """Run all engines over an organisation.

    Parameters
    ----------
    org : OrgData
        From `load_org`.
    as_of : datetime or str, optional
        Judge what was known at this time (a time zone is needed); default the last sample.
    on_step : callable, optional
        Told the name of each step before it begins.
    overdue : Overdue
        Rungs of incidents that become alerts; by default the register is not asked, and the result follows from the data.
    scheduler : str or distributed.Client, optional
        Where pairs of repos are compared: ``threads`` (default), ``processes:N``, ``tcp://HOST:PORT`` of a Dask scheduler, or
        a client of one. The result is the same.

    Returns
    -------
    Analysis
        ``.health``, ``.alerts``, ``.correlation``, ``.temporal`` and ``.sla``, each with a ``frame``.

    Raises
    ------
    InputError
        If there are samples, and none at or before `as_of`.
    ConfigError, SchedulerError
        If the scheduler has no such form, cannot be reached, or loses its workers.
    """
    time = None if as_of is None else read_time(as_of, "as_of")
    mark = stamp()
    known, judged_at = org.at(time, mark.generated_at)
    given = EngineInput(known, judged_at, mark, overdue)
    reports: dict[str, Report] = {}
    with using(scheduler):
        for step in STEPS.values():
            if on_step is not None:
                on_step(step.name)
            reports[step.name] = given.result(step.load_engine())
    return Analysis(known, judged_at, reports)
