"""Common ground of the engine commands: their options, their codes, and how a report leaves them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tars_lib.cli.shared.build_server import policy_of, policy_option
from tars_lib.cli.shared.options import FILE, json_option, zone_option
from tars_lib.cli.shared.screen import on_screen, say
from tars_lib.cli.shared.shell import Codes, expand, guarded, print_json
from tars_lib.findings.exit_codes import EXIT_CODES
from tars_lib.findings.exit_policy import decide
from tars_lib.legacy.exit_codes import IGNORED_FLAGS, legacy_zero

if TYPE_CHECKING:
    from tars_lib.engines.report import Report
    from tars_lib.model.organisation import OrgData


def codes_of(engine: str) -> Codes:
    """Return the codes of an engine for refused input, from the table of exit codes; 1 where it has none of its own."""
    own = {entry.finding: code for code, entry in EXIT_CODES.items() if entry.source == engine}
    parse = own.get("PARSE_ERROR", own.get("INPUT_ERROR", 1))
    return Codes(own.get("NO_REPOSITORIES", parse), own.get("CONFIGURATION_ERROR", 1), parse)


@dataclass(frozen=True, slots=True)
class Output:
    """Destination of a report, and the code that is returned."""

    engine: str
    as_json: bool
    quiet: bool
    file: Path | None
    summary_only: bool
    exit_zero: bool
    exit_policy: Path | None
    legacy: bool

    def emit(
        self,
        report: Report,
        summary: Callable[[], Sequence[str]],
        dropped: Sequence[str],
        samples: bytes | None = None,
        tell: Callable[[], int] | None = None,
    ) -> int:
        """Write and print a report.

        Parameters
        ----------
        dropped : sequence of str
            Fields that the summary document leaves out.
        samples : bytes, optional
            Parquet history that goes beside the file.
        tell : callable, optional
            Tells a build server, and gives the code that the exit policy leaves; by default the policy decides by the
            report's code alone.
        """
        from tars_lib.files.atomic import write_together
        from tars_lib.files.json_records import record_text, to_json

        policy = policy_of(self.exit_policy, self.exit_zero)
        if self.file is not None:
            beside = self.file.parent / f"{self.file.stem}.history.parquet"
            files = {} if samples is None else {beside: samples}
            write_together(files | {self.file: record_text(report).encode("utf-8")})
        if self.as_json:
            document = to_json(report)
            if self.summary_only and isinstance(document, dict):
                document = {key: value for key, value in document.items() if key not in dropped}
            print_json(document)
        elif self.summary_only or (self.file is None and not self.quiet):
            say(on_screen(summary(), "add --json for all of it"))
        elif self.file is not None and not self.quiet:
            click.echo(self.file)
        code = decide(policy, (report.exit_code,)).code if tell is None else tell()
        return legacy_zero(self.engine) if self.legacy and report.exit_code == 0 and not self.exit_zero else code


def engine_options(engine: str) -> Callable[[Callable[..., int]], Callable[..., Any]]:
    """Make a command's body of a function that is given one `output` for the options that all engines take."""

    def decorate(body: Callable[..., int]) -> Callable[..., Any]:
        def with_output(*, as_json: bool, quiet: bool, **own: Any) -> int:
            options = ("output_file", "summary_only", "exit_zero", "exit_policy", "legacy_exit_codes")
            output = Output(engine, as_json, quiet, *map(own.pop, options))
            for flag in IGNORED_FLAGS:
                own.pop(flag.removeprefix("--").replace("-", "_"))
            return body(output=output, **own)

        # click's help is the docstring
        with_output.__doc__ = body.__doc__
        command: Callable[..., Any] = guarded(codes_of(engine))(with_output)
        for flag in IGNORED_FLAGS:
            command = click.option(flag, is_flag=True, hidden=True)(command)
        command = policy_option(command)
        for option in (
            click.option("--legacy-exit-codes", is_flag=True, help=f"Return {legacy_zero(engine)} instead of 0."),
            click.option("--exit-zero", is_flag=True, help="Return 0 for findings; errors keep their code."),
            zone_option,
            click.option("--as-of", metavar="TIME", help="Judge what was known at this time; default the last sample."),
            click.option("--summary-only", is_flag=True, help="A short text; with --json a smaller document."),
            json_option,
            click.option("--output", "output_file", type=FILE, help="Write the report here."),
        ):
            command = option(command)
        return command

    return decorate


@dataclass(frozen=True, slots=True)
class ReportSource:
    """Health report that was named on the command line, and the time that it is judged at."""

    report: str
    more: Sequence[str]
    as_of: str | None
    assume_tz: str | None

    def read(self) -> tuple[OrgData, datetime]:
        """Return the organisation and the time."""
        from tars_lib.model.times import read_time, read_zone
        from tars_lib.pipeline import now
        from tars_lib.pipeline.health_report import load_org_report

        zone = None if self.assume_tz is None else read_zone(self.assume_tz)
        org, judged_at = load_org_report(expand([self.report, *self.more], "an org-health-report.json"), zone)
        # a report of this package says itself when it was judged, and what was known then
        time = None if org.asked_until is not None else judged_at
        return org.at(time if self.as_of is None else read_time(self.as_of, "--as-of", zone), now())


def report_argument(body: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--org-report FILE...`: a path, several that the shell expanded, or a pattern that it could not.

    The body is given them as one `source`, together with `--as-of` and `--assume-tz`.
    """

    @wraps(body)
    def with_source(
        *, org_report: str, more_reports: Sequence[str], as_of: str | None, assume_tz: str | None, **own: Any
    ) -> Any:
        return body(source=ReportSource(org_report, more_reports, as_of, assume_tz), **own)

    command = click.argument("more_reports", nargs=-1, metavar="[FILE]...")(with_source)
    return click.option(
        "--org-report",
        required=True,
        metavar="FILE...",
        help="org-health-report.json; of several, or of what a pattern matches, the newest is used.",
    )(command)


def one_file(name: str | None, needed: str) -> Path | None:
    """Return the file that an option names, literally or by a pattern; None where the option is not given."""
    return None if name is None else expand([name], needed)


def without_path(report: Any, name: str | None, digest: str | None) -> Any:
    """Return a health report whose history stands in the file `name` beside it, or nowhere."""
    return replace(report, history=replace(report.history, path=name, sha256=digest))
