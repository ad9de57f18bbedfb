"""`tars classify`: what the playbook says about exit codes, reports or run directories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tars_lib.cli.incident.options import Options, playbook_option
from tars_lib.cli.shared.options import FOLDER, json_option
from tars_lib.cli.shared.screen import WIDTH, Tone, Toned, fitted, say, toned, wrapped
from tars_lib.cli.shared.shell import REPORT, expand, guarded, print_json
from tars_lib.errors import InputError
from tars_lib.text.visible import visible

SLA_BREACH = 142

if TYPE_CHECKING:
    from tars_lib.playbook.decision_tree import Classification
    from tars_lib.playbook.tables import Playbook, TriageStep


@click.command(epilog="Example: tars classify --exit-code 142 --exit-code 131")
@click.argument("reports", nargs=-1, metavar="[REPORT|RUN_DIR]...")
@click.option("--exit-code", "codes", type=int, multiple=True, help="Exit code of a command; repeatable.")
@click.option(
    "--run", "run_dir", metavar="RUN", help="Answer from this run: state, plan, cause; of several the newest."
)
@click.option("--full", is_flag=True, help="The playbook's triage with its commands, instead of one screen.")
@click.option(
    "--incidents-dir",
    type=FOLDER,
    help="Where incidents live, and the organisation's playbook; default $TARS_INCIDENTS_DIR, else ./incidents.",
)
@playbook_option
@json_option
@guarded(REPORT)
def classify(
    reports: tuple[str, ...],
    codes: tuple[int, ...],
    run_dir: str | None,
    full: bool,
    incidents_dir: Path | None,
    playbook: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Look up findings in the playbook: incident type, severity, response path, clocks, next steps.

    Takes exit codes, report files or run directories. A bare 124, 130, 134 or 143 is called ambiguous, because a
    shell reports the same for a timeout or a signal; a code inside a report is not. --quiet omits the triage steps.
    --run puts first what the run itself says.
    """
    if run_dir is not None and (codes or reports):
        raise click.UsageError("--run answers from one run; give it without codes and reports")
    if not codes and not reports and run_dir is None:
        raise click.UsageError("nothing to classify; give --exit-code N, a report file or a run directory")
    from tars_lib.files.json_records import to_json
    from tars_lib.model.organisation import duration_text
    from tars_lib.playbook.decision_tree import classify as walk

    in_force = Options(incidents_dir, playbook).playbook
    named = reports if run_dir is None else (run_dir,)
    classification = walk(
        (*codes, *(code for name in named for code in _codes_of(name))), are_ours=not codes, playbook=in_force
    )
    if as_json:
        document = to_json(replace(classification, contain_within=None))
        if isinstance(document, dict):
            document["contain_within"] = (
                None if classification.contain_within is None else duration_text(classification.contain_within)
            )
            document["playbook"] = {"version": in_force.version, "sha256": in_force.sha256}
        print_json(document)
        return 0
    run_lines, is_settled = ([], False) if run_dir is None else _run_lines(run_dir, incidents_dir, in_force)
    lines = [*run_lines, *_answer_lines(classification, in_force, is_settled=is_settled)]
    if run_dir is None and not quiet:
        lines += _triage_lines(classification, in_force, full=full) or [
            f"Next:           {command}" for command in classification.commands
        ]
    lines += [f"Note:           {note}" for note in classification.notes]
    say(lines if full else fitted((part for line in lines for part in _short(line)), "--full"))
    return 0


def _answer_lines(classification: Classification, playbook: Playbook, *, is_settled: bool) -> Iterator[str]:
    """Yield the playbook's answer: type and severity, both clocks while they run, the way through the tree."""
    from tars_lib.model.organisation import duration_text

    severity = classification.severity.value if classification.severity else "none"
    yield Toned(f"Incident type:  {classification.incident_type}", Tone.HEAD)
    yield Toned(f"Severity:       {severity}", Tone.HEAD)
    yield f"Go to:          {classification.path}"
    contain = "no time set" if classification.contain_within is None else duration_text(classification.contain_within)
    if not is_settled:
        yield f"Respond within: {classification.respond_within}"
        yield f"Contain within: {contain}"
    yield f"Exit codes:     {', '.join(map(str, classification.codes))}"
    yield from (f"  {'YES' if answer else 'no ':3}  {question}" for question, answer in classification.steps)
    yield f"Playbook:       {visible(playbook.version)}, sha256 {playbook.sha256[:12]}"


def _run_lines(name: str, incidents_dir: Path | None, playbook: Playbook) -> tuple[list[str], bool]:
    """State, plan, likely cause and scorecard, by the run and the record of its incident; and whether it is settled."""
    from tars_lib.cli.shared.verdict import plan_lines, scorecard_lines, state_lines
    from tars_lib.incidents.store.register import now
    from tars_lib.incidents.views.case import read_case
    from tars_lib.incidents.views.standing import incident_about, state_by
    from tars_lib.pipeline import load_run

    run = load_run(expand([name], "a run directory"))
    folder = incident_about(run, Options(incidents_dir).root)
    state = state_by(run, None if folder is None else read_case(folder, playbook, now()))
    lines = [*state_lines(state), *plan_lines(state, state.plan)]
    for cause in [cause for breach in run.sla.breaches[:1] for cause in breach.root_causes[:1]]:
        lines += wrapped(visible(f"{cause.cause} ({cause.confidence:.0%} confidence)"), "Likely cause: ", "  ", 2)
    return [*lines, *scorecard_lines(run.sla)], state.is_settled


def _short(line: str) -> list[str]:
    lines = wrapped(line, "", "  ") if len(line) > WIDTH else [line]
    return toned(lines, line.tone) if isinstance(line, Toned) else lines


def _triage_lines(classification: Classification, playbook: Playbook, *, full: bool) -> list[str]:
    """Return the playbook's triage of the path: its steps; in full their commands, and where cause and impact are read."""
    section = next((row for row in playbook.triage if row.path == classification.path), None)
    if section is None or classification.severity is None:
        return []
    if full:
        return list(_whole_triage(classification.path, section.steps, playbook))
    steps = [f"  {number}. {step.title}" for number, step in enumerate(section.steps, 1)]
    return [f"Steps of {classification.path}, with their commands by --full:", *steps]


def _whole_triage(path: str, steps: Sequence[TriageStep], playbook: Playbook) -> Iterator[str]:
    yield f"Steps of {path}:"
    for number, step in enumerate(steps, 1):
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
    """Return the exit codes of a report file, or of all steps of a run directory; of what was altered none."""
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
