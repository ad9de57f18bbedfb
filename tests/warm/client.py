"""Ask the server to be this process; without a server, start it.

Runs with `-SEI`: nothing of site-packages is looked at, so it starts in a few milliseconds.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

SERVED = ("tars_lib.cli.main", "ipykernel_launcher", "papermill", "nbconvert")
"""Modules that the server runs, beside those of `analytics` and the scripts of these folders."""
CODE = "FORKED_CODE"
"""Variable that asks, as ``yes``, for the code behind `-c` to run in a fork too."""
FOLDERS = ("scripts", "benchmarks")
COLD_SETTINGS = ("PYTHONHASHSEED", "PYTHONIOENCODING", "PYTHONUTF8", "PYTHONWARNINGS", "PYTHONDEVMODE")
"""Variables that Python reads when it starts, and a forked one would miss."""


def is_served(words: list[str]) -> bool:
    """Whether these arguments of Python start a command of the project or a kernel."""
    if any(name in os.environ for name in COLD_SETTINGS):
        return False
    words = words[1:] if words[:1] == ["-P"] else words
    if words[:1] == ["-m"] and len(words) > 1:
        return words[1] in SERVED or words[1].startswith("analytics.")
    if words[:1] == ["-c"]:
        return os.environ.get(CODE) == "yes"
    return bool(words) and words[0].endswith(".py") and Path(words[0]).absolute().parent.name in FOLDERS


def connect(home: Path, python: str) -> socket.socket:
    """Return a link to the server; the first of many clients that find none starts it."""
    import fcntl

    for is_last in (False, True):
        link = socket.socket(socket.AF_UNIX)
        try:
            link.connect(str(home / "socket"))
        except OSError:
            link.close()
            if is_last:
                raise
        else:
            return link
        with (home / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            start(home, python)
    raise AssertionError


def start(home: Path, python: str) -> None:
    """Start the server where nobody has done so meanwhile; returns when it listens."""
    import subprocess

    with socket.socket(socket.AF_UNIX) as probe:
        if probe.connect_ex(str(home / "socket")) == 0:
            return
    (home / "socket").unlink(missing_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TARS_", "PYTHON"))}
    environment.pop("SOURCE_DATE_EPOCH", None)
    environment.pop("MPLBACKEND", None)
    with (home / "server.log").open("ab") as log:
        command = [python, str(Path(__file__).with_name("server.py")), str(home)]
        subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=True)


def ask(link: socket.socket, words: list[str]) -> int:
    """Have these arguments run; returns the code, negative for a signal. Signals that come here are passed on."""
    environment = "\x01".join(f"{name}={value}" for name, value in os.environ.items())
    message = "\x00".join([str(Path.cwd()), environment, *words]).encode("utf-8", "surrogateescape")
    socket.send_fds(link, [len(message).to_bytes(8, "big")], [0, 1, 2])
    link.sendall(message)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _: link.sendall(bytes([received])))
    said = b""
    while part := link.recv(8):
        said += part
    return int(said or b"-9")


def main() -> None:
    """Be the server's child, or the interpreter."""
    home, python, name, *words = sys.argv[1:]
    if name != "python":
        words = ["-m", "tars_lib.cli.main", *words]
    if not is_served(words):
        os.execv(python, [python, *words])  # noqa: S606 - the interpreter, with the arguments that came
    code = ask(connect(Path(home), python), words)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL) if -code != signal.SIGKILL else None
        os.kill(os.getpid(), -code)
    # os._exit: there is nothing to tidy up, and the streams belong to the child
    os._exit(code)


if __name__ == "__main__":
    main()
