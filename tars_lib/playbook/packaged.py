"""The packaged playbook: what is in force where an organisation brings none of its own."""

from __future__ import annotations

from functools import cache

from tars_lib.playbook.tables import Playbook


@cache
def packaged() -> Playbook:
    """Return the tables of `parameters/playbook.yaml`, read when they are first asked for."""
    from tars_lib.playbook.config import read_playbook

    return read_playbook().playbook
