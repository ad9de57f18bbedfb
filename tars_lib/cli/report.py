"""`tars report`: from a run directory to executed notebooks, HTML and PDF."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tars_lib.cli.shared.build_server import build_of, summary_option
from tars_lib.cli.shared.options import PATH, scheduler_option
from tars_lib.cli.shared.shell import REPORT, expand, guarded, progress
from tars_lib.cli.shared.stores import PLACE, stores
from tars_lib.errors import InputError, ReportError

if TYPE_CHECKING:
    from tars_lib.files.object_store import StorePath
    from tars_lib.reports.notebooks.bulk import Outcome

_SOURCE_LINES = 12
"""Lines of a failing cell that are shown; judgement: the cells of the workbook have fewer."""


@click.command(epilog="Example: tars report incident_report --run ./reports/runs/tars-run-20260105-143000")
@click.argument("notebooks", nargs=-1, metavar="[NOTEBOOK]...")
@click.option(
    "--run",
    "run_patterns",
    multiple=True,
    metavar="RUN_DIR",
    help="Run directory, s3:// and so on too; a glob means the newest match. Repeatable: each gets a folder of its own.",
)
@click.option("--all", "all_called_for", is_flag=True, help="The notebooks that the run's findings call for.")
@click.option("--incident", metavar="ID", help="Incident id that the report belongs to.")
@click.option(
    "--parameters",
    "parameter_file",
    type=PATH,
    metavar="FILE",
    help="YAML with parameters, such as parameters/propagation.yaml.",
)
@click.option("-p", "given", multiple=True, metavar="NAME=VALUE", help="One parameter; goes before FILE. Repeatable.")
@click.option(
    "--output",
    type=PLACE,
    help="Where to write, of several runs OUTPUT/<run>/; default outputs/<run>/; s3://, gs:// or abfs:// too.",
)
@click.option(
    "--format",
    "formats",
    default="html,pdf",
    show_default=True,
    help="What to export: html, pdf or both, comma separated.",
)
@click.option("--workers", type=click.IntRange(1, 16), default=2, show_default=True, help="Notebooks run at once.")
@scheduler_option
@summary_option
@guarded(REPORT)
def report(
    notebooks: tuple[str, ...],
    run_patterns: tuple[str, ...],
    all_called_for: bool,
    incident: str | None,
    parameter_file: Path | None,
    given: tuple[str, ...],
    output: Path | StorePath | None,
    formats: str,
    workers: int,
    scheduler: str | None,
    github_summary: str | None,
    quiet: bool,
) -> int:
    """Execute each NOTEBOOK (such as incident_report) on a run and export it; with --all, those that its findings call for.

    The executed notebooks, HTML pages and PDFs are written to the output folder; their paths are printed. A failing
    notebook does not stop the others: its cell is shown, it is kept for the analyst and never exported; the code is
    then 1. Wrong parameters end the command before any notebook runs.
    """
    if all_called_for == bool(notebooks):
        raise click.UsageError("Give either the names of notebooks or --all.")
    wanted = tuple(part.strip().lower() for part in formats.split(",") if part.strip())
    strange = [part for part in wanted if part not in ("html", "pdf")]
    if strange or not wanted:
        raise click.BadParameter(f"{formats!r}; allowed: html, pdf or html,pdf", param_hint="--format")
    build = build_of(github_summary, None, None, exit_zero=False)
    with build.reporting_errors("tars report"), stores() as remote:
        from tars_lib.pipeline import write_reports_of
        from tars_lib.pipeline.sealed import check_run
        from tars_lib.playbook.pages import pages_for
        from tars_lib.stats.scheduler import using

        shared, typed = _file_parameters(parameter_file), _typed_parameters(given)
        patterns = tuple(remote.fetched_run(pattern) for pattern in run_patterns)
        places = _run_directories(patterns, shared.pop("run_dir", None), typed.pop("run_dir", None))
        if incident is not None:
            typed["incident_id"] = incident
        runs: dict[Path, dict[str, dict[str, object]]] = {}
        for run in places:
            names = notebooks or pages_for(step.exit_code for step in check_run(run).steps)
            is_bulk = len(names) > 1 or all_called_for
            runs[run] = _parameters_of(dict.fromkeys(names), shared, typed, run, is_bulk=is_bulk)
        total = sum(map(len, runs.values()))
        folder = None if output is None else remote.staged(output)
        # printed once the bar is gone, in the order in which they were asked for
        with progress(total, "notebook", quiet=quiet or total == 1) as begin:
            begin("started")
            with using(scheduler):
                outcomes = write_reports_of(
                    runs, folder, wanted, workers=workers, on_done=lambda done: begin(done.job.name)
                )
        build.tell_reports(outcomes)
        remote.send()
    for outcome in outcomes:
        if outcome.error is not None:
            _show_failure(outcome, lambda text: build.line(remote.with_addresses(text)))
        elif not quiet:
            click.echo("\n".join(build.line(remote.shown(path)) for path in outcome.files.values()))
    failed = sum(outcome.error is not None for outcome in outcomes)
    if failed and total > 1:
        click.echo(f"{total - failed} of {total} reports written; {failed} failed", err=True)
    return 1 if failed else 0


def _run_directories(options: tuple[str, ...], in_file: object, typed: str | None) -> tuple[Path, ...]:
    """Return the runs, each once, in the order given; of several none may stand among the parameters."""
    if len(options) < 2:
        return (_run_directory(next(iter(options), None), in_file, typed),)
    if typed is not None:
        raise ReportError(f"run_dir: --run names {len(options)} runs and -p run_dir {typed!r}; give one of them")
    by_path: dict[Path, Path] = {}
    for option in options:
        run = _run_directory(option, None, None)
        by_path.setdefault(run.resolve(), run)
    return tuple(by_path.values())


def _run_directory(option: str | None, in_file: object, typed: str | None) -> Path:
    """Return the run: `--run`, else `-p run_dir=`, else that of the parameters file; it must be one before a kernel starts."""
    if option is not None and typed is not None and option != typed:
        raise ReportError(f"run_dir: --run says {option!r} and -p run_dir says {typed!r}; give one of them")
    named = [(option, "--run"), (typed, "run_dir"), (in_file, "run_dir")]
    chosen = next(((value, name) for value, name in named if value is not None), None)
    if chosen is None:
        raise click.UsageError("Missing option '--run', or run_dir among the parameters.")
    value, name = chosen
    if not isinstance(value, str):
        raise ReportError(f"{name}: got {value!r} ({type(value).__name__}), expected the path of a run directory")
    try:
        run = expand([value], "a run directory that `tars run` wrote")
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    if not (run / "status.json").is_file():
        raise InputError(f"{name}: {run}: no run directory; allowed: a folder that `tars run` wrote")
    return run


def _file_parameters(path: Path | None) -> dict[str, object]:
    if path is None:
        return {}
    from tars_lib.config.yaml_file import read_yaml

    content = read_yaml(path, f"--parameters {path}") or {}
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        raise ReportError(f"--parameters {path}: expected lines of the form name: value")
    return dict(content)


def _typed_parameters(given: tuple[str, ...]) -> dict[str, str]:
    typed: dict[str, str] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise click.BadParameter(f"{text!r}; allowed: NAME=VALUE", param_hint="-p")
        if name.strip() in typed:
            raise click.BadParameter(f"{name.strip()!r} is given twice", param_hint="-p")
        typed[name.strip()] = value
    return typed


def _parameters_of(
    names: Mapping[str, None], shared: Mapping[str, object], typed: Mapping[str, str], run: Path, *, is_bulk: bool
) -> dict[str, dict[str, object]]:
    """Return the parameters of each notebook, in the types that it declares; of several, each gets those that it knows."""
    from tars_lib.reports.notebooks.execute import notebook_parameters
    from tars_lib.reports.notebooks.parameters import read_value
    from tars_lib.workbook.pages.lookup import check_given

    declared = {name: notebook_parameters(name) for name in names}
    everywhere = {parameter for parameters in declared.values() for parameter in parameters}
    for parameter in (*shared, *typed):
        if parameter not in everywhere:
            notebooks = ", ".join(names)
            raise ReportError(
                f"{notebooks}: unknown parameter {parameter!r}; allowed: {', '.join(sorted(everywhere)) or 'none'}"
            )
    jobs: dict[str, dict[str, object]] = {}
    for name, known in declared.items():
        values = {key: value for key, value in shared.items() if key in known or not is_bulk}
        values |= {key: read_value(key, text, known[key], name) for key, text in typed.items() if key in known}
        check_given(values, known, run)
        jobs[name] = values
    return jobs


def _show_failure(outcome: Outcome, line_of: Callable[[str], str]) -> None:
    from tars_lib.reports.blocks.lengths import visible
    from tars_lib.reports.notebooks.execute import NotebookError

    error = outcome.error
    if not isinstance(error, NotebookError):
        click.echo(line_of(f"error: {outcome.job.name}: {visible(' '.join(str(error).split()))}"), err=True)
        return
    click.echo(line_of(f"error: {visible(' '.join(str(error).split()))}"), err=True)
    lines = error.source.splitlines()
    for line in lines[:_SOURCE_LINES]:
        click.echo(line_of(f"    {visible(line)}"), err=True)
    if len(lines) > _SOURCE_LINES:
        click.echo(f"    ... {len(lines) - _SOURCE_LINES} more lines", err=True)
