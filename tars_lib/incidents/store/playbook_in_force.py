"""Which playbook is in force for the incidents of a folder?"""

from __future__ import annotations

from pathlib import Path

from tars_lib.playbook.packaged import packaged
from tars_lib.playbook.tables import Playbook

PLAYBOOK_FILE = ".playbook.yaml"
"""The organisation's own, beside its incidents."""


def own_playbook(root: Path, own: Path | None = None) -> Path | None:
    """Return the organisation's file: `own`, else ``.playbook.yaml`` in the folder of incidents; None where there is none."""
    beside = root / PLAYBOOK_FILE
    return own or (beside if beside.is_file() else None)


def playbook_in_force(root: Path, own: Path | None = None) -> Playbook:
    """`own`, else ``.playbook.yaml`` in the folder of incidents, laid over the packaged one; else that alone.

    Raise ConfigError if the file cannot be read or is not whole.
    """
    chosen = own_playbook(root, own)
    if chosen is None:
        return packaged()
    from tars_lib.playbook.config import read_playbook

    return read_playbook(chosen).playbook
