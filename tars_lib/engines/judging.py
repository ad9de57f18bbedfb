"""The engines as functions of one argument, as `STEPS` names them: each asks for what it rests on.

An engine loads when it is called, and no other with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tars_lib.engines.engine_input import EngineInput

if TYPE_CHECKING:
    from tars_lib.engines.alerts.report import AlertReport
    from tars_lib.engines.health.report import HealthReport
    from tars_lib.engines.relations.correlation_report import CorrelationReport
    from tars_lib.engines.relations.lead_lag_report import TemporalReport
    from tars_lib.engines.relations.pair_evidence import Evidence
    from tars_lib.engines.sla.report import SlaReport


def report_health(given: EngineInput) -> HealthReport:
    """Score the organisation and its repos."""
    from tars_lib.engines.health.assess import assess_health

    return assess_health(given.org, given.as_of, given.stamp)


def judge_slas(given: EngineInput) -> SlaReport:
    """Judge the SLAs by their own numbers alone; `report_slas` adds what the other engines know about the breaches."""
    from tars_lib.engines.sla.assess import assess_slas
    from tars_lib.engines.sla.verdict import INFORMING

    windows = INFORMING if given.windows is None else given.windows
    return assess_slas(given.org, given.as_of, given.result(report_health), given.stamp, windows)


def report_alerts(given: EngineInput) -> AlertReport:
    """Raise alerts from health and from the verdicts on SLAs."""
    from tars_lib.engines.alerts.assess import assess_alerts

    health, judged = given.result(report_health), given.result(judge_slas)
    return assess_alerts(given.org, given.as_of, health, judged, given.stamp, given.overdue)


def gather_pairs(given: EngineInput) -> Evidence:
    """Test all pairs of repos, at lag 0 and at others."""
    from tars_lib.engines.relations.pair_evidence import MAX_LAG, gather_evidence

    return gather_evidence(given.org, MAX_LAG if given.max_lag is None else given.max_lag)


def report_correlation(given: EngineInput) -> CorrelationReport:
    """Find repos that move together, and clusters of them."""
    from tars_lib.engines.relations.correlation import assess_correlation

    return assess_correlation(given.org, given.as_of, given.stamp, given.result(gather_pairs))


def report_temporal(given: EngineInput) -> TemporalReport:
    """Find leaders, followers and the paths along which trouble spreads."""
    from tars_lib.engines.relations.lead_lag import assess_temporal
    from tars_lib.engines.relations.pair_evidence import MAX_LAG

    longest = MAX_LAG if given.max_lag is None else given.max_lag
    clusters, judged = given.result(report_correlation), given.result(judge_slas)
    return assess_temporal(given.org, given.as_of, clusters, judged, given.stamp, longest, given.result(gather_pairs))


def report_slas(given: EngineInput) -> SlaReport:
    """Judge the SLAs, and explain the breaches by what every other engine found."""
    from tars_lib.engines.joined import join_upstream

    judged = given.result(judge_slas)
    if not judged.breaches:
        return judged
    upstream = given.result(report_alerts), given.result(report_correlation), given.result(report_temporal)
    return join_upstream(judged, *upstream)
