"""The command of an engine that has no options of its own: made from its line in `STEPS`."""

from __future__ import annotations

import click

from tars_lib.cli.engines.options import Output, ReportSource, engine_options, report_argument
from tars_lib.engines.steps import Step
from tars_lib.findings.exit_codes import EXIT_CODES


def plain_command(step: Step) -> click.Command:
    """Return the command ``tars <name> --org-report FILE`` of an engine."""

    def body(source: ReportSource, output: Output) -> int:
        from tars_lib.pipeline import run_engine

        report = run_engine(step.load_engine(), *source.read())
        return output.emit(report, lambda: [str(report)], ())

    codes = [f"{code} {entry.meaning}" for code, entry in sorted(EXIT_CODES.items()) if entry.source == step.name]
    body.__doc__ = f"{step.purpose}\n\nCodes: {', '.join([*codes, '0 nothing found'])}."
    example = f"Example: tars {step.name} --org-report ./org-health-report.json --json"
    return click.command(step.name, epilog=example)(report_argument(engine_options(step.name)(body)))
