"""Import everything once, listen, and be forked into each command that a client asks for."""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
import threading
import time
import traceback
import types
import warnings
from io import TextIOWrapper
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = (
    "numpy",
    "pandas",
    "pyarrow.parquet",
    "pyarrow.csv",
    "scipy.cluster.hierarchy",
    "scipy.stats",
    "scipy.optimize",
    "threadpoolctl",
    "yaml",
    "pydantic",
    "networkx",
    "matplotlib.figure",
    "matplotlib.dates",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "papermill",
    "nbconvert",
    "nbclient",
    "jupyter_client",
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "IPython",
    "matplotlib_inline.backend_inline",
    "typst",
    "jinja2",
)
CELLS = "NOTEBOOK_CELLS"
"""Variable that asks, as ``here``, for the cells of notebooks to run in the command's own process."""
PATIENCE = 2.0
"""Seconds between two looks at whether anybody is left who could ask."""


def load(home: Path) -> None:
    """Import what the commands and the kernels import."""
    sys.path.insert(0, str(ROOT))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in LIBRARIES:
            importlib.import_module(name)
        import tars_lib

        for module in pkgutil.walk_packages(tars_lib.__path__, "tars_lib."):
            if ".carried" not in module.name:
                importlib.import_module(module.name)
        sys.path.insert(0, str(ROOT / "tests"))
        import in_process  # noqa: F401 - so that a command need not read it
        from remembered import PAIRS, remember_pairs

        remember_pairs(pytest.MonkeyPatch(), home.parent / PAIRS)
        sys.path.remove(str(ROOT / "tests"))
    # what is looked at for rubbish is written to, and each fork would copy it
    gc.collect()
    gc.freeze()


def daemonize() -> None:
    """Let the process that started this one go on."""
    if os.fork():
        os._exit(0)
    os.setsid()


def is_wanted(home: Path) -> bool:
    """Whether a process that asked for an executable is still there."""
    return any(_is_alive(int(owner.name)) for owner in (home / "owners").iterdir())


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def serve(listener: socket.socket, home: Path) -> None:
    """Fork for each client until nobody is left."""
    while is_wanted(home):
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not select.select([listener], [], [], PATIENCE)[0]:
            continue
        link, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            attend(link)
            os._exit(0)
        link.close()


def attend(link: socket.socket) -> None:
    """Run what a client asks for in a child, pass signals on, and tell the client its code; nothing where it is gone."""
    try:
        head, streams, _, _ = socket.recv_fds(link, 8, 3)
        size, body = int.from_bytes(head, "big"), b""
        while len(body) < size:
            if not (part := link.recv(size - len(body))):
                return
            body += part
    except ConnectionError:
        return
    if len(streams) < 3:
        # a client that was killed before it had asked
        return
    folder, environment, *words = body.decode("utf-8", "surrogateescape").split("\x00")
    ended, held = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ended)
        link.close()
        become(folder, environment, words, streams)
    for stream in (*streams, held):
        os.close(stream)
    while ended not in (ready := select.select([link, ended], [], [])[0]):
        assert ready
        received = link.recv(1)
        # a client that is gone was killed, and so is what it stood for
        os.kill(child, received[0] if received else signal.SIGKILL)
        if not received:
            break
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(OSError):
        link.sendall(str(os.waitstatus_to_exitcode(status)).encode())


def become(folder: str, environment: str, words: list[str], streams: list[int]) -> None:
    """Turn this process into the command; never returns."""
    for place, given in enumerate(streams):
        os.dup2(given, place)
        os.close(given)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(pair.split("=", 1) for pair in environment.split("\x01"))
    time.tzset()
    if os.environ.get(CELLS) == "here":
        from in_process import InProcess
        from papermill import engines

        engines.papermill_engines.register(None, InProcess)
    sys.stdin = sys.__stdin__ = stream(0, "r", "surrogateescape")  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = stream(1, "w", "strict")  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = stream(2, "w", "backslashreplace")  # type: ignore[misc]
    sys.stderr.reconfigure(line_buffering=True)
    code = 1
    try:
        run(words)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
    except BaseException:  # noqa: BLE001 - as an interpreter does
        traceback.print_exc()
    finally:
        # as an interpreter ends, but for taking the libraries apart
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        for written in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                written.flush()
        os._exit(code % 256)


def stream(place: int, mode: str, errors: str) -> TextIOWrapper:
    """Open one of the three streams as Python does when it starts."""
    opened = open(place, f"{mode}b", closefd=False)  # noqa: SIM115 - it stays open as long as the process
    return TextIOWrapper(opened, "utf-8", errors, line_buffering=os.isatty(place))


def run(words: list[str]) -> None:
    """Run a module, a script or code as Python does."""
    beside = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    # `-P`: neither the current folder nor that of a script is a place to import from
    is_safe, words = words[0] == "-P", words[words[0] == "-P" :]
    if words[0] == "-m":
        sys.argv = words[1:]
        sys.path[:0] = beside if is_safe else [str(Path.cwd()), *beside]
        # it is run anew, as the main module; of a package that is done with a part of it
        if not hasattr(sys.modules.get(words[1]), "__path__"):
            sys.modules.pop(words[1], None)
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    elif words[0] == "-c":
        sys.argv = ["-c", *words[2:]]
        sys.path[:0] = beside if is_safe else ["", *beside]
        sys.modules["__main__"] = main = types.ModuleType("__main__")
        exec(compile(words[1], "<string>", "exec"), vars(main))  # noqa: S102 - our own tests
    else:
        sys.argv = words
        sys.path[:0] = beside if is_safe else [str(Path(words[0]).absolute().parent), *beside]
        runpy.run_path(words[0], run_name="__main__")


def main() -> None:
    """Load, listen, and serve until the session is over."""
    home = Path(sys.argv[1])
    load(home)
    sys.executable = str(home / "python")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(home / "socket"))
    listener.listen(64)
    daemonize()
    serve(listener, home)
    (home / "socket").unlink()
    sys.stdout.write(f"processor time of the commands and the server: {sum(os.times()[:4]):.1f} s\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
