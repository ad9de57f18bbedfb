"""Paths of a notebook: they begin in the current folder, for a kernel that stands in `notebooks/` in the one above.

JupyterLab starts a kernel in the folder of its notebook, papermill and `tars report` in the folder that they were called from.
The same parameters hold for both: they are paths of the workspace.
"""

from __future__ import annotations

from glob import glob
from pathlib import Path

FOLDER = "notebooks"


def in_workspace(path: Path) -> Path:
    """Return a path as it is, or from the folder above where it is only there."""
    above = Path("..") / path
    return above if _is_beside(path) and not path.exists() and above.exists() else path


def matches(pattern: str) -> list[Path]:
    """List what a path or a glob names, sorted; from the folder above where nothing is found here.

    Parameters
    ----------
    pattern : str
        It may be absolute. A path that exists is itself, whatever brackets its name holds.
    """
    here = Path(pattern)
    if pattern and here.exists():
        return [here]
    found = sorted(glob(pattern)) or (sorted(glob(f"../{pattern}")) if _is_beside(here) else [])  # noqa: PTH207
    return [Path(match) for match in found]


def _is_beside(path: Path) -> bool:
    return not path.is_absolute() and Path.cwd().name == FOLDER
