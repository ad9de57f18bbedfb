"""The command of an engine that has no options of its own: made from its line in `STEPS`."""

from __future__ import annotations

import click

from tars_lib.cli.engines.options import Output, codes_of, engine_options, read_input, report_argument
from tars_lib.cli.shared.shell import guarded
from tars_lib.engines.steps import Step
from tars_lib.findings.exit_codes import EXIT_CODES


def plain_command(step: Step) -> click.Command:
    """Return the command ``tars <name> --org-report FILE`` of an engine."""

    def body(
        org_report: str,
        more_reports: tuple[str, ...],
        output: Output,
        as_of: str | None,
        assume_tz: str | None,
        as_json: bool,
        verbose: bool,
        quiet: bool,
    ) -> int:
        from tars_lib.pipeline import run_engine

        report = run_engine(step.load_engine(), *read_input(org_report, more_reports, as_of, assume_tz))
        return output.emit(report, lambda: [str(report)], ())

    codes = [f"{code} {entry.meaning}" for code, entry in sorted(EXIT_CODES.items()) if entry.source == step.name]
    body.__doc__ = f"{step.purpose}\n\nCodes: {', '.join([*codes, '0 nothing found'])}."
    command = guarded(codes_of(step.name))(body)
    example = f"Example: tars {step.name} --org-report ./org-health-report.json --json"
    return click.command(step.name, epilog=example)(report_argument(engine_options(step.name)(command)))
