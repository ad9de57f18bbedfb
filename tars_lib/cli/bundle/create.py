"""The playbook's `package_executive_bundle.py`, and `tars bundle`: evidence that an outsider can verify."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tars_lib.cli.bundle import checking, custody
from tars_lib.cli.shared.options import FILE, FOLDER, PATH, incidents_option
from tars_lib.cli.shared.shell import REPORT, expand, guarded
from tars_lib.text.visible import visible

if TYPE_CHECKING:
    from tars_lib.evidence.bundle import Bundle


@click.command(epilog="Example: tars bundle create --run-dir ./reports/runs/tars-run-20260105-143000")
@click.argument("more_runs", nargs=-1, metavar="[DIR]...")
@click.option("--run-dir", metavar="DIR...", help="Run directory; of several the newest is used.")
@click.option("--before", metavar="RUN", help="Run before containment, to be compared.")
@click.option("--after", metavar="RUN", help="Run after containment, to be compared.")
@click.option("--incident", metavar="ID", help="Incident: its record, timeline and the runs that it rests on.")
@incidents_option
@click.option(
    "--with-inputs",
    metavar="ROOT",
    type=PATH,
    help="Pack the input files too, from this org-health folder; each must be what the run read.",
)
@click.option("--playbook", type=PATH, help="Own playbook in force.")
@click.option("--bundle-name", metavar="NAME", help="Name; default tars-evidence-<incident or run>[-redacted].")
@click.option(
    "--output-dir",
    default=Path("release/executive"),
    show_default=True,
    type=FOLDER,
    help="Where the bundle is written.",
)
@click.option(
    "--sign-key",
    type=PATH,
    help="Minisign secret key to sign with; default $TARS_SIGN_KEY (a path or the key). $TARS_SIGN_PASSWORD opens it.",
)
@click.option("--gpg-key", metavar="ID", help="Sign with this key of gpg as well.")
@click.option(
    "--timestamp-url",
    metavar="URL",
    help="Have a time-stamping authority (RFC 3161) stamp the bundle; its sha256 alone is sent there.",
)
@click.option("--all", "every_page", is_flag=True, help="A report for every finding, not for the highest alone.")
@click.option(
    "--redact",
    type=FILE,
    metavar="FILE",
    help="Remove secrets and personal data as this YAML says, such as parameters/redaction.yaml.",
)
@click.option("--allow-partial", is_flag=True, help="Pack also a run that is not whole, marked as partial.")
@guarded(REPORT)
def package(
    more_runs: tuple[str, ...],
    run_dir: str | None,
    before: str | None,
    after: str | None,
    incident: str | None,
    incidents_dir: Path | None,
    with_inputs: Path | None,
    playbook: Path | None,
    bundle_name: str | None,
    output_dir: Path,
    sign_key: Path | None,
    gpg_key: str | None,
    timestamp_url: str | None,
    every_page: bool,
    redact: Path | None,
    allow_partial: bool,
    quiet: bool,
) -> int:
    """Pack runs, the reports on them and an incident's record as a BagIt bag (RFC 8493) in a zip.

    What is packed is checked first; an altered or incomplete run is refused without --allow-partial. A run that stands in an
    incident's folder brings the incident with it. The creation becomes an entry of the incident's timeline, or of
    custody.jsonl beside the bundle. `tars bundle verify` checks a bundle; unpacked, any BagIt tool does.
    """
    if run_dir is None and (more_runs or (before, after, incident) == (None, None, None)):
        raise click.UsageError("Missing option '--run-dir' (or '--incident', or '--before' and '--after').")
    from tars_lib.evidence.bundle import check_place, make_bundle, write_bundle
    from tars_lib.evidence.choice import choose, incident_around
    from tars_lib.evidence.gather import Request
    from tars_lib.evidence.sealing.signature import refuse_absent_key
    from tars_lib.evidence.sealing.timestamp import STAMP_ENDING, check_authority, stamp
    from tars_lib.incidents.store.playbook_in_force import PLAYBOOK_FILE
    from tars_lib.redaction.config import read_redaction
    from tars_lib.redaction.payload import Redaction

    check_place(output_dir)
    if timestamp_url is not None:
        check_authority(timestamp_url)
    signer = custody.signer(sign_key)
    if gpg_key is not None:
        refuse_absent_key(gpg_key)
    run = None if run_dir is None else expand([run_dir, *more_runs], "a run directory")
    named = [None if name is None else expand([name], "a run directory") for name in (before, after)]
    folder = custody.incident_folder(incident, incidents_dir) or (None if run is None else incident_around(run))
    beside = None if folder is None else folder.parent / PLAYBOOK_FILE
    if playbook is None and beside is not None and beside.is_file():
        playbook = beside
    request = Request(
        (),
        incident=folder,
        with_inputs=with_inputs,
        playbook=playbook,
        allow_partial=allow_partial,
        every_page=every_page,
    )
    request = choose(request, run=run, before=named[0], after=named[1])
    if redact is not None:
        request = replace(request, redaction=Redaction(read_redaction(redact)))
    if incident is None and request.incident is not None and not quiet:
        click.echo(f"the run stands in {request.incident.name}; its record is packed too", err=True)
    made = make_bundle(request, bundle_name)
    signatures = {} if signer is None else signer(made.content, made.file)
    if gpg_key is not None:
        signatures |= custody.gpg_signature(made, gpg_key)
    is_signed = bool(signatures)
    if timestamp_url is not None:
        signatures |= {STAMP_ENDING: stamp(made.content, timestamp_url)}
    written = write_bundle(made, output_dir, signatures)
    marks = ["signed" if is_signed else "unsigned", *(["time-stamped"] if timestamp_url is not None else [])]
    custody.enter_creation(made, written, request.incident, marks)
    if not quiet:
        for path in (written, *(written.with_name(f"{written.name}{ending}") for ending in signatures)):
            click.echo(path)
        _say(made, is_signed=is_signed)
    return 0


def _say(made: Bundle, *, is_signed: bool) -> None:

    click.echo(f"sha256 {made.sha256}", err=True)
    if not is_signed:
        click.echo("unsigned: digests do not say who made a bundle; --sign-key signs it", err=True)
    if made.unsearched:
        kinds = sorted({path.rpartition(".")[2] for path in made.unsearched})
        click.echo(
            f"redacted: {len(made.unsearched)} files were not searched, wholly or in part ({', '.join(kinds)}); "
            "data/redaction-report.json names them",
            err=True,
        )
    for reason in made.partial:
        click.echo(f"PARTIAL: {visible(reason)}", err=True)


@click.group(epilog="Example: tars bundle create --run-dir ./reports/runs/tars-run-20260105-143000")
def bundle() -> None:
    """Create, verify and hand over evidence bundles, and keep the record of who did."""


bundle.add_command(package, "create")
bundle.add_command(checking.verify)
bundle.add_command(custody.export)
bundle.add_command(custody.transfer)
bundle.add_command(custody.log)
