"""`tars bundle export`, `transfer` and `log`: what happens to a bundle once it is made."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tars_lib.cli.incident.options import Options
from tars_lib.cli.shared.options import FOLDER, PATH, incidents_option, json_option
from tars_lib.cli.shared.shell import REPORT, guarded, print_json
from tars_lib.errors import ConfigError, InputError, TarsError, VerificationError
from tars_lib.text.visible import visible

if TYPE_CHECKING:
    from tars_lib.evidence.bundle import Bundle
    from tars_lib.evidence.sealing.custody import Log
    from tars_lib.evidence.sealing.signature import Signature
    from tars_lib.evidence.verification import Verification
    from tars_lib.incidents.store.record import CustodyAct

KEY_VARIABLE, PASSWORD_VARIABLE = "TARS_SIGN_KEY", "TARS_SIGN_PASSWORD"
EXAMPLE = "./release/executive/tars-evidence-tars-run-20260105-143000.zip"

file_argument = click.argument("file", type=PATH)


@click.command(epilog=f"Example: tars bundle export {EXAMPLE} --output ./outgoing")
@file_argument
@click.option("--output", required=True, type=FOLDER, help="Folder to copy it to.")
@incidents_option
@guarded(REPORT)
def export(file: Path, output: Path, incidents_dir: Path | None, quiet: bool) -> int:
    """Copy an intact bundle and its signatures to a folder, and enter that it was exported.

    What stands there under one of their names with other bytes is not overwritten: the code is then 1.
    """
    from tars_lib.evidence.bundle import SIDECARS, copy_bundle
    from tars_lib.files.reading import real
    from tars_lib.incidents.store.record import CustodyAct
    from tars_lib.incidents.store.register import is_incident_id

    checked, log = _genuine(file, incidents_dir)
    if real(output) == real(file).parent:
        raise InputError(f"{output}: the bundle stands there already")
    beside = [file.with_name(f"{file.name}{ending}") for ending in SIDECARS]
    content = {path_in.name: path_in.read_bytes() for path_in in [file, *(path for path in beside if path.is_file())]}
    written = copy_bundle(file, content, output, is_private=is_incident_id(checked.identifier or ""))
    enter_act(log, CustodyAct.EXPORTED, file.name, checked, "copied", str(output))
    if not quiet:
        click.echo("\n".join(map(str, written)))
    return 0


@click.command(epilog=f"Example: tars bundle transfer {EXAMPLE} --to 'Legal, by encrypted mail'")
@file_argument
@click.option("--to", "whom", required=True, help="Who has it now, in words.")
@incidents_option
@guarded(REPORT)
def transfer(file: Path, whom: str, incidents_dir: Path | None, quiet: bool) -> int:
    """Enter that an intact bundle was handed over; nothing is sent."""
    from tars_lib.incidents.store.record import CustodyAct

    if not whom.strip():
        raise InputError("--to: empty; who has the bundle now is needed")
    checked, log = _genuine(file, incidents_dir)
    enter_act(log, CustodyAct.TRANSFERRED, file.name, checked, "", whom.strip())
    if not quiet:
        click.echo(f"{file.name}: handed over to {visible(whom.strip())}; entered in {log.place}")
    return 0


@click.command(epilog=f"Example: tars bundle log {EXAMPLE}")
@click.argument("file", required=False, type=PATH)
@click.option("--incident", metavar="ID", help="All bundles of this incident.")
@incidents_option
@json_option
@guarded(REPORT)
def log(file: Path | None, incident: str | None, incidents_dir: Path | None, as_json: bool, quiet: bool) -> int:
    """Show who made, checked, copied and handed over a bundle, and the head of the record. Code 1 if an entry was altered.

    Note the head elsewhere, such as in a ticket: a record with fewer entries or another digest in that place lost some.
    """
    if (file is None) == (incident is None):
        raise click.UsageError("Give either FILE or --incident.")
    from tars_lib.evidence.sealing.custody import Log, events, head
    from tars_lib.files.json_records import time_text

    if file is None:
        custody_log = Log(incident_folder(incident, incidents_dir), None)
        entered = events(custody_log)
    else:
        custody_log = log_of(file, incidents_dir, _identifier(file))
        entered = tuple(event for event in events(custody_log) if event.bundle == file.name)
        if not entered and not file.exists():
            raise InputError(f"{file}: no such file, and nothing is entered on one of that name in {custody_log.place}")
    count, last = head(custody_log)
    if as_json:
        document = {"record": custody_log.place, "entries": count, "head": last, "events": entered}
        print_json(document)
        return 0
    for event in entered:
        to = "" if event.to is None else f" to {visible(event.to)}"
        outcome = f": {visible(event.outcome)}" if event.outcome else ""
        click.echo(
            f"{time_text(event.at)}  {event.act.value:11}  {visible(event.bundle)}{to}, by {visible(event.by)}{outcome}"
        )
        if not quiet:
            click.echo(f"    sha256 {event.sha256}")
    if count and not quiet:
        click.echo(f"head: entry {count}, {last}")
    if not entered:
        click.echo(f"nothing is entered in {custody_log.place}", err=True)
    return 0


def incident_folder(incident: str | None, incidents_dir: Path | None) -> Path | None:
    """Return the folder of an incident that was named."""
    return None if incident is None else Options(incidents_dir).folder(incident)


def signer(key_file: Path | None) -> Callable[[bytes, str], dict[str, bytes]] | None:
    """Return what signs a bundle; None where no key is given. A key that does not open is refused before anything is made."""
    key_text = os.environ.get(KEY_VARIABLE, "").strip()
    if key_file is None and not key_text:
        return None
    from tars_lib.evidence.sealing.signature import MINISIGN_ENDING, is_encrypted, sign
    from tars_lib.incidents.store.register import now

    text = _key_of(key_file) if key_file is not None else _text_of(key_text)
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
        copy = folder / made.file
        copy.write_bytes(made.content)
        return {GPG_ENDING: sign_with_gpg(copy, key)}


def enter_creation(made: Bundle, path: Path, incident: Path | None, marks: list[str]) -> None:
    """Enter that a bundle was made; where the incident's timeline was altered, beside the bundle."""
    from tars_lib.evidence.sealing.custody import LOG_FILE, Log, enter
    from tars_lib.incidents.store.record import CustodyAct, CustodyEvent
    from tars_lib.incidents.store.register import actor, now

    outcome = ", ".join([*marks, *(["partial"] if made.partial else [])])
    event = CustodyEvent(CustodyAct.CREATED, made.file, made.sha256, now(), actor(), outcome)
    beside = Log(None, path.parent / LOG_FILE)
    try:
        enter(beside if incident is None else Log(incident, None), event)
    except VerificationError as error:
        if incident is None:
            raise
        click.echo(f"entered in {beside.place}: {error}", err=True)
        enter(beside, event)


def _text_of(text_or_path: str) -> str:
    """Return the content of a file, or the text itself where there is no such file."""
    is_path = len(text_or_path) < 4096 and "\n" not in text_or_path and Path(text_or_path).is_file()
    return _key_of(Path(text_or_path)) if is_path else text_or_path


def _key_of(file: Path) -> str:
    """Return the content of a key's file; a pipe is refused and not waited for."""
    from tars_lib.evidence.sealing.signature import LONGEST_KEY
    from tars_lib.files.reading import read_utf8

    return read_utf8(file, f"key {file}", LONGEST_KEY, ConfigError)


def signatures_beside(
    file: Path, public_key: str | None, original: bytes | None = None, certificates: Path | None = None
) -> tuple[Signature, ...]:
    """Signatures and stamp beside a bundle, over `original` where its files were packed anew."""
    from tars_lib.evidence.bundle import SIDECARS
    from tars_lib.evidence.sealing.signature import signatures_of
    from tars_lib.evidence.sealing.timestamp import STAMP_ENDING, check_stamp, read_certificates

    if file.is_dir():
        if public_key is not None or certificates is not None:
            raise InputError(f"{file}: a signature or stamp is over the zip; verify that")
        return ()
    key, content = None if public_key is None else _text_of(public_key), file.read_bytes()
    roots = None if certificates is None else read_certificates(certificates)
    packed = content if original is None else original
    stamp = file.with_name(f"{file.name}{STAMP_ENDING}")
    stamped = (check_stamp(packed, stamp, roots),) if stamp.is_file() else ()
    if packed == content:
        return (*signatures_of(file, content, key), *stamped)
    from tars_lib.files.scratch import scratch

    with scratch("verify") as folder:
        copy = folder / file.name
        copy.write_bytes(packed)
        for ending in SIDECARS:
            beside = file.with_name(f"{file.name}{ending}")
            if beside.is_file():
                copy.with_name(beside.name).write_bytes(beside.read_bytes())
        return (*signatures_of(copy, packed, key), *stamped)


def _genuine(file: Path, incidents_dir: Path | None) -> tuple[Verification, Log]:
    """Return a bundle that is intact, that no signature and no record contradicts, and its record."""
    from tars_lib.evidence.sealing.custody import disagreement, events, refuse_unwritable
    from tars_lib.evidence.verification import verify

    checked = verify(file)
    if checked.sha256 is None:
        raise InputError(f"{file}: a folder; the zip is what is handed on")
    if checked.faults:
        first = checked.faults[0]
        raise VerificationError(
            f"{file}: {first.what.value}: {first.path or 'archive'}: {first.why}; nothing was entered"
        )
    for signature in signatures_beside(file, None):
        if signature.state.value == "INVALID":
            raise VerificationError(
                f"{file}: {signature.file}: signature INVALID: {signature.text}; nothing was entered"
            )
    log = log_of(file, incidents_dir, checked.identifier)
    other = disagreement(events(log), file.name, checked.sha256)
    if other is not None:
        raise VerificationError(f"{file}: {other}; nothing was entered")
    refuse_unwritable(log)
    return checked, log


def log_of(file: Path, incidents_dir: Path | None, identifier: str | None) -> Log:
    """Return the record of what happened to a bundle."""
    from tars_lib.evidence.sealing.custody import log_for

    return log_for(file, Options(incidents_dir).root, identifier)


def _identifier(file: Path) -> str | None:
    """Return what a bundle says that it is about; None where it is gone or cannot be read."""
    from tars_lib.evidence.verification import verify as check

    try:
        return check(file).identifier
    except TarsError:
        return None


def enter_act(
    log: Log, act: CustodyAct, bundle: str, checked: Verification, outcome: str, to: str | None = None
) -> None:
    """Enter an act on a bundle, now."""
    from tars_lib.evidence.sealing.custody import enter
    from tars_lib.incidents.store.record import CustodyEvent
    from tars_lib.incidents.store.register import actor, now

    assert checked.sha256 is not None  # noqa: S101 - a zip
    enter(log, CustodyEvent(act, bundle, checked.sha256, now(), actor(), outcome, to))
