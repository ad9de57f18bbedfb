"""Legal hold on an archived incident: a line of the archive's register, for its own timeline is sealed in the archive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tars_lib.errors import InputError, TarsError
from tars_lib.incidents.store.journal import read_incident
from tars_lib.incidents.store.register import folders
from tars_lib.retention.policy import Kind
from tars_lib.retention.register import Archived, Deed, RegisterLine, add, archived, locked, read_lines
from tars_lib.retention.things import Needs
from tars_lib.text.times import MINUTES


def archived_incidents(archive: Path, incident_id: str) -> list[Archived]:
    """List what the archive holds of an incident; a reopened one may have been archived twice."""
    in_archive = archived(read_lines(archive))
    return [item for item in in_archive if item.kind is Kind.INCIDENT and item.name == incident_id]


def holds(lines: Iterable[RegisterLine]) -> dict[str, RegisterLine]:
    """Held incidents, each with the line that says since when, by whom and why."""
    open_holds: dict[str, RegisterLine] = {}
    for line in lines:
        if line.deed is Deed.HELD:
            open_holds[line.name] = line
        elif line.deed is Deed.RELEASED:
            open_holds.pop(line.name, None)
    return open_holds


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold. `is_archived`: it stands in the archive's register, else in the incident's own timeline."""

    incident_id: str
    is_archived: bool
    since: datetime
    by: str
    reason: str


def all_holds(incidents: Path, lines: Iterable[RegisterLine]) -> tuple[Hold, ...]:
    """Return every hold, those at hand first; a record that cannot be read is passed over here, as the plan refuses it."""
    placed: list[Hold] = []
    for folder in folders(incidents):
        with suppress(TarsError):
            incident = read_incident(folder)
            if incident is not None and incident.held_at is not None:
                placed.append(
                    Hold(folder.name, False, incident.held_at, incident.held_by or "", incident.held_reason or "")
                )
    placed += [Hold(name, True, line.time, line.actor, line.reason) for name, line in holds(lines).items()]
    return tuple(placed)


def with_holds(needs: Needs, lines: Sequence[RegisterLine]) -> Needs:
    """Return what incidents need, the archived ones that are held included."""
    reasons = {name: f"legal hold on {line.name}" for line in holds(lines).values() for name in line.names}
    reasons_to_stay: Mapping[str, str] = {**reasons, **needs.held}
    return Needs(reasons_to_stay, needs.running)


def hold(archive: Path, incident_id: str, actor: str, time: datetime, reason: str) -> RegisterLine:
    """Put an archived incident on hold.

    Raise InputError if it is not in the archive or held already, or `tars retention apply` is at work, and
    VerificationError if the register was altered.
    """
    with locked(archive):
        earlier = holds(read_lines(archive)).get(incident_id)
        if earlier is not None:
            raise InputError(
                f"{incident_id}: held since {earlier.time:{MINUTES}} by {earlier.actor}; `tars incident release` ends that"
            )
        return _enter(archive, incident_id, Deed.HELD, actor, time, reason)


def release(archive: Path, incident_id: str, actor: str, time: datetime, reason: str) -> RegisterLine:
    """End such a hold.

    Raise InputError if there is none, or `tars retention apply` is at work, and VerificationError if the register was
    altered.
    """
    with locked(archive):
        if incident_id not in holds(read_lines(archive)):
            raise InputError(f"{incident_id}: not held; there is nothing to release")
        return _enter(archive, incident_id, Deed.RELEASED, actor, time, reason)


def _enter(archive: Path, incident_id: str, deed: Deed, actor: str, time: datetime, reason: str) -> RegisterLine:
    copies = archived_incidents(archive, incident_id)
    if not copies:
        raise InputError(f"{incident_id}: not in {archive}; there is nothing to hold or to release")
    newest = copies[-1]
    names = tuple(sorted({name for copy in copies for name in copy.names}))
    line = RegisterLine(
        time=time,
        actor=actor,
        deed=deed,
        kind=newest.kind,
        name=newest.name,
        source=newest.source,
        since=newest.since,
        names=names,
        # a line that names an archive's file would say that the file came or went
        archive=None,
        sha256=newest.sha256,
        content_sha256=newest.content_sha256,
        size=newest.size,
        reason=reason,
    )
    add(archive, line)
    return line
