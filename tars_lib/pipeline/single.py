"""One engine by itself: what it rests on is given as reports, or made in memory.

A command loads the engines that it runs, and no others.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tars_lib.engines.alerts.report import AlertReport
from tars_lib.engines.relations.correlation_report import CorrelationReport
from tars_lib.engines.relations.lead_lag_report import TemporalReport
from tars_lib.engines.report import Report
from tars_lib.engines.sla.report import SlaReport
from tars_lib.files.json_records import read_record
from tars_lib.model.names import InputFile
from tars_lib.model.organisation import OrgData
from tars_lib.model.slo import Window
from tars_lib.pipeline.sealed import refuse_altered
from tars_lib.pipeline.stamping import stamp

if TYPE_CHECKING:
    from tars_lib.playbook.escalation import Overdue

R = TypeVar("R", bound=Report)


@dataclass(frozen=True, slots=True, eq=False)
class Upstream:
    """Reports of other engines that were given; None: made in memory. `inputs` are their files."""

    alerts: AlertReport | None = None
    correlation: CorrelationReport | None = None
    temporal: TemporalReport | None = None
    inputs: tuple[InputFile, ...] = ()

    def mark(self, report: R) -> R:
        """The report with these files among its inputs, and a warning where one is of another time."""
        given = (self.alerts, self.correlation, self.temporal)
        others = [one for one in given if one is not None and one.as_of != report.as_of]
        notes = [
            f"{one.report_id} was judged as of {one.as_of:%Y-%m-%d %H:%M} UTC, this report as of "
            f"{report.as_of:%Y-%m-%d %H:%M} UTC"
            for one in others
        ]
        return replace(report, inputs=(*report.inputs, *self.inputs), warnings=(*report.warnings, *notes))


def read_upstream(
    alerts: Path | None = None, correlation: Path | None = None, temporal: Path | None = None
) -> Upstream:
    """Reports of other engines from their files.

    Raises
    ------
    InputError
        If one cannot be read, or lies in a run directory and is not as it was written.
    """
    files = [path for path in (alerts, correlation, temporal) if path is not None]
    for path in files:
        refuse_altered(path)
    return Upstream(
        None if alerts is None else read_record(AlertReport, alerts),
        None if correlation is None else read_record(CorrelationReport, correlation),
        None if temporal is None else read_record(TemporalReport, temporal),
        tuple(InputFile(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files),
    )


def analyze_alerts(org: OrgData, as_of: datetime, overdue: Overdue | None = None) -> AlertReport:
    """Alerts of an organisation as returned by `OrgData.at`; health and SLAs are judged in memory."""
    from tars_lib.engines.alerts.assess import assess_alerts
    from tars_lib.engines.health.assess import assess_health
    from tars_lib.engines.sla.assess import assess_slas
    from tars_lib.playbook.escalation import NOTHING_OVERDUE

    mark = stamp()
    health = assess_health(org, as_of, mark)
    return assess_alerts(org, as_of, health, assess_slas(org, as_of, health, mark), mark, overdue or NOTHING_OVERDUE)


def analyze_correlation(org: OrgData, as_of: datetime) -> CorrelationReport:
    """Correlations and clusters of an organisation as returned by `OrgData.at`."""
    from tars_lib.engines.relations.correlation import assess_correlation

    return assess_correlation(org, as_of, stamp())


def analyze_temporal(
    org: OrgData, as_of: datetime, given: Upstream | None = None, max_lag: int | None = None
) -> TemporalReport:
    """Lead-lag and propagation of an organisation as returned by `OrgData.at`; the rest is made in memory."""
    from tars_lib.engines.health.assess import assess_health
    from tars_lib.engines.relations.correlation import assess_correlation
    from tars_lib.engines.relations.lead_lag import assess_temporal
    from tars_lib.engines.relations.pair_evidence import MAX_LAG, gather_evidence
    from tars_lib.engines.sla.assess import assess_slas

    mark, upstream = stamp(), given or Upstream()
    longest = MAX_LAG if max_lag is None else max_lag
    evidence = gather_evidence(org, longest)
    health = assess_health(org, as_of, mark)
    # of the SLAs only what is left of the budgets is asked for, so no window informs
    judged = assess_slas(org, as_of, health, mark, ())
    clusters = upstream.correlation or assess_correlation(org, as_of, mark, evidence)
    return upstream.mark(assess_temporal(org, as_of, clusters, judged, mark, longest, evidence))


def analyze_slas(
    org: OrgData, as_of: datetime, given: Upstream | None = None, windows: tuple[Window, ...] = ()
) -> SlaReport:
    """SLAs of an organisation as returned by `OrgData.at`, with causes from all upstream engines.

    Parameters
    ----------
    org : OrgData
    as_of : datetime
    given : Upstream, optional
        Reports that are there already; what is missing is made in memory.
    windows : tuple of Window
        Measured besides the usual ones.
    """
    from tars_lib.engines.health.assess import assess_health
    from tars_lib.engines.sla.assess import assess_slas
    from tars_lib.engines.sla.verdict import INFORMING

    mark, upstream = stamp(), given or Upstream()
    health = assess_health(org, as_of, mark)
    judged = assess_slas(org, as_of, health, mark, (*windows, *(w for w in INFORMING if w not in windows)))
    if not judged.breaches:
        return upstream.mark(judged)
    from tars_lib.engines.alerts.assess import assess_alerts
    from tars_lib.engines.relations.correlation import assess_correlation
    from tars_lib.engines.relations.lead_lag import assess_temporal
    from tars_lib.engines.relations.pair_evidence import gather_evidence
    from tars_lib.pipeline.joined import join_upstream

    alerts = upstream.alerts or assess_alerts(org, as_of, health, judged, mark)
    correlation, temporal = upstream.correlation, upstream.temporal
    if correlation is None or temporal is None:
        evidence = gather_evidence(org)
        correlation = correlation or assess_correlation(org, as_of, mark, evidence)
        temporal = temporal or assess_temporal(org, as_of, correlation, judged, mark, evidence=evidence)
    return upstream.mark(join_upstream(judged, alerts, correlation, temporal))
