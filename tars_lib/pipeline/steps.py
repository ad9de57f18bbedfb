"""All engines over an organisation, in their order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tars_lib.engines.alerts.assess import assess_alerts
from tars_lib.engines.alerts.report import AlertReport
from tars_lib.engines.health.assess import assess_health
from tars_lib.engines.health.report import HealthReport
from tars_lib.engines.relations.correlation import assess_correlation
from tars_lib.engines.relations.correlation_report import CorrelationReport
from tars_lib.engines.relations.lead_lag import assess_temporal
from tars_lib.engines.relations.lead_lag_report import TemporalReport
from tars_lib.engines.relations.pair_evidence import gather_evidence
from tars_lib.engines.sla.assess import assess_slas
from tars_lib.engines.sla.report import SlaReport
from tars_lib.findings.exit_codes import highest
from tars_lib.model.organisation import OrgData
from tars_lib.model.times import read_time
from tars_lib.pipeline.joined import join_upstream
from tars_lib.pipeline.stamping import stamp
from tars_lib.playbook.escalation import NOTHING_OVERDUE, Overdue
from tars_lib.reports.blocks.plain_text import plain_text
from tars_lib.reports.pages.html import preview
from tars_lib.reports.summaries.glance import glance

if TYPE_CHECKING:
    from tars_lib.reports.blocks.kinds import Block


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Analysis:
    """What the engines found in an organisation at one time."""

    org: OrgData
    as_of: datetime
    health: HealthReport
    alerts: AlertReport
    correlation: CorrelationReport
    temporal: TemporalReport
    sla: SlaReport

    @property
    def codes(self) -> dict[str, int]:
        """Engine to the exit code of its report."""
        engines = ("health", "alerts", "correlation", "temporal", "sla")
        return {engine: getattr(self, engine).exit_code for engine in engines}

    @property
    def exit_code(self) -> int:
        """The finding that stands highest in the playbook's decision tree."""
        return highest(tuple(self.codes.values()))

    def blocks(self) -> tuple[Block, ...]:
        """What was found at a glance, as blocks of a report."""
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

    Returns
    -------
    Analysis
        ``.health``, ``.alerts``, ``.correlation``, ``.temporal`` and ``.sla``, each with a ``frame``.

    Raises
    ------
    InputError
        If there are samples, and none at or before `as_of`.
    """
    time = None if as_of is None else read_time(as_of, "as_of")
    mark = stamp()
    known, judged_at = org.at(time, mark.generated_at)
    tell = on_step or (lambda step: None)
    tell("health")
    health = assess_health(known, judged_at, mark)
    tell("sla")
    judged = assess_slas(known, judged_at, health, mark)
    tell("alerts")
    alerts = assess_alerts(known, judged_at, health, judged, mark, overdue)
    tell("correlation")
    evidence = gather_evidence(known)
    correlation = assess_correlation(known, judged_at, mark, evidence)
    tell("temporal")
    temporal = assess_temporal(known, judged_at, correlation, judged, mark, evidence=evidence)
    sla = join_upstream(judged, alerts, correlation, temporal)
    return Analysis(known, judged_at, health, alerts, correlation, temporal, sla)
