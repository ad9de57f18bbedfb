"""Service to a build server: job summary and annotations, JUnit file, and the code that the exit policy leaves."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tars_lib.cli.shared.options import FILE, PATH
from tars_lib.errors import TarsError
from tars_lib.findings.exit_policy import EVERY_FINDING, NO_FINDING, ExitPolicy, check_names, decide

if TYPE_CHECKING:
    from tars_lib.engines.queries.incident_state import IncidentState
    from tars_lib.engines.sla.report import SlaReport
    from tars_lib.reports.notebooks.bulk import Outcome

SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"
_FROM_ENVIRONMENT = "$"


@dataclass(frozen=True, slots=True)
class Build:
    """A build server's share of a command: what it is told, and which code it gets.

    Attributes
    ----------
    summary : Path or None
        File that the job summary is appended to; with it, annotations go to stderr.
    policy_from : str
        How messages name the policy's file.
    """

    summary: Path | None
    junit: Path | None
    policy: ExitPolicy
    policy_from: str

    def check(self, slas: Collection[str]) -> None:
        """Refuse a policy that names an SLA which is not there."""
        check_names(self.policy, slas, self.policy_from)

    @contextmanager
    def reporting_errors(self, command: str) -> Iterator[None]:
        """Report every refusal and failure inside to the build server, too, and raise it on."""
        try:
            yield
        except (TarsError, OSError) as error:
            from tars_lib.cli.shared.shell import sentence_of

            sentence = sentence_of(error)
            if self.summary is not None:
                from tars_lib.reports.summaries.annotations import Annotation
                from tars_lib.reports.summaries.job_summary import failure_summary

                self._append(failure_summary(command, sentence))
                click.echo(Annotation("error", f"{command} judged nothing", (sentence,)).command(), err=True)
            if self.junit is not None:
                from tars_lib.files.atomic import write_text
                from tars_lib.pipeline import now
                from tars_lib.reports.summaries.junit import error_case

                write_text(self.junit, error_case(command, sentence, now()))
            raise

    def tell(
        self, sla: SlaReport, state: IncidentState, org: str, codes: Mapping[str, int], run: str | None = None
    ) -> int:
        """Write what is asked for, and return the code for the build server.

        Parameters
        ----------
        state : IncidentState
            What the summary leads with.
        """
        decision = decide(self.policy, codes.values(), {r.sla_id: r.status for r in sla.compliance_results})
        if self.junit is not None:
            from tars_lib.files.atomic import write_text
            from tars_lib.reports.summaries.junit import sla_cases

            write_text(self.junit, sla_cases(sla, org))
        if self.summary is not None:
            from tars_lib.reports.summaries.annotations import annotate
            from tars_lib.reports.summaries.job_summary import job_summary

            self._append(job_summary(sla, state, org, codes, decision, run))
            for annotation in annotate(sla, codes.values(), decision):
                click.echo(annotation.command(), err=True)
        return decision.code

    def tell_reports(self, outcomes: Sequence[Outcome]) -> None:
        """Write what became of reports: a summary a run, and an annotation for each that failed."""
        if self.summary is None:
            return
        from tars_lib.incidents.views.standing import state_by
        from tars_lib.pipeline import load_run
        from tars_lib.reports.summaries.reports_summary import annotate_reports, reports_summary

        runs = dict.fromkeys(str(outcome.job.parameters["run_dir"]) for outcome in outcomes)
        for run_dir in runs:
            run = load_run(Path(run_dir))
            mine = [outcome for outcome in outcomes if outcome.job.parameters["run_dir"] == run_dir]
            self._append(reports_summary(run.sla, state_by(run, None), run.org.name, run.run_id, mine))
        for annotation in annotate_reports(outcomes):
            click.echo(annotation.command(), err=True)

    def line(self, text: str) -> str:
        """Return a line of output; where GitHub reads along, nothing in it is a command."""
        if self.summary is None:
            return text
        from tars_lib.reports.summaries.annotations import inert

        return inert(text)

    def _append(self, text: str) -> None:
        from tars_lib.files.atomic import write_bytes

        if self.summary is not None:
            # steps of one job share the file, so what stands in it is kept
            before = self.summary.read_bytes() if self.summary.is_file() else b""
            write_bytes(self.summary, before + text.encode("utf-8"))


policy_option = click.option(
    "--exit-policy", type=PATH, metavar="FILE", help="YAML that says which findings fail a build; others return 0."
)
summary_option = click.option(
    "--github-summary",
    is_flag=False,
    flag_value=_FROM_ENVIRONMENT,
    metavar="[FILE]",
    help=f"Append a job summary to FILE, else to ${SUMMARY_VARIABLE}; annotations go to stderr.",
)
junit_option = click.option("--junit", type=FILE, metavar="FILE", help="Write the SLAs as test cases.")


def policy_of(exit_policy: Path | None, exit_zero: bool) -> ExitPolicy:
    """Return the policy in force; read before anything is judged.

    Raise click.UsageError if `--exit-zero` is given, too, and ConfigError if the file is not acceptable.
    """
    if exit_policy is None:
        return NO_FINDING if exit_zero else EVERY_FINDING
    if exit_zero:
        raise click.UsageError("--exit-zero and --exit-policy both say which findings return 0; give one of them.")
    from tars_lib.findings.config import read_exit_policy

    return read_exit_policy(exit_policy)


def build_of(github_summary: str | None, junit: Path | None, exit_policy: Path | None, exit_zero: bool) -> Build:
    """Return the build that the options of a command ask for.

    Raise click.UsageError if `--github-summary` names no file and the environment does not, either.
    """
    summary_file = os.environ.get(SUMMARY_VARIABLE) if github_summary == _FROM_ENVIRONMENT else github_summary
    if github_summary is not None and not summary_file:
        raise click.UsageError(f"--github-summary: ${SUMMARY_VARIABLE} is not set; name a FILE.")
    if summary_file and Path(summary_file).exists() and not Path(summary_file).is_file():
        raise click.UsageError(f"--github-summary: {summary_file} is no file; allowed: a file, there or not yet.")
    outside = Build(None if not summary_file else Path(summary_file), junit, EVERY_FINDING, "")
    with outside.reporting_errors("exit policy"):
        policy = policy_of(exit_policy, exit_zero)
    return Build(outside.summary, junit, policy, str(exit_policy))
