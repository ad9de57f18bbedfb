"""`tars bundle verify`, `export`, `transfer` and `log`: what happens to a bundle once it is made."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tars_lib.cli.shared.shell import REPORT, guarded, logging_options
from tars_lib.errors import ConfigError, InputError, TarsError, VerificationError

if TYPE_CHECKING:
    from tars_lib.evidence.bundle import Bundle
    from tars_lib.evidence.sealing.custody import Log
    from tars_lib.evidence.sealing.signature import Signature
    from tars_lib.evidence.verification import Verification
    from tars_lib.incidents.store.record import CustodyAct

KEY_VARIABLE, PASSWORD_VARIABLE = "TARS_SIGN_KEY", "TARS_SIGN_PASSWORD"
_EXAMPLE = "./release/executive/tars-evidence-tars-run-20260105-143000.zip"

incidents_option = click.option(
    "--incidents-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where incidents live; default $TARS_INCIDENTS_DIR, else ./incidents.",
)
_file = click.argument("file", type=click.Path(path_type=Path))
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")


@click.command(epilog=f"Example: tars bundle verify {_EXAMPLE}")
@_file
@click.option("--public-key", metavar="KEY|FILE", help="Minisign public key that must have signed the bundle.")
@incidents_option
@click.option("--no-record", is_flag=True, help="Enter the verification nowhere.")
@click.option("--strict", is_flag=True, help="Code 1 also where every file matches and the container is another.")
@_json
@logging_options
@guarded(REPORT)
def verify(
    file: Path,
    public_key: str | None,
    incidents_dir: Path | None,
    no_record: bool,
    strict: bool,
    as_json: bool,
    verbose: bool,
    quiet: bool,
) -> int:
    """Compare a bundle (zip, tar or the folder it was unpacked to) with its manifests, and its timeline with its chain.

    Says first whether the content is intact, then whether the container is the one that was written; names what is altered,
    missing, added or renamed; works without a network. Code 1 if the content is not intact, a signature does not fit, or
    --public-key is given and the bundle is not signed by it; 0 with a warning where another tool packed it anew. Where a
    record of the bundle is kept, in an incident or in custody.jsonl beside it, the digest is compared with it and the
    verification is entered.
    """
    from hashlib import sha256

    from tars_lib.cli.bundle.verdict import show
    from tars_lib.evidence.sealing.custody import disagreement, events, superseded
    from tars_lib.evidence.verification import verify as check
    from tars_lib.files.json_records import dumps

    checked = check(file)
    notes = list(checked.notes)
    signatures = _signatures(file, public_key, checked.original)
    faults = [f"{one.file}: signature INVALID: {one.text}" for one in signatures if one.state.value == "INVALID"]
    if public_key is not None and not any(one.state.value == "VALID" for one in signatures if _is_minisign(one)):
        faults = faults or [f"{file.name}.minisig: no signature by this key stands beside the bundle"]
    if checked.sha256 is not None:
        log = _log(file, incidents_dir, checked.identifier)
        if log.exists():
            try:
                told = events(log)
                # of a bundle that was packed anew, what counts is the one that its files make
                digest = checked.sha256 if checked.original is None else sha256(checked.original).hexdigest()
                other = disagreement(told, file.name, digest)
                faults += [] if other is None else [other]
                earlier = superseded(told, file.name, digest)
                notes += [] if earlier is None else [earlier]
            except TarsError as error:
                faults.append(str(error))
            if not no_record:
                _enter_verification(log, file, checked, signatures, faults)
    is_intact = checked.content_is_intact and not faults and not (strict and checked.container_faults)
    if as_json:
        document = {
            "file": str(file),
            "is_intact": is_intact,
            "is_signed": any(one.state.value == "VALID" for one in signatures),
            "sha256": checked.sha256,
            "files": checked.files,
            "identifier": checked.identifier,
            "partial": checked.partial,
            "content": {"is_intact": not checked.content_faults, "faults": checked.content_faults},
            "container": {"is": checked.container.value, "faults": checked.container_faults},
            "causes": checked.causes,
            "faults": checked.faults,
            "other_faults": faults,
            "notes": notes,
            "signatures": signatures,
        }
        click.echo(dumps(document), nl=False)
    else:
        show(file, checked, signatures, faults, notes, quiet=quiet, verbose=verbose)
    return 0 if is_intact else 1


@click.command(epilog=f"Example: tars bundle export {_EXAMPLE} --output ./outgoing")
@_file
@click.option("--output", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder to copy it to.")
@incidents_option
@logging_options
@guarded(REPORT)
def export(file: Path, output: Path, incidents_dir: Path | None, verbose: bool, quiet: bool) -> int:
    """Copy an intact bundle and its signatures to a folder, and enter that it was exported.

    What stands there under one of their names with other bytes is not overwritten: the code is then 1.
    """
    from tars_lib.evidence.bundle import copy_bundle
    from tars_lib.files.reading import real
    from tars_lib.incidents.store.record import CustodyAct
    from tars_lib.incidents.store.register import is_incident_id

    checked, log = _genuine(file, incidents_dir)
    if real(output) == real(file).parent:
        raise InputError(f"{output}: the bundle stands there already")
    beside = [file.with_name(f"{file.name}{ending}") for ending in (".minisig", ".asc")]
    content = {one.name: one.read_bytes() for one in [file, *(path for path in beside if path.is_file())]}
    written = copy_bundle(file, content, output, is_private=is_incident_id(checked.identifier or ""))
    _enter(log, CustodyAct.EXPORTED, file.name, checked, "copied", str(output))
    if not quiet:
        click.echo("\n".join(map(str, written)))
    return 0


@click.command(epilog=f"Example: tars bundle transfer {_EXAMPLE} --to 'Legal, by encrypted mail'")
@_file
@click.option("--to", "whom", required=True, help="Who has it now, in words.")
@incidents_option
@logging_options
@guarded(REPORT)
def transfer(file: Path, whom: str, incidents_dir: Path | None, verbose: bool, quiet: bool) -> int:
    """Enter that an intact bundle was handed over; nothing is sent."""
    from tars_lib.incidents.store.record import CustodyAct
    from tars_lib.text.visible import visible

    if not whom.strip():
        raise InputError("--to: empty; who has the bundle now is needed")
    checked, log = _genuine(file, incidents_dir)
    _enter(log, CustodyAct.TRANSFERRED, file.name, checked, "", whom.strip())
    if not quiet:
        click.echo(f"{file.name}: handed over to {visible(whom.strip())}; entered in {log.place}")
    return 0


@click.command(epilog=f"Example: tars bundle log {_EXAMPLE}")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--incident", metavar="ID", help="All bundles of this incident.")
@incidents_option
@_json
@logging_options
@guarded(REPORT)
def log(
    file: Path | None, incident: str | None, incidents_dir: Path | None, as_json: bool, verbose: bool, quiet: bool
) -> int:
    """Show who made, checked, copied and handed over a bundle, and the head of the record. Code 1 if an entry was altered.

    Note the head elsewhere, such as in a ticket: a record with fewer entries or another digest in that place lost some.
    """
    if (file is None) == (incident is None):
        raise click.UsageError("Give either FILE or --incident.")
    from tars_lib.evidence.sealing.custody import Log, events, head
    from tars_lib.files.json_records import dumps, time_text
    from tars_lib.text.visible import visible

    if file is None:
        place = Log(incident_folder(incident, incidents_dir), None)
        told = events(place)
    else:
        place = _log(file, incidents_dir, _identifier(file))
        told = tuple(event for event in events(place) if event.bundle == file.name)
        if not told and not file.exists():
            raise InputError(f"{file}: no such file, and nothing is entered on one of that name in {place.place}")
    count, last = head(place)
    if as_json:
        document = {"record": place.place, "entries": count, "head": last, "events": told}
        click.echo(dumps(document), nl=False)
        return 0
    for event in told:
        to = "" if event.to is None else f" to {visible(event.to)}"
        said = f": {visible(event.outcome)}" if event.outcome else ""
        click.echo(
            f"{time_text(event.at)}  {event.act.value:11}  {visible(event.bundle)}{to}, by {visible(event.by)}{said}"
        )
        if not quiet:
            click.echo(f"    sha256 {event.sha256}")
    if count and not quiet:
        click.echo(f"head: entry {count}, {last}")
    if not told:
        click.echo(f"nothing is entered in {place.place}", err=True)
    return 0


def incident_folder(incident: str | None, incidents_dir: Path | None) -> Path | None:
    """Folder of an incident that was named."""
    if incident is None:
        return None
    from tars_lib.incidents.store.register import folder_of
    from tars_lib.incidents.store.register import incidents_dir as where

    return folder_of(where(incidents_dir), incident)


def signer(key_file: Path | None) -> Callable[[bytes, str], dict[str, bytes]] | None:
    """What signs a bundle; None where no key is given. A key that does not open is refused before anything is made."""
    given = os.environ.get(KEY_VARIABLE, "").strip()
    if key_file is None and not given:
        return None
    from tars_lib.evidence.sealing.signature import MINISIGN_ENDING, is_encrypted, sign
    from tars_lib.incidents.store.register import now

    text = _key_of(key_file) if key_file is not None else _text_of(given)
    password = os.environ.get(PASSWORD_VARIABLE)
    if password is None and is_encrypted(text) and sys.stdin.isatty():
        password = click.prompt("Password of the signing key", hide_input=True, err=True)
    try:
        sign(b"", "", text, password, now())
    except ConfigError as error:
        raise ConfigError(f"{KEY_VARIABLE if key_file is None else key_file}: {error}") from None
    return lambda content, name: {MINISIGN_ENDING: sign(content, name, text, password, now())}


def gpg_signature(made: Bundle, key: str) -> dict[str, bytes]:
    """Sign a bundle with gpg before it is put on disk, so that a refusal leaves nothing."""
    from tars_lib.evidence.sealing.signature import GPG_ENDING, sign_with_gpg
    from tars_lib.files.scratch import scratch

    with scratch("sign") as folder:
        place = folder / made.file
        place.write_bytes(made.content)
        return {GPG_ENDING: sign_with_gpg(place, key)}


def enter_creation(made: Bundle, place: Path, incident: Path | None, *, is_signed: bool) -> None:
    """Enter that a bundle was made; where the incident's timeline was altered, beside the bundle."""
    from tars_lib.evidence.sealing.custody import LOG_FILE, Log, enter
    from tars_lib.incidents.store.record import CustodyAct, CustodyEvent
    from tars_lib.incidents.store.register import actor, now

    outcome = ", ".join(["signed" if is_signed else "unsigned", *(["partial"] if made.partial else [])])
    event = CustodyEvent(CustodyAct.CREATED, made.file, made.sha256, now(), actor(), outcome)
    beside = Log(None, place.parent / LOG_FILE)
    try:
        enter(beside if incident is None else Log(incident, None), event)
    except VerificationError as error:
        if incident is None:
            raise
        click.echo(f"entered in {beside.place}: {error}", err=True)
        enter(beside, event)


def _text_of(given: str) -> str:
    """Content of a file, or the text itself where there is no such file."""
    is_path = len(given) < 4096 and "\n" not in given and Path(given).is_file()
    return _key_of(Path(given)) if is_path else given


def _key_of(file: Path) -> str:
    """Content of a key's file; a pipe is refused and not waited for."""
    from tars_lib.evidence.sealing.signature import LONGEST_KEY
    from tars_lib.files.reading import read_utf8

    return read_utf8(file, f"key {file}", LONGEST_KEY, ConfigError)


def _signatures(file: Path, public_key: str | None, original: bytes | None = None) -> tuple[Signature, ...]:
    """Signatures beside a bundle, over `original` where its files were packed anew."""
    from tars_lib.evidence.sealing.signature import GPG_ENDING, MINISIGN_ENDING, signatures_of

    if file.is_dir():
        if public_key is not None:
            raise InputError(f"{file}: a signature is over the zip; verify that")
        return ()
    key, content = None if public_key is None else _text_of(public_key), file.read_bytes()
    if original is None or original == content:
        return signatures_of(file, content, key)
    from tars_lib.files.scratch import scratch

    with scratch("verify") as folder:
        place = folder / file.name
        place.write_bytes(original)
        for ending in (MINISIGN_ENDING, GPG_ENDING):
            beside = file.with_name(f"{file.name}{ending}")
            if beside.is_file():
                place.with_name(beside.name).write_bytes(beside.read_bytes())
        return signatures_of(place, original, key)


def _is_minisign(one: Signature) -> bool:
    return one.file.endswith(".minisig")


def _genuine(file: Path, incidents_dir: Path | None) -> tuple[Verification, Log]:
    """A bundle that is intact, that no signature and no record contradicts, and its record."""
    from tars_lib.evidence.sealing.custody import disagreement, events, refuse_unwritable

    checked = _intact(file)
    assert checked.sha256 is not None  # noqa: S101 - a zip
    for one in _signatures(file, None):
        if one.state.value == "INVALID":
            raise VerificationError(f"{file}: {one.file}: signature INVALID: {one.text}; nothing was entered")
    log = _log(file, incidents_dir, checked.identifier)
    other = disagreement(events(log), file.name, checked.sha256)
    if other is not None:
        raise VerificationError(f"{file}: {other}; nothing was entered")
    refuse_unwritable(log)
    return checked, log


def _intact(file: Path) -> Verification:
    from tars_lib.evidence.verification import verify as check

    checked = check(file)
    if checked.sha256 is None:
        raise InputError(f"{file}: a folder; the zip is what is handed on")
    if checked.faults:
        first = checked.faults[0]
        raise VerificationError(
            f"{file}: {first.what.value}: {first.path or 'archive'}: {first.why}; nothing was entered"
        )
    return checked


def _log(file: Path, incidents_dir: Path | None, identifier: str | None) -> Log:
    from tars_lib.evidence.sealing.custody import log_for
    from tars_lib.incidents.store.register import incidents_dir as where

    return log_for(file, where(incidents_dir), identifier)


def _identifier(file: Path) -> str | None:
    """What a bundle says that it is about; None where it is gone or cannot be read."""
    from tars_lib.evidence.verification import verify as check

    try:
        return check(file).identifier
    except TarsError:
        return None


def _enter(log: Log, act: CustodyAct, bundle: str, checked: Verification, outcome: str, to: str | None = None) -> None:
    from tars_lib.evidence.sealing.custody import enter
    from tars_lib.incidents.store.record import CustodyEvent
    from tars_lib.incidents.store.register import actor, now

    assert checked.sha256 is not None  # noqa: S101 - a zip
    enter(log, CustodyEvent(act, bundle, checked.sha256, now(), actor(), outcome, to))


def _enter_verification(
    log: Log, file: Path, checked: Verification, signatures: tuple[Signature, ...], faults: list[str]
) -> None:
    """Enter what was found; a medium that cannot be written to, or a record that was altered, does not change the verdict."""
    from tars_lib.incidents.store.record import CustodyAct

    count = len(checked.faults) + len(faults)
    states = ", ".join(f"{one.file.rpartition('.')[2]} {one.state.value}" for one in signatures) or "unsigned"
    found = f"intact, {states}" if not count else f"{count} fault{'s' if count > 1 else ''}, {states}"
    try:
        _enter(log, CustodyAct.VERIFIED, file.name, checked, found)
    except (OSError, TarsError) as error:
        click.echo(f"the verification was not entered: {' '.join(str(error).split())}", err=True)
