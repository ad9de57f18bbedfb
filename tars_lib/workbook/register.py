"""The register of incidents as a notebook reads it, and the incident that its page is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tars_lib.errors import InputError, TarsError
from tars_lib.incidents.case import Case, read_case
from tars_lib.incidents.clocks import is_running
from tars_lib.incidents.in_force import playbook_in_force
from tars_lib.incidents.journal import read_incident
from tars_lib.incidents.record import Incident
from tars_lib.incidents.register import DEFAULT_DIR, folder_of, folders
from tars_lib.incidents.register import incidents_dir as place
from tars_lib.pipeline import now
from tars_lib.playbook.tables import Playbook
from tars_lib.times import read_time

_LONGEST_PATH = 1000


@dataclass(frozen=True, slots=True)
class Register:
    """Where incidents live, by which playbook they are judged, and at which time the clocks are read."""

    root: Path
    playbook: Playbook
    time: datetime

    @property
    def is_there(self) -> bool:
        """Whether there is a folder of incidents at all."""
        return self.root.is_dir()

    @property
    def given_dir(self) -> Path | None:
        """The folder as commands have to name it; None where it is the one that they take by themselves."""
        return None if self.root == DEFAULT_DIR else self.root


def open_register(incidents_dir: object, as_of: object) -> Register:
    """Find the register; nothing is written, and it need not be there.

    Parameters
    ----------
    incidents_dir : object
        A path; empty: `TARS_INCIDENTS_DIR`, else ``./incidents``.
    as_of : object
        A time with its zone, at which the clocks are read; empty: the present one.

    Raises
    ------
    InputError
        If a parameter is of another type, or the folder is a file; the message names the parameter.
    ConfigError
        If the playbook beside the incidents cannot be read.
    """
    if not isinstance(incidents_dir, str) or len(incidents_dir) > _LONGEST_PATH or "\0" in incidents_dir:
        shown = repr(incidents_dir)[:80]
        raise InputError(f"incidents_dir {shown}: the path of a folder is allowed, or an empty text")
    if not isinstance(as_of, str):
        raise InputError(f"as_of {as_of!r}: a time such as 2026-01-05T14:30:00Z is allowed, or an empty text")
    root = place(Path(incidents_dir) if incidents_dir else None)
    if root.exists() and not root.is_dir():
        raise InputError(
            f"incidents_dir {incidents_dir[:80]!r}: {root} is no folder; the folder of incidents is allowed"
        )
    time = read_time(as_of, "as_of") if as_of else now()
    return Register(root, playbook_in_force(root), time)


def case_to_respond(register: Register, incident_id: str) -> Case | None:
    """The incident by its id, else the newest that is under way; None where there is none.

    Raises
    ------
    InputError
        If there is a register, and the id is not in it.
    VerificationError
        If its timeline was altered.
    """
    return _case(register, incident_id, is_running)


def case_to_review(register: Register, incident_id: str) -> Case | None:
    """The incident by its id, else the newest that is over; see `case_to_respond`."""
    return _case(register, incident_id, lambda incident: not is_running(incident))


def check(values: dict[str, object], named: str) -> None:
    """Refuse parameters of a notebook that reads the register, before any kernel starts.

    Parameters
    ----------
    values : dict
        Its parameters, without those that keep their default.
    named : str
        The incident's id; empty: none was named.

    Raises
    ------
    InputError, ConfigError, VerificationError
        As in the notebook.
    """
    register = open_register(values.get("incidents_dir", ""), values.get("as_of", ""))
    if named:
        _case(register, named, is_running)


def _case(register: Register, incident_id: str, is_wanted: Callable[[Incident], bool]) -> Case | None:
    if not register.is_there:
        return None
    if incident_id:
        try:
            folder = folder_of(register.root, incident_id)
        except InputError as error:
            raise InputError(f"incident_id: {error}") from error
        return read_case(folder, register.playbook, register.time)
    for folder in folders(register.root):
        try:
            incident = read_incident(folder)
        except (TarsError, OSError):
            # a record that cannot be read is named by the page that lists all of them
            continue
        if incident is not None and is_wanted(incident):
            return read_case(folder, register.playbook, register.time)
    return None
