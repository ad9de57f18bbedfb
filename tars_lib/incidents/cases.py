"""All incidents of the register as facts, for what looks at many of them: reviews, metrics, overdue rungs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tars_lib.errors import TarsError
from tars_lib.incidents.case import case_of
from tars_lib.incidents.journal import read_incident
from tars_lib.incidents.register import folders
from tars_lib.playbook.facts import Facts
from tars_lib.playbook.packaged import PACKAGED
from tars_lib.playbook.tables import Playbook


@dataclass(frozen=True, slots=True)
class Cases:
    """Incidents, newest first, and those that cannot be read: id and reason. They are named, never left out silently."""

    cases: tuple[Facts, ...]
    unreadable: tuple[tuple[str, str], ...]


def read_cases(root: Path, playbook: Playbook = PACKAGED) -> Cases:
    """Read the register. A folder without a record is no incident yet."""
    cases: list[Facts] = []
    unreadable: list[tuple[str, str]] = []
    for folder in folders(root):
        try:
            incident = read_incident(folder)
            if incident is not None:
                cases.append(case_of(folder, incident, playbook))
        except (TarsError, OSError) as error:
            unreadable.append((folder.name, str(error)))
    return Cases(tuple(cases), tuple(unreadable))
