"""Archiving and deleting, so that a kill at any moment loses nothing.

Order for one thing: pack; read back and verify; write the register and flush it; rename the original to a hidden name;
remove it. Before the register's line the original is untouched, after it the archive is verified. What a killed worker
leaves, the next one finishes: a hidden folder whose name is in the register is removed, any other is given its name back.
"""

from __future__ import annotations

import shutil
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from tars_lib.errors import InputError, TarsError, VerificationError
from tars_lib.files.atomic import write_bytes
from tars_lib.files.reading import sha256_hex, sha256_of
from tars_lib.incidents.store.journal import read_incident
from tars_lib.incidents.store.lock import locked as incident_locked
from tars_lib.incidents.store.record import IncidentStatus
from tars_lib.retention.content import archive_files, check_archive, content_digest, fault_of, read_content
from tars_lib.retention.holding import with_holds
from tars_lib.retention.plan import Item, plan
from tars_lib.retention.policy import Decision, Kind, RetentionPolicy
from tars_lib.retention.register import Archived, Deed, RegisterLine, add, archived, fault_in, locked, read_lines
from tars_lib.retention.things import SIDECARS, Places, Thing, incidents, things, with_sidecars

_RETIRED = ".tars-retired-"
_SUB = {Kind.RUN: "runs", Kind.INCIDENT: "incidents", Kind.BUNDLE: "bundles", Kind.REPORT: "reports"}


@dataclass(frozen=True, slots=True)
class Clerk:
    """Worker on the archive: who works, when, where and by which policy."""

    places: Places
    policy: RetentionPolicy
    actor: str
    now: datetime


def planned(clerk: Clerk) -> tuple[Item, ...]:
    """Return the plan; what it would touch is compared with its own digests first, and refused where it does not fit.

    Raise VerificationError if the register was altered.
    """
    return tuple(item for item, _, _ in _planned(clerk))


def carry_out(clerk: Clerk) -> tuple[Item, ...]:
    """Do what the plan says; returns it with the outcome of each line.

    Raise InputError if somebody else is at it, and VerificationError if the register was altered; nothing is done then.
    """
    with locked(clerk.places.archive):
        _finish(clerk)
        return tuple(_done(clerk, *entry) for entry in _planned(clerk))


def _planned(clerk: Clerk) -> list[tuple[Item, Thing | None, Archived | None]]:
    at_hand, needs = things(clerk.places)
    lines = read_lines(clerk.places.archive)
    in_archive = archived(lines)
    items = plan(at_hand, in_archive, with_holds(needs, lines), clerk.policy, clerk.now)
    entries: list[tuple[Item, Thing | None, Archived | None]] = []
    for number, item in enumerate(items):
        thing = at_hand[number] if number < len(at_hand) else None
        stored = None if thing is not None else in_archive[number - len(at_hand)]
        fault = ""
        if item.decision in (Decision.ARCHIVE, Decision.DELETE):
            fault = fault_of(thing) if thing is not None else fault
            fault = fault_in(clerk.places.archive, stored) if stored is not None else fault
        judged = replace(item, decision=Decision.REFUSED, reason=fault) if fault else item
        entries.append((judged, thing, stored))
    return entries


def _done(clerk: Clerk, item: Item, thing: Thing | None, stored: Archived | None) -> Item:
    if item.decision not in (Decision.ARCHIVE, Decision.DELETE):
        return item
    try:
        if stored is not None:
            _delete_archived(clerk, stored, item.reason)
        elif thing is not None:
            # nobody writes to an incident while it is packed
            with incident_locked(thing.place) if thing.kind is Kind.INCIDENT else nullcontext():
                _still_allowed(clerk, thing)
                (_archive if item.decision is Decision.ARCHIVE else _delete)(clerk, thing, item.reason)
    except (TarsError, OSError) as error:
        return replace(item, decision=Decision.REFUSED, reason=" ".join(str(error).split()))
    return item


def _still_allowed(clerk: Clerk, thing: Thing) -> None:
    """A hold or a reopening may have come since the plan."""
    needs = with_holds(incidents(clerk.places.incidents)[1], read_lines(clerk.places.archive))
    for name in sorted(thing.names & needs.held.keys()):
        raise InputError(f"{thing.name}: {needs.held[name]} by now")
    if thing.kind is Kind.INCIDENT:
        incident = read_incident(thing.place)
        if incident is None or incident.status is not IncidentStatus.CLOSED:
            raise InputError(f"{thing.name}: it is not closed any more")


def _archive(clerk: Clerk, thing: Thing, reason: str) -> None:
    assert thing.since is not None  # noqa: S101 - the plan leaves the ageless alone
    content = read_content(thing)
    files = archive_files(thing, content, thing.since)
    main = next(iter(sorted(files, key=lambda name: not name.endswith(".zip"))))
    folder = _free(clerk.places.archive / _SUB[thing.kind], files)
    for name, data in files.items():
        if not (folder / name).exists():
            write_bytes(folder / name, data, is_private=True)
    check_archive(folder, files)
    if content_digest(read_content(thing)) != content_digest(content):
        raise VerificationError(f"{thing.place}: it changed while it was packed; the original was kept")
    path = (folder / main).relative_to(clerk.places.archive).as_posix()
    line = _line(clerk, thing, Deed.ARCHIVED, content, reason)
    line = replace(line, archive=path, sha256=sha256_hex(files[main]))
    if all(known.archive != path for known in archived(read_lines(clerk.places.archive))):
        add(clerk.places.archive, line)
    _retire(thing)


def _delete(clerk: Clerk, thing: Thing, reason: str) -> None:
    add(clerk.places.archive, _line(clerk, thing, Deed.DELETED, read_content(thing), reason))
    _retire(thing)


def _delete_archived(clerk: Clerk, stored: Archived, reason: str) -> None:
    lines = read_lines(clerk.places.archive)
    came = next(line for line in reversed(lines) if line.deed is Deed.ARCHIVED and line.archive == stored.archive)
    add(
        clerk.places.archive,
        replace(came, time=clerk.now, actor=clerk.actor, deed=Deed.DELETED, reason=reason),
    )
    for path in with_sidecars(clerk.places.archive / stored.archive):
        path.unlink()


def _line(clerk: Clerk, thing: Thing, deed: Deed, content: dict[str, bytes], reason: str) -> RegisterLine:
    assert thing.since is not None  # noqa: S101 - the plan leaves the ageless alone
    return RegisterLine(
        clerk.now,
        clerk.actor,
        deed,
        thing.kind,
        thing.name,
        str(thing.place),
        thing.since,
        tuple(sorted(thing.names)),
        None,
        None,
        content_digest(content),
        sum(map(len, content.values())),
        reason,
    )


def _free(folder: Path, files: dict[str, bytes]) -> Path:
    """Return a folder in the archive in which these files stand already, or have room."""
    number = 1
    while True:
        candidate = folder if number == 1 else folder / str(number)
        if all(
            not (candidate / name).exists() or (candidate / name).read_bytes() == data for name, data in files.items()
        ):
            return candidate
        number += 1


def _retire(thing: Thing) -> None:
    for path in with_sidecars(thing.place) if thing.kind is Kind.BUNDLE else [thing.place]:
        hidden = path.with_name(f"{_RETIRED}{path.name}")
        path.rename(hidden)
        _remove(hidden)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _finish(clerk: Clerk) -> None:
    """Tidy what a killed worker left: remove it where the register has it, else give its name back."""
    lines = read_lines(clerk.places.archive)
    known = {Path(line.source).name for line in lines if line.deed in (Deed.ARCHIVED, Deed.DELETED)}
    for line in lines:
        # a deletion from the archive that was written down and not yet done
        if line.deed is Deed.DELETED and line.archive is not None:
            path = clerk.places.archive / line.archive
            if path.is_file() and sha256_of(path) == line.sha256:
                is_kept = any(clerk.places.archive / file.archive == path for file in archived(lines))
                for file in () if is_kept else with_sidecars(path):
                    file.unlink()
    for parent in (clerk.places.runs, clerk.places.incidents, clerk.places.bundles, clerk.places.reports):
        for hidden in sorted(parent.glob(f"{_RETIRED}*")) if parent.is_dir() else ():
            original = hidden.with_name(hidden.name.removeprefix(_RETIRED))
            bundle = next((original.name.removesuffix(end) for end in SIDECARS if original.name.endswith(end)), "")
            if {original.name, bundle} & known:
                _remove(hidden)
            elif not original.exists():
                hidden.rename(original)
