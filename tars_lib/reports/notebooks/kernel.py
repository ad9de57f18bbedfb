"""The kernel that runs a report: this interpreter, whatever kernels the machine has registered.

It imports from where this process does and never from its working folder, which may be an incident's or an unpacked bundle's:
a file ``numpy.py`` in there is data. It starts in an empty folder of its own, without the user's startup files, and enters the
working folder before the first cell; so an unwritable home changes nothing either.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

from tars_lib.files.scratch import scratch

KERNEL_NAME = "python3"

# The kernel warns on every start that it talks over TCP, which for a report is loopback and a minute; and when it is
# stopped, it may report the interrupt that stops it as an error. What a cell raises stands in the notebook.
_QUIET = "--IPKernelApp.log_level=50"

# Code of the working folder and of the user's own files stays out: https://ipython.readthedocs.io/en/stable/config/options/
_ALONE = ("--InteractiveShellApp.ignore_cwd=True", "--InteractiveShellApp.exec_PYTHONSTARTUP=False")

# matplotlib takes a `matplotlibrc` of the folder in which it is imported first:
# https://matplotlib.org/stable/users/explain/customizing.html#the-matplotlibrc-file
_FOLDER = "TARS_KERNEL_FOLDER"
_ENTER = (
    "--InteractiveShellApp.exec_lines=__import__('matplotlib');"
    f"__import__('os').chdir(__import__('os').environ.pop('{_FOLDER}'))"
)

# Bytes of a socket's path, with the number that is added to it; systems allow 104 to 108.
_LONGEST_SOCKET = 100

# Variables of an interpreter and its home, on Unix and Windows, and those of this package that name no secret: judgement.
_PASSED = re.compile(
    r"PATH|PATHEXT|HOME|USER|LOGNAME|SHELL|TERM|TZ|LANG|LANGUAGE|TMPDIR|TMP|TEMP|VIRTUAL_ENV|SOURCE_DATE_EPOCH"
    r"|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|APPDATA|LOCALAPPDATA|PROGRAMDATA|USERPROFILE|USERNAME|HOMEDRIVE|HOMEPATH"
    r"|NUMBER_OF_PROCESSORS|TARS_LOG_LEVEL|TARS_INCIDENTS_DIR|TARS_ACTOR"
    r"|(?:LC_|PYTHON(?!STARTUP|INSPECT)|LD_LIBRARY|DYLD_|XDG_|CONDA_|JUPYTER|IPYTHON|MPL|OPENBLAS_|OMP_|MKL_|NUMEXPR_|ARROW_|COVERAGE_).*",
    re.IGNORECASE,
)


class ThisInterpreter(AsyncKernelManager):
    """Starts `sys.executable`, so a notebook meets the packages of the process that runs it."""

    def __init__(self, **kw: Any) -> None:
        super().__init__(**kw)
        self._held = ExitStack()

    @property
    def kernel_spec(self) -> KernelSpec:
        """Return a specification that no file on disk can redirect."""
        if self._kernel_spec is None:
            from ipykernel.kernelspec import get_kernel_dict

            command = get_kernel_dict(extra_arguments=[_QUIET, *_ALONE, _ENTER], python_arguments=["-P"])
            self._kernel_spec = KernelSpec(**command)
        return self._kernel_spec

    async def _async_pre_start_kernel(self, **kw: Any) -> tuple[list[str], dict[str, Any]]:
        env = kernel_environment(kw.get("env") or os.environ)
        if kw.get("cwd"):
            # in a folder of its own, such as a bundle's, a notebook shows what is there, whatever register this machine has
            env.pop("TARS_INCIDENTS_DIR", None)
        self._held.close()
        private = self._held.enter_context(scratch("kernel"))
        for name in ("start", "ipython", "matplotlib"):
            (private / name).mkdir()
        env |= {
            "PYTHONPATH": os.pathsep.join(import_path(env.get("PYTHONPATH", ""), Path.cwd())),
            "IPYTHONDIR": str(private / "ipython"),
            _FOLDER: str(Path(kw.get("cwd") or ".").absolute()),
        }
        if not _has_room_for_matplotlib(env):
            env["MPLCONFIGDIR"] = str(private / "matplotlib")
        kw |= {"env": env, "cwd": str(private / "start")}
        self.connection_file = str(private / "connection.json")
        if os.name == "posix" and len(os.fsencode(sockets := str(private.absolute() / "socket"))) <= _LONGEST_SOCKET:
            # a port is found free and given back before the kernel takes it, so another process may have it by then
            self.transport, self.ip, self.cache_ports = "ipc", sockets, False
        prepared: tuple[list[str], dict[str, Any]] = await super()._async_pre_start_kernel(**kw)
        return prepared

    async def _async_cleanup_resources(self, restart: bool = False) -> None:
        await super()._async_cleanup_resources(restart=restart)
        self._held.close()

    cleanup_resources = _async_cleanup_resources


def kernel_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Variables that a notebook may see: what an interpreter needs to start and to find its packages, and no secret.

    A list of what passes, because nobody can list the names that secrets have.

    Examples
    --------
    >>> kernel_environment({"PATH": "/bin", "LC_ALL": "C", "SLACK_BOT_TOKEN": "x", "TARS_NOTIFY_URLS": "y"})
    {'PATH': '/bin', 'LC_ALL': 'C'}
    """
    return {name: value for name, value in environ.items() if _PASSED.fullmatch(name)}


def import_path(given: str, here: Path) -> list[str]:
    """Entries of `PYTHONPATH` for a kernel: this package where it is a checkout, and what was given but for the current folder.

    Parameters
    ----------
    given : str
        `PYTHONPATH` of this process. An empty entry in it, which a stray colon makes, is the current folder.

    Examples
    --------
    >>> import_path(os.pathsep.join(["", ".", "lib"]), Path("/data"))[-1] == str(Path("/data/lib").absolute())
    True
    """
    checkout = Path(__file__).resolve().parents[3]
    entries = [(here / entry).resolve() for entry in given.split(os.pathsep) if entry]
    path = [entry for entry in entries if entry not in (here.resolve(), checkout)]
    return [str(entry) for entry in ([checkout, *path] if (checkout / "pyproject.toml").is_file() else path)]


def _has_room_for_matplotlib(env: Mapping[str, str]) -> bool:
    """Return whether matplotlib can write its fonts' list; it complains in the report otherwise."""
    given = env.get("MPLCONFIGDIR")
    try:
        home = Path(env.get("HOME") or Path.home())
        if given:
            folders = [Path(given)]
        elif sys.platform.startswith(("linux", "freebsd")):
            folders = [
                Path(env.get("XDG_CONFIG_HOME") or home / ".config") / "matplotlib",
                Path(env.get("XDG_CACHE_HOME") or home / ".cache") / "matplotlib",
            ]
        else:
            folders = [home / ".matplotlib"]
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
    except (OSError, RuntimeError):
        return False
    return True


def close_event_loop() -> None:
    """Close the event loop that running a kernel made for this thread; a thread of a pool would leave it open."""
    from jupyter_core.utils import ensure_event_loop

    ensure_event_loop().close()
