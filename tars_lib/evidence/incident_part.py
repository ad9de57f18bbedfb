"""An incident's record and timeline as a bundle holds them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tars_lib.errors import InputError
from tars_lib.incidents.store.journal import (
    RECORD_FILE,
    JournalState,
    facts_in,
    incident_of,
    read_entries,
    read_state,
    record_text,
)
from tars_lib.incidents.store.lock import locked
from tars_lib.incidents.store.record import Head, Incident
from tars_lib.incidents.store.timeline import TIMELINE_FILE, EntryKind, line_of
from tars_lib.incidents.store.verification import verify


@dataclass(frozen=True, slots=True)
class IncidentPart:
    """Files of an incident by their path in the bundle, the record, and what was altered."""

    incident_id: str
    files: dict[str, bytes]
    incident: Incident
    faults: tuple[str, ...]


def read_part(folder: Path) -> IncidentPart:
    """Read an incident for packing.

    Entries at the end that tell of bundles alone are left out, and the record is that before them: what is packed is the
    state of the incident, so packing it twice gives the same bytes. Both files verify as they stand.

    Raise InputError if the folder has no record, and VerificationError if an entry was altered, so that the timeline cannot
    be read.
    """
    checked = verify(folder)
    with locked(folder):
        state = read_state(folder)
        if state.facts is None:
            raise InputError(f"{folder}: no record in it yet; `tars incident open --adopt {folder.name}` makes one")
        raw = {name: (folder / name).read_bytes() for name in (RECORD_FILE, TIMELINE_FILE)}
        if not checked.faults:
            raw = _before_custody(folder, raw, state)
    files = {f"incident/{folder.name}/{name}": content for name, content in raw.items()}
    faults = tuple(f"incident {folder.name}: {fault}" for fault in checked.faults)
    return IncidentPart(folder.name, files, incident_of(state, folder), faults)


def _before_custody(folder: Path, raw: dict[str, bytes], state: JournalState) -> dict[str, bytes]:
    entries = read_entries(folder)
    before = list(entries)
    while before and before[-1].kind is EntryKind.CUSTODY:
        before.pop()
    if len(before) == len(entries) or not before:
        return {**raw, TIMELINE_FILE: raw[TIMELINE_FILE][: state.head.bytes]}
    lines = b"".join(line_of(entry) for entry in before)
    head = Head(len(before), len(lines), before[-1].sha256)
    return {RECORD_FILE: record_text(JournalState(facts_in(before), head)).encode("ascii"), TIMELINE_FILE: lines}
