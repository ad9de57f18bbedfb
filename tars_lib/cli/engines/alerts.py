"""`tars alerts`: what has to be looked at now, and in which order?"""

from __future__ import annotations

from pathlib import Path

import click

from tars_lib.cli.engines.options import Output, ReportSource, engine_options, report_argument
from tars_lib.cli.engines.overdue import overdue_of, register_option


@click.command(epilog="Example: tars alerts --org-report ./org-health-report.json --json")
@report_argument
@register_option
@engine_options("alerts")
def alerts(source: ReportSource, incidents_dir: Path | None, output: Output) -> int:
    """Raise alerts from an org-health report, in the playbook's order of priority.

    Codes: 102 critical alerts, 101 alerts but none critical, 0 none; 103 configuration error, 104 the report could not be read.
    """
    from tars_lib.cli.engines.summaries import alert_lines
    from tars_lib.engines.judging import report_alerts
    from tars_lib.pipeline import run_engine

    late = overdue_of(incidents_dir)
    report = run_engine(report_alerts, *source.read(), overdue=late)
    return output.emit(report, lambda: alert_lines(report), ("findings", "inputs"))
