"""Chain of custody: who made, checked, copied or handed over a bundle, when, and with which digest.

A bundle of an incident has its entries in the incident's timeline; any other in ``custody.jsonl`` beside it, in the same form:
each line carries its own digest and that of the line before. Its end is kept in a file of its own beside it, as that of a
timeline is in the incident's record, so that cutting lines off or deleting the file is seen. No entry stands in the bundle that
it tells of, and so neither does this end: two bundles of one state are the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tars_lib.errors import InputError, VerificationError
from tars_lib.files.atomic import make_folder, write_bytes
from tars_lib.files.json_records import from_json, time_text
from tars_lib.incidents.store.journal import read_entries, read_incident, split_lines, write
from tars_lib.incidents.store.lock import locked
from tars_lib.incidents.store.record import CustodyAct, CustodyEvent, Incident
from tars_lib.incidents.store.register import is_incident_id
from tars_lib.incidents.store.timeline import GENESIS, Draft, Entry, EntryKind, follow, line_of, parse_line, seal
from tars_lib.incidents.store.verification import verify
from tars_lib.text.visible import visible

LOG_FILE = "custody.jsonl"
HEAD_FILE = ".custody.head"
"""Number and digest of the last entry of `custody.jsonl`."""
_HEAD = re.compile(rb"(\d{1,9}) ([0-9a-f]{64})\n")


@dataclass(frozen=True, slots=True)
class Log:
    """Place of the entries on a bundle: an incident's folder, or a file beside the bundle."""

    incident: Path | None
    file: Path | None

    @property
    def place(self) -> str:
        """As messages name it."""
        return str(self.incident if self.incident is not None else self.file)

    def exists(self) -> bool:
        """Return whether something was ever written there."""
        return self.incident is not None or (
            self.file is not None and (self.file.is_file() or self.file.with_name(HEAD_FILE).is_file())
        )


def log_for(bundle: Path, incidents: Path, identifier: str | None) -> Log:
    """Return the log to which entries on a bundle belong.

    Parameters
    ----------
    bundle : Path
        The zip; it need not be there any more.
    identifier : str or None
        What the bundle says that it is about. An incident is taken where its record here knows the bundle's name.
    """
    if identifier is not None and is_incident_id(identifier) and (incidents / identifier).is_dir():
        known = read_incident(incidents / identifier)
        if known is not None and any(event.bundle == bundle.name for event in known.custody):
            return Log(incidents / identifier, None)
    return Log(None, bundle.parent / LOG_FILE)


def enter(log: Log, event: CustodyEvent) -> Entry:
    """Write an entry; it is on disk when this returns.

    Raise VerificationError if earlier entries were altered; nothing is written, and InputError if the incident has no
    record.
    """
    if log.incident is not None:
        checked = verify(log.incident, with_runs=False)
        if checked.faults:
            raise VerificationError(f"{log.incident}: {checked.faults[0]}; nothing was entered")
        return write(log.incident, lambda incident: _draft(event, incident), event.by, event.at).entry
    assert log.file is not None  # noqa: S101 - one of the two
    make_folder(log.file.parent)
    with locked(log.file.parent):
        entries = _read(log.file)
        last = entries[-1].sha256 if entries else GENESIS
        draft = Draft(EntryKind.CUSTODY, sentence(event), {"event": event})
        entry = seal(draft, len(entries) + 1, event.at, event.by, last)
        write_bytes(log.file, b"".join(map(line_of, [*entries, entry])), is_private=True)
        # what is entered is entered: an end that is older than the file is one all the same
        with suppress(OSError):
            write_bytes(log.file.with_name(HEAD_FILE), f"{entry.seq} {entry.sha256}\n".encode(), is_private=True)
    return entry


def refuse_unwritable(log: Log) -> None:
    """Refuse a record that nothing can be entered in, before something is done that must be.

    Raise InputError if its folder, such as that of a medium, cannot be written to.
    """
    folder = log.incident if log.incident is not None else Path(log.place).parent
    try:
        with locked(folder):
            pass
    except OSError as error:
        raise InputError(
            f"{log.place}: cannot be written to: {error.strerror or error}; nothing was done that is to be entered there"
        ) from error


def events(log: Log) -> tuple[CustodyEvent, ...]:
    """Return everything that was entered, oldest first.

    Raise VerificationError if an entry was altered; the message names it.
    """
    if log.incident is not None:
        read_entries(log.incident)
        incident = read_incident(log.incident)
        return () if incident is None else incident.custody
    assert log.file is not None  # noqa: S101 - one of the two
    entries = _read(log.file)
    return tuple(from_json(CustodyEvent, entry.data["event"], f"{log.file}, row {entry.seq}") for entry in entries)


def head(log: Log) -> tuple[int, str]:
    """Count the entries and digest the last: noted elsewhere, they show later whether lines were cut off.

    Raise VerificationError if an entry was altered; the message names it.
    """
    if log.incident is not None:
        entries: Sequence[Entry] = read_entries(log.incident)
    else:
        assert log.file is not None  # noqa: S101 - one of the two
        entries = _read(log.file)
    return len(entries), entries[-1].sha256 if entries else GENESIS


def sentence(event: CustodyEvent) -> str:
    """Return an event in words."""
    to = "" if event.to is None else f" to {visible(event.to)}"
    outcome = f": {event.outcome}" if event.outcome else ""
    return f"bundle {event.bundle} {event.act.value.lower()}{to}{outcome}; sha256 {event.sha256}"


def recorded_digests(entered: Sequence[CustodyEvent], bundle: str) -> tuple[tuple[str, datetime], ...]:
    """Return digests that bundles of that name were made with, and when, oldest first; empty where nothing is known of one.

    Where none was made in this record, such as beside a copy, the first act on it but a verification says which it is. Later
    acts never do: an exchanged file that was handed on once would be taken for the bundle from then on.
    """
    named = [event for event in entered if event.bundle == bundle]
    made = [event for event in named if event.act is CustodyAct.CREATED]
    first = [event for event in named if event.act is not CustodyAct.VERIFIED][:1]
    return tuple((event.sha256, event.at) for event in made or first)


def disagreement(entered: Sequence[CustodyEvent], bundle: str, sha256: str) -> str | None:
    """Return a sentence where a bundle's bytes are none that were entered for that name."""
    known = recorded_digests(entered, bundle)
    if not known or sha256 in {digest for digest, _ in known}:
        return None
    digest, at = known[-1]
    return f"its sha256 is {sha256}, and {digest} was entered at {time_text(at)}: another file of that name"


def superseded(entered: Sequence[CustodyEvent], bundle: str, sha256: str) -> str | None:
    """Return a sentence where a bundle is one that was made, and another of that name was made after it."""
    known = recorded_digests(entered, bundle)
    if not known or known[-1][0] == sha256 or sha256 not in {digest for digest, _ in known}:
        return None
    return f"an earlier bundle of that name; {known[-1][0]} was made at {time_text(known[-1][1])}"


def _draft(event: CustodyEvent, incident: Incident | None) -> Draft:
    if incident is None:
        raise InputError("the incident has no record yet; `tars incident open --adopt ID` makes one")
    return Draft(EntryKind.CUSTODY, sentence(event), {"custody": (*incident.custody, event)})


def _read(file: Path) -> list[Entry]:
    """Return the entries beside a bundle, compared with the end that is kept of them."""
    entries = _parsed(file.read_bytes(), str(file)) if file.is_file() else []
    head_file = file.with_name(HEAD_FILE)
    if head_file.is_file():
        noted = _HEAD.fullmatch(head_file.read_bytes()[:100])
        count = 0 if noted is None else int(noted[1])
        if noted is None or not 0 < count <= len(entries) or entries[count - 1].sha256 != noted[2].decode():
            there = f"{len(entries)} entries" if file.is_file() else "it is gone"
            raise VerificationError(
                f"{file}: {there}, and {HEAD_FILE} beside it names another end (entry {count}): lines were cut off, or altered"
            )
    return entries


def _parsed(content: bytes, where: str) -> list[Entry]:
    lines, torn = split_lines(content)
    if torn:
        raise VerificationError(f"{where}: row {len(lines) + 1} has no end; it was altered")
    entries: list[Entry] = []
    previous = GENESIS
    for row, line in enumerate(lines, 1):
        entry = parse_line(line, f"{where}, row {row}")
        follow(entry, len(entries), previous, f"{where}, row {row}")
        entries.append(entry)
        previous = entry.sha256
    return entries
