"""The register: which incidents there are, and how a new one gets its folder and its id."""

from __future__ import annotations

import getpass
import os
import re
from datetime import UTC, datetime
from difflib import get_close_matches
from itertools import count
from pathlib import Path

from tars_lib.errors import InputError
from tars_lib.files.atomic import make_folder

DEFAULT_DIR = Path("incidents")
_SEARCHED = slice(5, 1000)
"""Incidents, newest first, among which a mistyped id is looked for: those that the refusal does not list anyway. Judgement."""
_LIKE = 0.85
"""Share of an id that has to agree; judgement: two digits of its sixteen may differ, or two may have changed places."""
_ID = re.compile(r"INC-\d{12}(?:-[1-9]\d*)?")


def incidents_dir(named: Path | None = None) -> Path:
    """Return the folder of incidents: `named`, else `TARS_INCIDENTS_DIR`, else ``./incidents``."""
    return named or Path(os.environ.get("TARS_INCIDENTS_DIR") or DEFAULT_DIR)


def actor() -> str:
    """Return who writes: `TARS_ACTOR`, else the user of the operating system, else "unknown"."""
    named = os.environ.get("TARS_ACTOR", "").strip()
    if named:
        return named
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


def now() -> datetime:
    """Return the time of an entry, to the second.

    It is the clock's: `SOURCE_DATE_EPOCH`, which pins reports so that they can be made again, does not move when somebody
    acted.
    """
    return datetime.now(UTC).replace(microsecond=0)


def is_incident_id(text: str) -> bool:
    """Return whether this is the name of an incident's folder.

    Examples
    --------
    >>> is_incident_id("INC-202601051430-2"), is_incident_id("../INC-202601051430")
    (True, False)
    """
    return _ID.fullmatch(text) is not None


def new_folder(root: Path, time: datetime) -> Path:
    """Make the folder of a new incident; its name is the id.

    Parameters
    ----------
    root : Path
        Where incidents live; made if need be.
    time : datetime
        Aware; its minute in UTC is the id's. An id that is taken gets ``-2``, ``-3``...

    Returns
    -------
    Path
        Nobody else was given it: making a folder is one step of the file system.
    """
    make_folder(root)
    name = f"INC-{time.astimezone(UTC):%Y%m%d%H%M}"
    for number in count(1):
        folder = root / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise AssertionError  # count() does not end


def folder_of(root: Path, incident_id: str) -> Path:
    """Return the folder of an incident.

    Raise InputError if the id has another form or there is no such folder; the message says which there are.
    """
    if not is_incident_id(incident_id):
        raise InputError(f"{incident_id[:60]!r} is no incident id; INC-YYYYMMDDHHMM is, such as INC-202601051430")
    folder = root / incident_id
    if not folder.is_dir():
        there = [path.name for path in folders(root)]
        known = f"the newest are {', '.join(there[:5])}" if there else "it holds none"
        like = get_close_matches(incident_id, there[_SEARCHED], n=2, cutoff=_LIKE)
        known = f"did you mean {' or '.join(like)}? {known}" if like else known
        raise InputError(f"{incident_id}: no such incident in {root}; {known}")
    return folder


def folders(root: Path) -> list[Path]:
    """Return the folders of all incidents, newest id first; those without a record, made by hand or by a pipeline, too."""
    if not root.is_dir():
        return []
    incident_folders = [path for path in root.iterdir() if path.is_dir() and is_incident_id(path.name)]
    return sorted(incident_folders, key=lambda path: _order(path.name), reverse=True)


def runs_in(folder: Path) -> list[Path]:
    """Run directories in an incident's folder."""
    return sorted(path for path in folder.glob("tars-run-*") if path.is_dir())


def _order(name: str) -> tuple[str, int]:
    minute, _, number = name.removeprefix("INC-").partition("-")
    return minute, int(number or 1)
