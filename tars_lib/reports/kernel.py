"""The kernel that runs a report: this interpreter, whatever kernels the machine has registered."""

from __future__ import annotations

import os
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

KERNEL_NAME = "python3"

# The kernel warns on every start that it talks over TCP, which for a report is loopback and a minute; and when it is
# stopped, it may report the interrupt that stops it as an error. What a cell raises stands in the notebook.
_QUIET = "--IPKernelApp.log_level=50"


class ThisInterpreter(AsyncKernelManager):
    """Starts `sys.executable`, so a notebook meets the packages of the process that runs it."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """A specification that no file on disk can redirect."""
        if self._kernel_spec is None:
            from ipykernel.kernelspec import get_kernel_dict

            self._kernel_spec = KernelSpec(**get_kernel_dict(extra_arguments=[_QUIET]), env=_import_path())
        return self._kernel_spec


def _import_path() -> dict[str, str]:
    """In a checkout, where this package stands, so that a kernel in any folder can import it."""
    checkout = Path(__file__).resolve().parents[2]
    if not (checkout / "pyproject.toml").is_file():
        return {}
    path = [str(checkout), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(path)}


def close_event_loop() -> None:
    """Close the event loop that running a kernel made for this thread; a thread of a pool would leave it open."""
    from jupyter_core.utils import ensure_event_loop

    ensure_event_loop().close()
