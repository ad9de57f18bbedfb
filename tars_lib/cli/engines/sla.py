"""`tars sla`: which SLAs are breached, why, and how ready is the organisation?"""

from __future__ import annotations

from pathlib import Path

import click

from tars_lib.cli.engines.options import Output, ReportSource, engine_options, one_file, report_argument
from tars_lib.cli.shared.build_server import build_of, junit_option, summary_option
from tars_lib.cli.shared.options import policy_files_option


@click.command(epilog="Example: tars sla --org-report ./org-health-report.json --json")
@report_argument
@click.option("--alerts-report", metavar="FILE", help="org-alerts.json; made in memory when it is not given.")
@click.option("--trend-correlation-report", metavar="FILE", help="trend-correlation-report.json; likewise.")
@click.option("--temporal-intelligence-report", metavar="FILE", help="temporal-intelligence-report.json; likewise.")
@policy_files_option("the report's own policies")
@click.option(
    "--window", "days", type=click.IntRange(1, 3660), multiple=True, help="Days to measure besides; repeatable."
)
@summary_option
@junit_option
@engine_options("sla")
def sla(
    source: ReportSource,
    alerts_report: str | None,
    trend_correlation_report: str | None,
    temporal_intelligence_report: str | None,
    sla_policy: tuple[Path, ...],
    days: tuple[int, ...],
    github_summary: str | None,
    junit: Path | None,
    output: Output,
) -> int:
    """Check the SLAs of an org-health report and explain the breaches.

    Codes: 142 a breach, 141 an SLA at risk, 0 neither; 143 configuration error, 144 a report could not be read.
    """
    from tars_lib.cli.engines.summaries import sla_lines
    from tars_lib.engines.health.assess import describe_history
    from tars_lib.engines.judging import report_slas
    from tars_lib.engines.queries.incident_state import incident_state
    from tars_lib.engines.sla.verdict import INFORMING
    from tars_lib.model.slo import Window
    from tars_lib.pipeline import read_upstream, run_engine

    build = build_of(github_summary, junit, output.exit_policy, output.exit_zero)
    with build.reporting_errors("tars sla"):
        org, judged_at = source.read()
        if sla_policy:
            from tars_lib.config.sla_policies import read_policy_paths

            policy_set, _ = read_policy_paths([(path, path.name) for path in sla_policy], metrics=org.metrics)
            names = ", ".join(path.name for path in sla_policy)
            org = org.judged_by(policy_set.policies, names, policy_set.notes, policy_set.counters)
        build.check([policy.sla_id for policy in org.policies])
        upstream = read_upstream(
            alerts=one_file(alerts_report, "an org-alerts.json"),
            correlation=one_file(trend_correlation_report, "a trend-correlation-report.json"),
            temporal=one_file(temporal_intelligence_report, "a temporal-intelligence-report.json"),
        )
        windows = tuple(dict.fromkeys((*(Window(days=length) for length in days), *INFORMING)))
        report = run_engine(report_slas, org, judged_at, upstream, windows=windows)
    state = incident_state(describe_history(org).interval, report)
    return output.emit(
        report,
        lambda: [build.line(line) for line in sla_lines(report, state)],
        ("scorecard", "risk_narrative"),
        tell=lambda: build.tell(report, state, org.name, {"sla": report.exit_code}),
    )
