"""`tars correlation`: which repos move together beyond chance, and is that anomalous now?"""

from __future__ import annotations

import click

from tars_lib.cli.engines.options import Output, codes_of, engine_options, read_input, report_argument
from tars_lib.cli.shared.shell import guarded


@click.command(epilog="Example: tars correlation --org-report ./org-health-report.json --json")
@report_argument
@engine_options("correlation")
@guarded(codes_of("correlation"))
def correlation(
    org_report: str,
    more_reports: tuple[str, ...],
    output: Output,
    as_of: str | None,
    assume_tz: str | None,
    as_json: bool,
    verbose: bool,
    quiet: bool,
) -> int:
    """Find services that move together in an org-health report, their clusters and what they share.

    Codes: 122 a critical cross-repo anomaly, 121 correlations, 0 none; 123 configuration error, 124 the report could not be
    read.
    """
    from tars_lib.cli.engines.summaries import correlation_lines
    from tars_lib.engines.judging import report_correlation
    from tars_lib.pipeline import run_engine

    report = run_engine(report_correlation, *read_input(org_report, more_reports, as_of, assume_tz))
    return output.emit(report, lambda: correlation_lines(report), ("correlations",))
