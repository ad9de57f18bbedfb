"""Report of `tars bundle verify`, as an auditor reads it: content, container, what probably happened, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tars_lib.text.visible import visible

if TYPE_CHECKING:
    from tars_lib.evidence.sealing.signature import Signature
    from tars_lib.evidence.verification import Verification

MOST_NAMED = 10
"""Faults that are named on a screen; judgement. --verbose names all."""


def show(
    file: Path,
    checked: Verification,
    signatures: Sequence[Signature],
    faults: Sequence[str],
    notes: Sequence[str],
    *,
    quiet: bool,
    verbose: bool,
) -> None:
    """Print the verdict; `quiet` leaves out what is no fault."""
    is_clean = checked.is_intact and not faults
    named = [f"  {fault.what.value}: {fault.path or 'archive'}: {fault.why}" for fault in checked.content_faults]
    shown = named if verbose else named[:MOST_NAMED]
    verdicts = [f"CONTENT:   {_content(checked)}", f"CONTAINER: {_container(checked)}"]
    lines = [*([] if quiet and is_clean else verdicts), *shown]
    lines += [f"  and {len(named) - len(shown)} more; --verbose names them"] if shown != named else []
    lines += [f"FAULT: {fault}" for fault in faults]
    lines += [f"Cause: {cause}" for cause in checked.causes]
    if not is_clean:
        lines.append(f"Next:  {_next(checked, faults)}")
    if verbose:
        lines += [f"container: {fault.path or 'archive'}: {fault.why}" for fault in checked.container_faults]
    if not quiet:
        lines += _asides(file, checked, signatures, notes)
    for line in lines:
        click.echo(f"{line[: len(line) - len(line.lstrip())]}{visible(line.strip())}")


def kind_of(signature: Signature) -> str:
    """Return what stands beside the bundle, in words."""
    return "time stamp" if signature.file.endswith(".tsr") else "signature"


def _content(checked: Verification) -> str:
    if not checked.content_faults:
        return f"intact: every file matches, {checked.files} files"
    if not checked.files:
        return "no file could be read"
    return (
        f"NOT intact: {checked.spoiled} of {max(checked.listed + 1, checked.files, checked.spoiled)} files do not match"
    )


def _container(checked: Verification) -> str:
    digest = "" if checked.sha256 is None else f"; sha256 {checked.sha256}"
    return f"{checked.container.value}{digest}"


def _next(checked: Verification, faults: Sequence[str]) -> str:
    if checked.content_faults or not checked.container.is_harmless:
        return "do not rely on it; ask whoever sent it for the zip as it was written, and compare its sha256 by another way"
    if faults:
        return "ask whoever made the bundle which digest and signature are right"
    return "the evidence can be used; the digest of this container is not that of the bundle as it was written"


def _asides(file: Path, checked: Verification, signatures: Sequence[Signature], notes: Sequence[str]) -> list[str]:
    lines = []
    if checked.partial is not None:
        lines.append(f"PARTIAL: the bundle says of itself: {checked.partial}")
    lines += [f"note: {note}" for note in notes]
    for signature in signatures:
        key = "" if signature.key is None else f" by {signature.key}"
        lines.append(f"{kind_of(signature)} {signature.file}: {signature.state.value}{key}: {signature.text}")
    if not any(kind_of(beside) == "signature" for beside in signatures) and checked.sha256 is not None:
        lines.append("unsigned: no signature stands beside it; digests do not say who made a bundle")
    return [f"{file}: {line}" if line.startswith("note") else line for line in lines]
