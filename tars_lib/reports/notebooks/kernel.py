"""The kernel that runs a report: this interpreter, whatever kernels the machine has registered."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

KERNEL_NAME = "python3"

# The kernel warns on every start that it talks over TCP, which for a report is loopback and a minute; and when it is
# stopped, it may report the interrupt that stops it as an error. What a cell raises stands in the notebook.
_QUIET = "--IPKernelApp.log_level=50"

# Variables of an interpreter and its home, on Unix and Windows, and those of this package that name no secret: judgement.
_PASSED = re.compile(
    r"PATH|PATHEXT|HOME|USER|LOGNAME|SHELL|TERM|TZ|LANG|LANGUAGE|TMPDIR|TMP|TEMP|VIRTUAL_ENV|SOURCE_DATE_EPOCH"
    r"|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|APPDATA|LOCALAPPDATA|PROGRAMDATA|USERPROFILE|USERNAME|HOMEDRIVE|HOMEPATH"
    r"|NUMBER_OF_PROCESSORS|TARS_LOG_LEVEL|TARS_INCIDENTS_DIR|TARS_ACTOR"
    r"|(?:LC_|PYTHON|LD_LIBRARY|DYLD_|XDG_|CONDA_|JUPYTER|IPYTHON|MPL|OPENBLAS_|OMP_|MKL_|NUMEXPR_|ARROW_|COVERAGE_).*",
    re.IGNORECASE,
)


class ThisInterpreter(AsyncKernelManager):
    """Starts `sys.executable`, so a notebook meets the packages of the process that runs it."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """A specification that no file on disk can redirect."""
        if self._kernel_spec is None:
            from ipykernel.kernelspec import get_kernel_dict

            self._kernel_spec = KernelSpec(**get_kernel_dict(extra_arguments=[_QUIET]), env=_import_path())
        return self._kernel_spec

    async def _async_pre_start_kernel(self, **kw: Any) -> tuple[list[str], dict[str, Any]]:
        kw["env"] = kernel_environment(kw.get("env") or os.environ)
        if kw.get("cwd"):
            # in a folder of its own, such as a bundle's, a notebook shows what is there, whatever register this machine has
            kw["env"].pop("TARS_INCIDENTS_DIR", None)
        prepared: tuple[list[str], dict[str, Any]] = await super()._async_pre_start_kernel(**kw)
        return prepared


def kernel_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Variables that a notebook may see: what an interpreter needs to start and to find its packages, and no secret.

    A list of what passes, because nobody can list the names that secrets have.

    Examples
    --------
    >>> kernel_environment({"PATH": "/bin", "LC_ALL": "C", "SLACK_BOT_TOKEN": "x", "TARS_NOTIFY_URLS": "y"})
    {'PATH': '/bin', 'LC_ALL': 'C'}
    """
    return {name: value for name, value in environ.items() if _PASSED.fullmatch(name)}


def _import_path() -> dict[str, str]:
    """In a checkout, where this package stands, so that a kernel in any folder can import it."""
    checkout = Path(__file__).resolve().parents[3]
    if not (checkout / "pyproject.toml").is_file():
        return {}
    path = [str(checkout), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(path)}


def close_event_loop() -> None:
    """Close the event loop that running a kernel made for this thread; a thread of a pool would leave it open."""
    from jupyter_core.utils import ensure_event_loop

    ensure_event_loop().close()
