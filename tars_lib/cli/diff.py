"""`tars diff`: what got better and what got worse between two runs?"""

from __future__ import annotations

import click

from tars_lib.cli.shared.options import json_option
from tars_lib.cli.shared.screen import on_screen, say
from tars_lib.cli.shared.shell import REPORT, expand, guarded, print_json
from tars_lib.text.times import MINUTES


@click.command(
    epilog="Example: tars diff ./reports/runs/tars-run-20260105-143000 ./reports/runs/tars-run-20260105-150000"
)
@click.argument("run1")
@click.argument("run2")
@json_option
@guarded(REPORT)
def diff(run1: str, run2: str, as_json: bool, quiet: bool) -> int:
    """Compare RUN1 (before) with RUN2 (after): verdicts, scores, alerts and the impact of propagation paths."""
    from tars_lib.engines.queries.run_difference import compare
    from tars_lib.pipeline import load_run

    runs = [load_run(expand([name], "a run directory")) for name in (run1, run2)]
    changes = compare(*(run.reports for run in runs))
    if as_json:
        print_json({"before": runs[0].run_id, "after": runs[1].run_id, "changes": changes})
        return 0
    lines = [f"{run.run_id} (as of {run.status.as_of:{MINUTES}})" for run in runs]
    lines += [
        f"  {change.direction.value:7}  {change.subject}: {change.before} -> {change.after}" for change in changes
    ]
    if not changes:
        lines.append("  nothing changed")
    say(on_screen(lines, "add --json for all of them"))
    return 0
