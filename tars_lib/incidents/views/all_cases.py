"""All incidents of the register: as facts for what looks at many of them, and which one is open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tars_lib.errors import InputError, TarsError
from tars_lib.incidents.store.journal import read_incident
from tars_lib.incidents.store.record import Incident, IncidentStatus
from tars_lib.incidents.store.register import folders, is_incident_id
from tars_lib.incidents.views.case import case_of
from tars_lib.incidents.views.clocks import is_running
from tars_lib.playbook.facts import Facts
from tars_lib.playbook.tables import Playbook

Wanted = Literal["open", "resolved", "ended", "unclosed"]
_WANTED: dict[Wanted, Callable[[Incident], bool]] = {
    "open": is_running,
    "resolved": lambda incident: incident.status is IncidentStatus.RESOLVED,
    "ended": lambda incident: not is_running(incident),
    "unclosed": lambda incident: incident.status is not IncidentStatus.CLOSED,
}


@dataclass(frozen=True, slots=True)
class Cases:
    """Incidents, newest first, and those that cannot be read: id and reason. They are named, never left out silently."""

    cases: tuple[Facts, ...]
    unreadable: tuple[tuple[str, str], ...]


def read_cases(root: Path, playbook: Playbook) -> Cases:
    """Read the register. A folder without a record is no incident yet."""
    all_facts: list[Facts] = []
    unreadable: list[tuple[str, str]] = []
    for folder in folders(root):
        try:
            incident = read_incident(folder)
            if incident is not None:
                all_facts.append(case_of(folder, incident, playbook))
        except (TarsError, OSError) as error:
            unreadable.append((folder.name, str(error)))
    return Cases(tuple(all_facts), tuple(unreadable))


def the_only_one(root: Path, wanted: Wanted = "open") -> str:
    """Return the id of the incident in the state that a command is for, where there is exactly one.

    Parameters
    ----------
    wanted : {"open", "resolved", "ended", "unclosed"}
        Neither resolved nor closed; resolved and not closed; one of the two; not closed.

    Raises
    ------
    InputError
        If there is none, or more than one; the message lists them. One that cannot be read may be it, so it counts.
    """
    names = []
    for folder in folders(root):
        try:
            incident = read_incident(folder)
        except (TarsError, OSError):
            names.append(f"{folder.name} (cannot be read)")
            continue
        if incident is not None and _WANTED[wanted](incident):
            names.append(folder.name)
    named = "not closed" if wanted == "unclosed" else wanted
    if not names:
        raise InputError(f"no incident is {named} in {root}; give an ID, `tars incident list` names all")
    if len(names) > 1 or not is_incident_id(names[0]):
        raise InputError(f"{root}: which incident is meant? {named.capitalize()}: {', '.join(names)}; give the ID")
    return names[0]
