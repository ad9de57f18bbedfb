"""Who should have been told by now, over all incidents of a register?"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from tars_lib.files.reading import sha256_of
from tars_lib.incidents.store.journal import RECORD_FILE
from tars_lib.incidents.store.playbook_in_force import playbook_in_force
from tars_lib.incidents.views.all_cases import read_cases
from tars_lib.model.names import InputFile
from tars_lib.playbook.escalation import Overdue, timeouts


def overdue_in(root: Path, time: datetime) -> Overdue:
    """Return the overdue rungs of a folder of incidents, by the playbook in force there.

    Parameters
    ----------
    root : Path
        A folder that does not exist is a warning: nobody looked at any incident.

    Raises
    ------
    ConfigError
        If the folder's playbook cannot be read.
    """
    if not root.is_dir():
        return Overdue(warnings=(f"{root}: no such folder, so no incident was checked for overdue escalations",))
    rules = playbook_in_force(root)
    register = read_cases(root, rules)
    late = tuple(rung for facts in register.cases for rung in timeouts(facts, time, rules))
    records = [root / name / RECORD_FILE for name in dict.fromkeys(rung.incident_id for rung in late)]
    return Overdue(
        rungs=late,
        inputs=tuple(InputFile(f"{path.parent.name}/{path.name}", sha256_of(path)) for path in records),
        warnings=tuple(
            f"incident {name} cannot be read, so its overdue escalations are unknown: {problem}"
            for name, problem in register.unreadable
        ),
    )
