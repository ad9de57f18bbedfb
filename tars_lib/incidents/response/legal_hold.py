"""Legal hold: an incident, its runs and its bundles stay where they are until somebody releases them."""

from __future__ import annotations

from tars_lib.errors import InputError
from tars_lib.incidents.response.acts import Writer
from tars_lib.incidents.store.journal import Written
from tars_lib.incidents.store.record import Incident
from tars_lib.incidents.store.timeline import Draft, EntryKind
from tars_lib.text.times import MINUTES


def hold(writer: Writer, reason: str) -> Written:
    """Put an incident on hold. Raise InputError if it is already."""

    def make(incident: Incident) -> Draft:
        if incident.held_at is not None:
            raise InputError(
                f"{incident.incident_id}: held since {incident.held_at:{MINUTES}} by {incident.held_by}; "
                "`tars incident release` ends that"
            )
        return Draft(EntryKind.HELD, reason, {"held_at": writer.time, "held_by": writer.actor, "held_reason": reason})

    return writer.act("hold", make)


def release(writer: Writer, reason: str) -> Written:
    """End a hold. Raise InputError if there is none."""

    def make(incident: Incident) -> Draft:
        if incident.held_at is None:
            raise InputError(f"{incident.incident_id}: not held; there is nothing to release")
        return Draft(EntryKind.RELEASED, reason, {"held_at": None, "held_by": None, "held_reason": None})

    return writer.act("release", make)
