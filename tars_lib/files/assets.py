"""Files that travel with the package: notebooks, parameters, demo data.

In a wheel they stand inside the package; in a checkout at the top level, where people edit them.
"""

from __future__ import annotations

from pathlib import Path

from tars_lib.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parents[1]


def asset_folder(kind: str) -> Path:
    """Return the folder of `notebooks` or `parameters`. Raise ConfigError if the installation lacks it."""
    for folder in (_PACKAGE / f"_{kind}", _PACKAGE.parent / kind):
        if folder.is_dir():
            return folder
    raise ConfigError(f"{kind}: not part of this installation of tars-incident-workbook; reinstall it")
