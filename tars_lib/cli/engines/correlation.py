"""`tars correlation`: which repos move together beyond chance, and is that anomalous now?"""

from __future__ import annotations

import click

from tars_lib.cli.engines.options import Output, ReportSource, engine_options, report_argument


@click.command(epilog="Example: tars correlation --org-report ./org-health-report.json --json")
@report_argument
@engine_options("correlation")
def correlation(source: ReportSource, output: Output) -> int:
    """Find services that move together in an org-health report, their clusters and what they share.

    Codes: 122 a critical cross-repo anomaly, 121 correlations, 0 none; 123 configuration error, 124 the report could not be
    read.
    """
    from tars_lib.cli.engines.summaries import correlation_lines
    from tars_lib.engines.judging import report_correlation
    from tars_lib.pipeline import run_engine

    report = run_engine(report_correlation, *source.read())
    return output.emit(report, lambda: correlation_lines(report), ("correlations",))
