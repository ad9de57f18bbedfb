"""Environment of the evidence: Python, the packages that the project needs, the lock file, the platform."""

from __future__ import annotations

import functools
import platform
import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from tars_lib import __version__
from tars_lib.errors import ConfigError
from tars_lib.files.assets import asset_folder
from tars_lib.files.reading import sha256_hex

LOCK_FILE = "core.lock"
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ROOTS = (
    "numpy", "pandas", "scipy", "pyarrow", "matplotlib", "networkx", "pydantic", "PyYAML", "click", "tqdm",
    "filelock", "papermill", "nbconvert", "ipykernel", "typst", "jinja2", "nbformat", "nbclient", "jupyter_client",
    "traitlets", "py-minisign", "rfc3161-client",
)  # fmt: skip
"""What this package imports; what those need in turn is found."""


def environment() -> dict[str, object]:
    """Return the versions, platform and lock, as JSON-ready values; nothing of the user, the host or environment variables."""
    return {
        "tool": f"tars-incident-workbook {__version__}",
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": {"system": platform.system(), "release": platform.release(), "machine": platform.machine()},
        "byte_order": sys.byteorder,
        "packages": dict(_packages()),
        "lock": _lock(),
    }


@functools.cache
def _packages() -> dict[str, str]:
    """Return versions by name; what this process has imported does not change while it runs."""
    versions: dict[str, str] = {}
    pending = list(_ROOTS)
    while pending:
        name = pending.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in versions:
            continue
        try:
            package = distribution(name)
        except PackageNotFoundError:
            if name in _ROOTS:
                versions[key] = "not installed"
            continue
        versions[key] = package.version
        pending += _needed(package)
    return versions


def _needed(package: Distribution) -> list[str]:
    """Return the names that a distribution requires; those of its extras are left out."""
    lines = [line for line in package.requires or () if "extra ==" not in line.replace("  ", " ")]
    return [match[0] for line in lines if (match := _REQUIREMENT.match(line))]


def _lock() -> dict[str, object]:
    try:
        path = asset_folder("requirements") / LOCK_FILE
        content = path.read_bytes()
    except (ConfigError, OSError):
        return {"file": LOCK_FILE, "sha256": None, "reason": "this installation has no lock file"}
    return {"file": f"requirements/{LOCK_FILE}", "sha256": sha256_hex(content)}
