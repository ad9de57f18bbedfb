"""Gathering of what goes into a bundle, from runs, incident, inputs and the rules in force, as bytes by path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from tars_lib.engines.difference import Difference
from tars_lib.engines.queries.run_difference import compare
from tars_lib.errors import InputError, ReportError, VerificationError
from tars_lib.evidence.environment import environment
from tars_lib.evidence.incident_part import IncidentPart, read_part
from tars_lib.evidence.payload import Payload
from tars_lib.evidence.redacting import redact_sources
from tars_lib.evidence.runs import PackedRun, lay_out, read_run
from tars_lib.evidence.sealing.names import plain_name
from tars_lib.files.json_records import dumps, to_json
from tars_lib.files.reading import real, sha256_hex
from tars_lib.files.scratch import scratch
from tars_lib.pipeline import Run, now
from tars_lib.playbook.pages import pages_for
from tars_lib.redaction.payload import Redaction
from tars_lib.text.visible import visible

POLICY_FILE = "sla-policies.yaml"


@dataclass(frozen=True, slots=True)
class Request:
    """Selection of what is to be packed.

    `runs` oldest first. `before` and `after` are compared; both stand in `runs`. `incident` is an incident's folder,
    `with_inputs` the org-health root that the runs were made from, `playbook` an organisation's own playbook file.
    `every_page`: a report for each finding of a run; else the incident report, the executive summary and the page of the
    finding that stands highest in the decision tree. `faults`: what is known to be wrong before anything is read. `redaction`
    is applied to runs and incident before a notebook sees them.
    """

    runs: tuple[Path, ...]
    before: Path | None = None
    after: Path | None = None
    incident: Path | None = None
    with_inputs: Path | None = None
    playbook: Path | None = None
    allow_partial: bool = False
    every_page: bool = False
    faults: tuple[str, ...] = ()
    redaction: Redaction | None = None


def gather(request: Request) -> Payload:
    """Collect and check everything but what is made from it (see `tars_lib.evidence.pages`).

    Returns
    -------
    Payload
        Runs, incident, difference, executed notebooks, input digests, rules in force and environment.

    Raises
    ------
    VerificationError
        If something is not whole and `allow_partial` is not set; the message says what.
    InputError
        If a run or the incident is not there.
    """
    if request.with_inputs is not None and not request.with_inputs.is_dir():
        raise InputError(f"{request.with_inputs}: no such folder; the org-health folder that was judged is needed")
    # before any kernel starts: a playbook that is not whole is refused at once
    in_force = _playbook(request.playbook)
    part = None if request.incident is None else read_part(request.incident)
    packed = _read_runs(request.runs)
    faults = [
        *request.faults,
        *(fault for packed_run in packed for fault in packed_run.faults),
        *(() if part is None else part.faults),
    ]
    _refuse(faults, request)
    if request.redaction is not None:
        packed, part = redact_sources(packed, part, request.redaction)
    files: dict[str, bytes] = in_force | ({} if part is None else part.files)
    absent: dict[str, str] = {} if part is not None else {"incident": "no incident was named"}
    for packed_run in packed:
        files |= {f"runs/{packed_run.name}/{_stored(file)}": content for file, content in packed_run.files.items()}
    notebooks, loaded, failed = _execute(packed, part, every_page=request.every_page)
    faults += failed
    files |= notebooks
    _add_difference(files, absent, request, packed, loaded)
    newest = loaded.get(packed[-1].name) if packed else None
    if newest is None:
        absent |= dict.fromkeys(("policies", "inputs"), "no run could be read that says what they were")
    else:
        faults += _add_inputs(files, absent, newest, request.with_inputs)
        files |= _policies(newest)
    files["environment.json"] = dumps(environment()).encode()
    notes = () if request.with_inputs is not None else referred_samples(packed)
    if notes:
        absent["samples"] = "; ".join(notes)
    _refuse(faults, request)
    return Payload(
        files=files,
        identifier=part.incident_id if part is not None else packed[-1].name,
        made_at=_made_at(loaded, part),
        runs=tuple(packed_run.name for packed_run in packed),
        partial=tuple(dict.fromkeys(visible(fault) for fault in faults)),
        absent=absent,
        notes=notes,
    )


def referred_samples(packed: Sequence[PackedRun]) -> tuple[str, ...]:
    """A sentence on each run that refers to its samples where they lie, so that its directory has their digests alone."""
    return tuple(
        f"{packed_run.name} was made with --history reference: digests of its samples are here, and the samples are not"
        for packed_run in packed
        if packed_run.run is not None and packed_run.run.health.history.parts is not None
    )


def _made_at(loaded: Mapping[str, Run], part: IncidentPart | None) -> datetime:
    """Return the newest run's time, else the incident's opening, so that equal evidence gives equal bytes."""
    made = [run.status.generated_at for run in loaded.values()]
    if made:
        return max(made)
    return now() if part is None else part.incident.opened_at


def _refuse(faults: Sequence[str], request: Request) -> None:
    if faults and not request.allow_partial:
        more = f" and {len(faults) - 1} more faults" if len(faults) > 1 else ""
        raise VerificationError(f"{faults[0]}{more}; --allow-partial packs it all the same, marked as partial")


def _read_runs(places: Sequence[Path]) -> list[PackedRun]:
    packed: list[PackedRun] = []
    for run_dir in places:
        name = plain_name(real(run_dir).name)
        # two names that differ in case are one folder under Windows and macOS
        taken = {packed_run.name.casefold() for packed_run in packed}
        number = 2
        while name.casefold() in taken:
            name, number = f"{plain_name(real(run_dir).name)}-again-{number}", number + 1
        packed.append(read_run(run_dir, name))
    return packed


def _stored(file: str) -> str:
    """Return the name of a file in the bundle; one that is not plain was not written by a run."""
    plain = plain_name(file)
    return file if plain == file else f"{plain}-{sha256_hex(file.encode())[:8]}"


def pages_of(run: Run, *, every_page: bool) -> tuple[str, ...]:
    """Return the notebooks that are executed on a run."""
    return pages_for([step.exit_code for step in run.status.steps] if every_page else [run.status.exit_code])


def _execute(
    packed: Sequence[PackedRun], part: IncidentPart | None, *, every_page: bool
) -> tuple[dict[str, bytes], dict[str, Run], list[str]]:
    """Return the executed notebooks of every run that can be read, those runs, and what failed.

    The kernels work in a copy laid out as the bundle is, so a notebook names its run by the path that it has there.
    """
    from tars_lib.reports.notebooks.bulk import Job, run_jobs
    from tars_lib.reports.notebooks.execute import notebook_parameters

    notebooks: dict[str, bytes] = {}
    loaded: dict[str, Run] = {}
    failed: list[str] = []
    with scratch("evidence") as stage:
        jobs: list[Job] = []
        for packed_run in packed:
            run = lay_out(packed_run, stage / "runs" / packed_run.name)
            if run is None:
                failed.append(f"{packed_run.name}: its reports cannot be read, so none was made on it")
                continue
            loaded[packed_run.name] = run
            for notebook in pages_of(run, every_page=every_page):
                parameters: dict[str, object] = {"run_dir": f"runs/{packed_run.name}"}
                if part is not None and "incident_id" in notebook_parameters(notebook):
                    parameters["incident_id"] = part.incident_id
                output = stage / "reports" / packed_run.name
                jobs.append(Job(notebook, parameters, output, run.status.generated_at, stage))
        for outcome in run_jobs(jobs, ()):
            run_name = outcome.job.folder.name
            if outcome.error is None:
                notebooks[f"reports/{run_name}/{outcome.job.name}.ipynb"] = outcome.files["notebook"].read_bytes()
            elif isinstance(outcome.error, ReportError):
                reason = " ".join(str(outcome.error).split()).replace(f"{stage}/", "")[:300]
                failed.append(f"{run_name}: report {outcome.job.name} failed: {reason}")
            else:
                raise outcome.error
    return notebooks, loaded, failed


def _add_difference(
    files: dict[str, bytes],
    absent: dict[str, str],
    request: Request,
    packed: Sequence[PackedRun],
    loaded: Mapping[str, Run],
) -> None:
    if request.before is None or request.after is None:
        absent["difference"] = "one run alone: nothing to compare it with"
        return
    names = {packed_run.directory: packed_run.name for packed_run in packed}
    pair = [loaded.get(names[run_dir]) for run_dir in (request.before, request.after)]
    if pair[0] is None or pair[1] is None:
        absent["difference"] = "one of the two runs cannot be read"
        return
    changes = compare(*(run.reports for run in pair if run is not None))
    ends = [names[request.before], names[request.after]]
    files["difference.json"] = dumps({"before": ends[0], "after": ends[1], "changes": changes}).encode()
    files["difference.txt"] = difference_text(ends[0], ends[1], changes).encode()


def difference_text(before: str, after: str, changes: Sequence[Difference]) -> str:
    """Changes between two runs, a line each; names of repos come from outside, so what is hidden in them is made visible."""
    lines = [
        f"{change.direction.value}: {visible(change.subject)}: {visible(change.before)} -> {visible(change.after)}"
        for change in changes
    ]
    return "\n".join([f"before: {before}", f"after:  {after}", "", *(lines or ["nothing changed"]), ""])


def _add_inputs(files: dict[str, bytes], absent: dict[str, str], run: Run, root: Path | None) -> list[str]:
    """Return the digests of what the newest run read, and with a root the files, each compared with its digest."""
    faults: list[str] = []
    listed: list[dict[str, Any]] = []
    for number, entry in enumerate(run.health.inputs, 1):
        row: dict[str, Any] = {"path": entry.path, "sha256": entry.sha256, "file": None}
        if root is not None:
            content, fault = read_input(root, entry.path, entry.sha256)
            if content is None:
                faults.append(fault)
                row["reason"] = fault
            else:
                row["file"] = f"inputs/{number:04d}-{plain_name(PurePosixPath(entry.path).name)}"
                files[row["file"]] = content
        listed.append(row)
    files["inputs.json"] = dumps({"run": run.directory.name, "inputs": listed}).encode()
    if root is None:
        absent["inputs"] = "their digests alone; --with-inputs ROOT adds the files"
    return faults


def read_input(root: Path, path: str, digest: str) -> tuple[bytes | None, str]:
    """Return an input as the run read it, also through a link inside the root; else None, and why."""
    file = root / path
    if PurePosixPath(path).is_absolute() or not real(file).is_relative_to(real(root)):
        return None, f"input {path}: leads out of the root"
    if not file.is_file():
        return None, f"input {path}: not in the root any more"
    content = file.read_bytes()
    if sha256_hex(content) != digest:
        return None, f"input {path}: altered since the run read it"
    return content, ""


def _policies(run: Run) -> dict[str, bytes]:
    """SLA policies as the run applied them; the digest is that of their canonical JSON."""
    policies = to_json(run.health.policies)
    source = run.health.org.policies_from
    digests = {entry.path: entry.sha256 for entry in run.health.inputs}
    content = {
        "policies": policies,
        "policies_sha256": sha256_hex(dumps(policies, indent=None).encode()),
        "source": source,
        "source_sha256": digests.get(source, digests.get(POLICY_FILE)),
        "sources": [
            {"path": path, "sha256": digest}
            for path, digest in sorted(digests.items())
            if any(path == name or path.startswith(f"{name}/") for name in source.split(", "))
        ],
    }
    return {"rules/sla-policies.json": dumps(content).encode()}


def _playbook(own: Path | None) -> dict[str, bytes]:
    from tars_lib.playbook.config import read_playbook

    in_force = read_playbook(own)
    content = {"version": in_force.playbook.version, "sha256": in_force.playbook.sha256, "playbook": in_force.content}
    files = {"rules/playbook.json": dumps(content).encode()}
    if own is not None:
        files["rules/playbook-own.yaml"] = own.read_bytes()
    return files
