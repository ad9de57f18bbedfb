"""`tars temporal`: who leads whom, and is trouble spreading now?"""

from __future__ import annotations

import click

from tars_lib.cli.engines.options import Output, ReportSource, engine_options, one_file, report_argument


@click.command(epilog="Example: tars temporal --org-report ./org-health-report.json --json")
@report_argument
@click.option("--trend-correlation-report", metavar="FILE", help="Made in memory when it is not given.")
@click.option("--max-lag", type=click.IntRange(1, 365), default=14, show_default=True, help="Longest lag, in samples.")
@engine_options("temporal")
def temporal(source: ReportSource, trend_correlation_report: str | None, max_lag: int, output: Output) -> int:
    """Find leaders, followers and propagation paths in an org-health report.

    Codes: 132 critical propagation risk, 131 temporal correlations, 0 none; 133 configuration error, 134 the report could
    not be read.
    """
    from tars_lib.cli.engines.summaries import temporal_lines
    from tars_lib.engines.judging import report_temporal
    from tars_lib.pipeline import read_upstream, run_engine

    org, judged_at = source.read()
    upstream = read_upstream(correlation=one_file(trend_correlation_report, "a trend-correlation-report.json"))
    # of the SLAs only what is left of the budgets is asked for, so no window informs
    report = run_engine(report_temporal, org, judged_at, upstream, windows=(), max_lag=max_lag)
    return output.emit(report, lambda: temporal_lines(report), ("lead_lag", "influence_scores"))
