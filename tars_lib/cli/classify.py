"""`tars classify`: what the playbook says about exit codes, reports or run directories."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tars_lib.cli.incident.options import Options, playbook_option
from tars_lib.cli.shared.shell import REPORT, guarded, logging_options

SLA_BREACH = 142

if TYPE_CHECKING:
    from tars_lib.playbook.decision_tree import Classification
    from tars_lib.playbook.tables import Playbook


@click.command(epilog="Example: tars classify --exit-code 142 --exit-code 131")
@click.argument("reports", nargs=-1, metavar="[REPORT|RUN_DIR]...")
@click.option("--exit-code", "codes", type=int, multiple=True, help="Exit code of a command; repeatable.")
@click.option(
    "--incidents-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where incidents live, and the organisation's playbook; default $TARS_INCIDENTS_DIR, else ./incidents.",
)
@playbook_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
@logging_options
@guarded(REPORT)
def classify(
    reports: tuple[str, ...],
    codes: tuple[int, ...],
    incidents_dir: Path | None,
    playbook: Path | None,
    as_json: bool,
    verbose: bool,
    quiet: bool,
) -> int:
    """Look up findings in the playbook: incident type, severity, response path, clocks, next commands.

    Takes exit codes, report files or run directories. A bare 124, 130, 134 or 143 is called ambiguous, because a
    shell reports the same for a timeout or a signal; a code inside a report is not. --quiet omits the triage steps.
    """
    if not codes and not reports:
        raise click.UsageError("nothing to classify; give --exit-code N, a report file or a run directory")
    from tars_lib.files.json_records import dumps, to_json
    from tars_lib.model.organisation import duration_text
    from tars_lib.playbook.decision_tree import classify as walk
    from tars_lib.text.visible import visible

    in_force = Options(incidents_dir, playbook).playbook
    found = walk(
        (*codes, *(code for name in reports for code in _codes_of(name))), are_ours=not codes, playbook=in_force
    )
    if as_json:
        document = to_json(replace(found, contain_within=None))
        if isinstance(document, dict):
            document["contain_within"] = None if found.contain_within is None else duration_text(found.contain_within)
            document["playbook"] = {"version": in_force.version, "sha256": in_force.sha256}
        click.echo(dumps(document), nl=False)
        return 0
    click.echo(f"Exit codes:     {', '.join(map(str, found.codes))}")
    click.echo(f"Incident type:  {found.incident_type}")
    click.echo(f"Severity:       {found.severity.value if found.severity else 'none'}")
    click.echo("Decision tree:")
    for question, answer in found.steps:
        click.echo(f"  {'YES' if answer else 'no ':3}  {question}")
    click.echo(f"Go to:          {found.path}")
    click.echo(f"Respond within: {found.respond_within}")
    contain = "no time set" if found.contain_within is None else duration_text(found.contain_within)
    click.echo(f"Contain within: {contain}")
    triage = [] if quiet else list(_triage_lines(found, in_force))
    for text in triage or [f"Next:           {command}" for command in found.commands]:
        click.echo(text)
    for note in found.notes:
        click.echo(f"Note:           {note}")
    click.echo(f"Playbook:       {visible(in_force.version)}, sha256 {in_force.sha256[:12]}")
    return 0


def _triage_lines(found: Classification, playbook: Playbook) -> Iterator[str]:
    """The playbook's triage of the path: its steps, then where cause and impact are read."""
    from tars_lib.cli.incident.text import wrapped

    section = next((row for row in playbook.triage if row.path == found.path), None)
    if section is None or found.severity is None:
        return
    yield f"Steps of {found.path}:"
    for number, step in enumerate(section.steps, 1):
        yield f"  {number}. {step.title}"
        # a command is not wrapped: it has to work as it is copied
        yield from (f"     {command}" for command in step.commands)
        for point in step.points:
            yield from wrapped(point, "     - ", "       ")
    yield "Causes, and the part of incident-context.json that shows each:"
    for cause in playbook.cause_types:
        yield from wrapped(f"{cause.name}: {cause.indicator}; {cause.section}", "  - ", "    ")
    yield "Impact, and where to find it:"
    for row in playbook.impact_questions:
        yield from wrapped(f"{row.question} {row.section}", "  - ", "    ")


def _codes_of(name: str) -> list[int]:
    """Exit codes of a report file, or of all steps of a run directory; of what was altered none."""
    from tars_lib.cli.shared.shell import expand
    from tars_lib.errors import InputError
    from tars_lib.files.json_records import read_json
    from tars_lib.pipeline.sealed import check_run, refuse_altered

    path: Path = expand([name], "a report file or a run directory")
    if path.is_dir():
        return [step.exit_code for step in check_run(path).steps]
    refuse_altered(path)
    content = read_json(path)
    code = content.get("exit_code") if isinstance(content, dict) else None
    if not isinstance(code, int) or isinstance(code, bool):
        raise InputError(f"{path}: no exit_code in it; a report of this package is needed")
    if content.get("breaches") and code != SLA_BREACH:
        raise InputError(f"{path}: exit_code {code}, but it lists breaches, which are {SLA_BREACH}: it was altered")
    return [code]
