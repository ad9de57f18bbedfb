"""The demo organisation that ships with the package."""

from __future__ import annotations

from pathlib import Path

from tars_lib.files.atomic import write_bytes

_PACKAGED = Path(__file__).resolve().parent.parent / "_demo" / "org-health"


def demo_root() -> Path:
    """Return the folder of the packaged demo organisation."""
    return _PACKAGED


def copy_demo(folder: Path) -> Path:
    """Copy the demo organisation to a folder, where it can be looked at and changed.

    Files of the same name are replaced, others are left alone.
    """
    for path in sorted(_PACKAGED.iterdir()):
        if path.is_file():
            write_bytes(folder / path.name, path.read_bytes())
    return folder
