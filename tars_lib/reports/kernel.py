"""The kernel that runs a report: this interpreter, whatever kernels the machine has registered."""

from __future__ import annotations

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

KERNEL_NAME = "python3"


class ThisInterpreter(AsyncKernelManager):
    """Starts `sys.executable`, so a notebook meets the packages of the process that runs it."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """A specification that no file on disk can redirect."""
        if self._kernel_spec is None:
            from ipykernel.kernelspec import get_kernel_dict

            self._kernel_spec = KernelSpec(**get_kernel_dict())
        return self._kernel_spec
