"""`--incidents-dir` of commands that judge data: overdue escalations of these incidents become alerts, too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tars_lib.cli.shared.options import FOLDER

if TYPE_CHECKING:
    from tars_lib.playbook.escalation import Overdue


register_option = click.option(
    "--incidents-dir",
    type=FOLDER,
    help="Raise an alert for each overdue escalation of these incidents, too; default: judge the data alone.",
)


def overdue_of(incidents_dir: Path | None) -> Overdue:
    """Overdue rungs of a register at the time of the run; none where no register is given."""
    from tars_lib.playbook.escalation import NOTHING_OVERDUE

    if incidents_dir is None:
        return NOTHING_OVERDUE
    from tars_lib.incidents.views.overdue import overdue_in
    from tars_lib.pipeline import now

    return overdue_in(incidents_dir, now())
