"""Input of an engine: an organisation, the time that it is judged at, and what the engines before it found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, cast

from tars_lib.engines.report import Stamp
from tars_lib.model.organisation import OrgData
from tars_lib.model.slo import Window
from tars_lib.playbook.escalation import NOTHING_OVERDUE, Overdue
from tars_lib.stats.parallel import one_blas_thread

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class EngineInput:
    """The one argument of every engine in `STEPS`.

    Parameters
    ----------
    org : OrgData
        As returned by `OrgData.at`.
    as_of : datetime
        UTC.
    stamp : Stamp
        Clock and version for the head of reports.
    overdue : Overdue
        Rungs of incidents that become alerts.
    windows : tuple of Window, optional
        Measured beside each SLA's own window; default the usual ones.
    max_lag : int, optional
        Longest lag of a pair, in samples; default the usual one.
    results : dict
        Engine or part of one to what it found; what is here is not computed again.
    """

    org: OrgData
    as_of: datetime
    stamp: Stamp
    overdue: Overdue = NOTHING_OVERDUE
    windows: tuple[Window, ...] | None = None
    max_lag: int | None = None
    results: dict[Callable[[EngineInput], Any], object] = field(default_factory=dict)

    def result(self, engine: Callable[[EngineInput], T]) -> T:
        """Return what an engine, or a part that several share, finds in this input; computed once.

        The products of matrices in here are small: threads for each would cost more than they save, the more so where other
        processes are at work.
        """
        if engine not in self.results:
            with one_blas_thread():
                self.results[engine] = engine(self)
        return cast("T", self.results[engine])
