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


def report_health(engine_input: EngineInput) -> HealthReport:
    """Score the organisation and its repos."""
    from tars_lib.engines.health.assess import assess_health

    return assess_health(engine_input.org, engine_input.as_of, engine_input.stamp)


def judge_slas(engine_input: EngineInput) -> SlaReport:
    """Judge the SLAs by their own numbers alone; `report_slas` adds what the other engines know about the breaches."""
    from tars_lib.engines.sla.assess import assess_slas
    from tars_lib.engines.sla.verdict import INFORMING

    windows = INFORMING if engine_input.windows is None else engine_input.windows
    return assess_slas(
        engine_input.org, engine_input.as_of, engine_input.result(report_health), engine_input.stamp, windows
    )


def report_alerts(engine_input: EngineInput) -> AlertReport:
    """Raise alerts from health and from the verdicts on SLAs."""
    from tars_lib.engines.alerts.assess import assess_alerts

    health, judged = engine_input.result(report_health), engine_input.result(judge_slas)
    return assess_alerts(engine_input.org, engine_input.as_of, health, judged, engine_input.stamp, engine_input.overdue)


def gather_pairs(engine_input: EngineInput) -> Evidence:
    """Test all pairs of repos, at lag 0 and at others."""
    from tars_lib.engines.relations.pair_evidence import MAX_LAG, gather_evidence

    return gather_evidence(engine_input.org, MAX_LAG if engine_input.max_lag is None else engine_input.max_lag)


def report_correlation(engine_input: EngineInput) -> CorrelationReport:
    """Find repos that move together, and clusters of them."""
    from tars_lib.engines.relations.correlation import assess_correlation

    return assess_correlation(
        engine_input.org, engine_input.as_of, engine_input.stamp, engine_input.result(gather_pairs)
    )


def report_temporal(engine_input: EngineInput) -> TemporalReport:
    """Find leaders, followers and the paths along which trouble spreads."""
    from tars_lib.engines.relations.lead_lag import assess_temporal
    from tars_lib.engines.relations.pair_evidence import MAX_LAG

    longest = MAX_LAG if engine_input.max_lag is None else engine_input.max_lag
    clusters, judged = engine_input.result(report_correlation), engine_input.result(judge_slas)
    return assess_temporal(
        engine_input.org,
        engine_input.as_of,
        clusters,
        judged,
        engine_input.stamp,
        longest,
        engine_input.result(gather_pairs),
    )


def report_slas(engine_input: EngineInput) -> SlaReport:
    """Judge the SLAs, and explain the breaches by what every other engine found."""
    from tars_lib.engines.joined import join_upstream

    judged = engine_input.result(judge_slas)
    if not judged.breaches:
        return judged
    upstream = (
        engine_input.result(report_alerts),
        engine_input.result(report_correlation),
        engine_input.result(report_temporal),
    )
    return join_upstream(judged, *upstream)
