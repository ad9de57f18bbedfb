"""A Python whose libraries are loaded: the project's commands and kernels as real processes that cost no start-up.

Hundreds of tests start a command or a kernel, and each would import numpy, pandas and Jupyter again: a second of processor time
for a tenth of work. `warm_python` gives an executable that takes the place of `sys.executable` for the session. It hands its
arguments, folder, environment and streams to a server that has everything imported; the server forks, and the child is the
command, with a process of its own to fail, to be killed and to be waited for. Whatever is no command of the project, or sets
how Python starts (`-W error`, `PYTHONHASHSEED`), goes to the interpreter itself, and so does what a test starts as `COLD`.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

COLD = sys.executable
"""The interpreter itself: for tests of the start, and of what libraries read when they are imported."""
CELLS_HERE = str(Path(__file__).parents[1] / "cells_here.py")
"""The command with the cells of notebooks in its own process, for `COLD`."""
FOLDER = Path(__file__).resolve().parent
_LONGEST = 100
"""Bytes of a socket's path; a system allows 104 to 108."""


def warm_python(home: Path) -> str:
    """Make the executable in a folder that the workers of a session share; the first command starts the server.

    `tars` stands beside it, as in the folder of an environment. Returns `COLD` where the system cannot fork with libraries
    loaded. The server ends when the last process has ended that asked for an executable.
    """
    if sys.platform != "linux" or len(os.fsencode(home / "socket")) > _LONGEST:
        return COLD
    (home / "owners").mkdir(parents=True, exist_ok=True)
    (home / "owners" / str(os.getpid())).touch()
    for name in ("python", "tars"):
        client = shlex.join([COLD, "-SEI", str(FOLDER / "client.py"), str(home), COLD, name])
        # another worker may be starting the one that stands there
        staged = home / f"{name}-{os.getpid()}"
        staged.write_text(f'#!/bin/sh\nexec {client} "$@"\n', encoding="utf-8")
        staged.chmod(0o755)
        staged.replace(home / name)
    return str(home / "python")
