"""`tars bundle verify`: is a bundle what was packed, and do the signatures, stamps, heads and records that are known agree?"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tars_lib.cli.bundle import custody
from tars_lib.cli.incident.keeping import head_option, heads_of
from tars_lib.cli.shared.options import FILE, incidents_option, json_option
from tars_lib.cli.shared.shell import REPORT, guarded, print_json
from tars_lib.errors import TarsError

if TYPE_CHECKING:
    from tars_lib.evidence.sealing.custody import Log
    from tars_lib.evidence.sealing.signature import Signature
    from tars_lib.evidence.verification import Verification


@click.command(epilog=f"Example: tars bundle verify {custody.EXAMPLE}")
@custody.file_argument
@click.option("--public-key", metavar="KEY|FILE", help="Minisign public key that must have signed the bundle.")
@click.option(
    "--timestamp-cert",
    type=FILE,
    metavar="FILE",
    help="Root certificate (PEM or DER) of the authority that must have stamped the bundle.",
)
@head_option
@incidents_option
@click.option("--no-record", is_flag=True, help="Enter the verification nowhere.")
@click.option("--strict", is_flag=True, help="Code 1 also where every file matches and the container is another.")
@json_option
@guarded(REPORT)
def verify(
    file: Path,
    public_key: str | None,
    timestamp_cert: Path | None,
    published: str | None,
    incidents_dir: Path | None,
    no_record: bool,
    strict: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Compare a bundle (zip, tar or the folder it was unpacked to) with its manifests, and its timeline with its chain.

    Says first whether the content is intact, then whether the container is the one that was written; names what is altered,
    missing, added or renamed; works without a network. Code 1 if the content is not intact, a signature does not fit, or
    --public-key, --timestamp-cert or --head is given and the bundle is not signed, stamped or recorded so; 0 with a warning
    where another tool packed it anew. Where a record of the bundle is kept, in an incident or in custody.jsonl beside it, the
    digest is compared with it and the verification is entered.
    """
    from tars_lib.cli.bundle.verdict import kind_of, show
    from tars_lib.evidence.sealing.custody import disagreement, events, superseded
    from tars_lib.evidence.verification import verify as check

    checked = check(file)
    notes = list(checked.notes)
    signatures = custody.signatures_beside(file, public_key, checked.original, timestamp_cert)
    faults = [
        f"{signature.file}: {kind_of(signature)} INVALID: {signature.text}"
        for signature in signatures
        if signature.state.value == "INVALID"
    ]
    valid = {signature.file.rpartition(".")[2] for signature in signatures if signature.state.value == "VALID"}
    if public_key is not None and "minisig" not in valid:
        faults = faults or [f"{file.name}.minisig: no signature by this key stands beside the bundle"]
    if timestamp_cert is not None and "tsr" not in valid:
        faults = faults or [f"{file.name}.tsr: no time stamp by this authority stands beside the bundle"]
    if published is not None:
        faults += _against_heads(checked, published)
    if checked.sha256 is not None:
        log = custody.log_of(file, incidents_dir, checked.identifier)
        if log.exists():
            try:
                entered = events(log)
                # of a bundle that was packed anew, what counts is the one that its files make
                digest = checked.sha256 if checked.original is None else sha256(checked.original).hexdigest()
                other = disagreement(entered, file.name, digest)
                faults += [] if other is None else [other]
                earlier = superseded(entered, file.name, digest)
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
            "is_signed": bool(valid - {"tsr"}),
            "is_stamped": "tsr" in valid,
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
        print_json(document)
    else:
        show(
            file, checked, signatures, faults, notes, quiet=quiet, verbose=click.get_current_context().params["verbose"]
        )
    return 0 if is_intact else 1


def _against_heads(checked: Verification, published: str) -> list[str]:
    """Faults of the timelines in a bundle against heads that were noted elsewhere."""
    from tars_lib.incidents.store.published import compare

    published_heads = heads_of(published)
    if not checked.timelines:
        return ["no timeline of an incident is in the bundle, so no published head can be compared"]
    faults = [
        f"timeline of {name}: {fault}"
        for name, entry_digests in checked.timelines.items()
        for fault in compare(name, entry_digests, published_heads)
    ]
    tail = " (entries at the end that tell of bundles alone are not packed)"
    return [f"{fault}{tail}" if fault.endswith("is not there") else fault for fault in faults]


def _enter_verification(
    log: Log, file: Path, checked: Verification, signatures: tuple[Signature, ...], faults: list[str]
) -> None:
    """Enter what was found; a medium that cannot be written to, or a record that was altered, does not change the verdict."""
    from tars_lib.incidents.store.record import CustodyAct

    count = len(checked.faults) + len(faults)
    states = (
        ", ".join(f"{signature.file.rpartition('.')[2]} {signature.state.value}" for signature in signatures)
        or "unsigned"
    )
    outcome = f"intact, {states}" if not count else f"{count} fault{'s' if count > 1 else ''}, {states}"
    try:
        custody.enter_act(log, CustodyAct.VERIFIED, file.name, checked, outcome)
    except (OSError, TarsError) as error:
        click.echo(f"the verification was not entered: {' '.join(str(error).split())}", err=True)
