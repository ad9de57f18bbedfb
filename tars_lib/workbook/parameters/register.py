"""The register of incidents as a notebook reads it, and the incident that its page is about."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tars_lib.engines.queries.incident_state import IncidentState
from tars_lib.errors import InputError, TarsError
from tars_lib.incidents.store.journal import read_incident
from tars_lib.incidents.store.playbook_in_force import playbook_in_force
from tars_lib.incidents.store.record import Incident
from tars_lib.incidents.store.register import DEFAULT_DIR, folder_of, folders, is_incident_id
from tars_lib.incidents.store.register import incidents_dir as place
from tars_lib.incidents.views.case import Case, read_case
from tars_lib.incidents.views.clocks import is_running
from tars_lib.incidents.views.standing import incident_about
from tars_lib.incidents.views.standing import state_by as state_by  # noqa: PLC0414 - pages take it from here
from tars_lib.model.times import read_time
from tars_lib.pipeline import Run, now
from tars_lib.playbook.tables import Playbook
from tars_lib.workbook.parameters.checks import incident_id as checked_id
from tars_lib.workbook.parameters.workspace import in_workspace

_LONGEST_PATH = 1000


@dataclass(frozen=True, slots=True)
class Register:
    """Place of the incidents, with the playbook that judges them and the time at which the clocks are read."""

    root: Path
    playbook: Playbook
    time: datetime

    @property
    def is_there(self) -> bool:
        """Return whether there is a folder of incidents at all."""
        return self.root.is_dir()

    @property
    def given_dir(self) -> Path | None:
        """The folder as commands have to name it, from here if it stands here; None where they take it by themselves."""
        here = Path.cwd()
        named = self.root.relative_to(here) if self.root.is_relative_to(here) else self.root
        return None if named in (DEFAULT_DIR, in_workspace(DEFAULT_DIR)) else named


def open_register(incidents_dir: object, as_of: object) -> Register:
    """Find the register; nothing is written.

    Parameters
    ----------
    incidents_dir : object
        The path of a folder; empty: `TARS_INCIDENTS_DIR`, else ``./incidents``, which need not be there.
    as_of : object
        A time with its zone, at which the clocks are read; empty: the present one.

    Raises
    ------
    InputError
        If a parameter is of another type, or the folder that is named is not there or is a file; the message names the
        parameter.
    ConfigError
        If the playbook beside the incidents cannot be read.
    """
    if not isinstance(incidents_dir, str) or len(incidents_dir) > _LONGEST_PATH or "\0" in incidents_dir:
        shown = repr(incidents_dir)[:80]
        raise InputError(f"incidents_dir {shown}: the path of a folder is allowed, or an empty text")
    if not isinstance(as_of, str):
        raise InputError(f"as_of {as_of!r}: a time such as 2026-01-05T14:30:00Z is allowed, or an empty text")
    root = in_workspace(place(Path(incidents_dir) if incidents_dir else None))
    if incidents_dir and not root.exists():
        raise InputError(
            f"incidents_dir {incidents_dir[:80]!r}: no such folder; a folder of incidents is allowed, or an empty text for "
            f"$TARS_INCIDENTS_DIR, else ./{DEFAULT_DIR}"
        )
    if root.exists() and not root.is_dir():
        raise InputError(
            f"incidents_dir {incidents_dir[:80]!r}: {root} is no folder; the folder of incidents is allowed"
        )
    time = read_time(as_of, "as_of") if as_of else now()
    return Register(root, playbook_in_force(root), time)


def case_to_respond(register: Register, incident_id: str) -> Case | None:
    """Return the incident by its id, else the newest that is under way; None where there is none.

    Raises
    ------
    InputError
        If an id is named that no register holds.
    VerificationError
        If its timeline was altered.
    """
    return _case(register, incident_id, is_running)


def case_to_review(register: Register, incident_id: str) -> Case | None:
    """Return the incident by its id, else the newest that is over; see `case_to_respond`."""
    return _case(register, incident_id, lambda incident: not is_running(incident))


def check(values: Mapping[str, object], known: Collection[str], run: Path) -> None:
    """Refuse an incident, a register or a time that is not there, before any kernel starts.

    Parameters
    ----------
    values : mapping
        Parameters of a notebook, without those that keep their default.
    known : collection of str
        Names of all that it takes.
    run : Path
        The run directory. It may stand in the folder of its incident, wherever that is.

    Raises
    ------
    InputError, ConfigError, VerificationError
        As in the notebook. Where the id is no more than printed on the page, one of another form than the register's is free.
    """
    named = str(values.get("incident_id", ""))
    register = open_register(values.get("incidents_dir", ""), values.get("as_of", ""))
    has_clocks = "as_of" in known
    is_elsewhere = run.resolve().parent.name == named or not register.is_there or not is_incident_id(named)
    if named and (has_clocks or not is_elsewhere):
        _case(register, named, is_running)


def known_incident(run: Run, incident_id: object, incidents_dir: object) -> str:
    """Return the id that a page prints, checked as `tars report` does, for a notebook that is run without that command.

    Parameters
    ----------
    run : Run
        The run that the page tells. It may stand in the folder of its incident, wherever that is.
    incident_id : object
        What was given; empty: that of the incident whose record names the run, if there is one.
    incidents_dir : object
        As `open_register` takes it.

    Raises
    ------
    InputError
        If a parameter is of another type, the folder is not there, or the id has the form of the register's and the register
        at hand does not hold it; the message names the parameter.
    """
    named = checked_id(incident_id)
    if named or incidents_dir != "":
        check({"incident_id": named, "incidents_dir": incidents_dir}, (), run.directory)
    return named or incident_of(run, incidents_dir)


def incident_of(run: Run, incidents_dir: object) -> str:
    """Return the id of the incident that the run belongs to: in whose folder it is, or whose record names it; else empty."""
    folder = _folder_of(run, "", incidents_dir)
    return "" if folder is None else folder.name


def state_of(run: Run, incident_id: str = "", incidents_dir: object = "") -> IncidentState:
    """Decide where the incident of a page stands, from the run and from the record.

    The record is the one of that id in the register at hand, else the one in whose folder the run stands, else the one that
    names the run.

    Parameters
    ----------
    run : Run
    incident_id, incidents_dir
        As `known_incident` takes them.
    """
    return state_by(run, _record_of(run, incident_id, incidents_dir))


def _record_of(run: Run, incident_id: str, incidents_dir: object) -> Case | None:
    folder = _folder_of(run, incident_id, incidents_dir)
    if folder is None or read_incident(folder) is None:
        return None
    register = open_register(str(folder.parent), "")
    return read_case(folder, register.playbook, register.time)


def _folder_of(run: Run, incident_id: str, incidents_dir: object) -> Path | None:
    beside = run.directory.resolve().parent
    if is_incident_id(beside.name) and (not incident_id or beside.name == incident_id):
        return beside
    root = open_register(incidents_dir, "").root
    if not incident_id:
        return incident_about(run, root)
    return root / incident_id if is_incident_id(incident_id) and (root / incident_id).is_dir() else None


def _case(register: Register, incident_id: str, is_wanted: Callable[[Incident], bool]) -> Case | None:
    if incident_id:
        if not register.is_there:
            raise InputError(
                f"incident_id {incident_id!r}: there is no register of incidents at {register.root}; allowed: an empty text, "
                "or the id of an incident in the folder that incidents_dir names"
            )
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
