"""A shell in which the blocks of the pages run as typed: real bash, where `tars` and `python` cost no start-up.

Each command of the project is a stub that hands its arguments, folder, environment and streams to a server with everything
imported; the server forks, and the child is the command. Anything else is what the system has.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# -S -E -I: without site-packages the stub starts in a few milliseconds
_STUB = """\
import os, socket, sys
name, *words = sys.argv[1:]
if name == "python" and not (words[:1] == ["-m"] and words[1:2] and words[1].startswith("analytics.")
                             or words[:1] and words[0].startswith("scripts/")):
    os.execv({python!r}, [{python!r}, *words])
link = socket.socket(socket.AF_UNIX)
link.connect({socket!r})
environment = "\\x01".join(f"{{key}}={{value}}" for key, value in os.environ.items())
message = "\\x00".join([os.getcwd(), environment, name, *words]).encode("utf-8", "surrogateescape")
socket.send_fds(link, [len(message).to_bytes(8, "big")], [0, 1, 2])
link.sendall(message)
code = link.recv(8)
sys.exit(int(code or b"250"))
"""

_SERVER = """\
import os, pkgutil, runpy, signal, socket, sys
sys.path.insert(0, {root!r})
import numpy, pandas, pyarrow, pyarrow.parquet, scipy.stats, yaml, pydantic, networkx
import tars_lib
from tars_lib.cli.main import cli
from importlib import import_module
for module in pkgutil.walk_packages(tars_lib.__path__, "tars_lib."):
    import_module(module.name)

def serve(link):
    head, fds, _, _ = socket.recv_fds(link, 8, 3)
    size, body = int.from_bytes(head, "big"), b""
    while len(body) < size:
        body += link.recv(size - len(body))
    folder, environment, name, *words = body.decode("utf-8", "surrogateescape").split("\\x00")
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        link.sendall(str(os.waitstatus_to_exitcode(status) % 256).encode())
        os._exit(0)
    for place, fd in enumerate(fds):
        os.dup2(fd, place)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(pair.split("=", 1) for pair in environment.split("\\x01"))
    code = 250
    try:
        if name == "tars":
            sys.argv = ["tars", *words]
            cli.main(words, prog_name="tars")
        elif words[0] == "-m":
            sys.argv = words[1:]
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = words
            runpy.run_path(words[0], run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                pass
        os._exit(code)

server = socket.socket(socket.AF_UNIX)
server.bind({socket!r})
server.listen(32)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print("ready", flush=True)
while True:
    link, _ = server.accept()
    if os.fork() == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        server.close()
        serve(link)
    link.close()
"""


@dataclass(frozen=True)
class PageShell:
    """Runs text in bash."""

    stubs: Path

    def run(self, folder: Path, text: str) -> subprocess.CompletedProcess[str]:
        """Run a text unchanged, from a fresh shell; its code is that of the last command, as for somebody who types it."""
        env = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("TARS_", "GITHUB_")) and key != "SOURCE_DATE_EPOCH"
        }
        env |= {"PATH": os.pathsep.join([str(self.stubs), env["PATH"]]), "PYTHONPATH": str(ROOT), "TARS_ACTOR": "ada"}
        env |= {"SLACK_TOKENS": "T1/B2/C3"}
        return subprocess.run(
            ["bash", "-c", text],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=120,
        )


@contextlib.contextmanager
def page_shell(folder: Path) -> Iterator[PageShell]:
    """Start the server; it ends with the block."""
    stubs = folder / "bin"
    stubs.mkdir()
    # a path of a socket may have 108 bytes, so it is not put below a long temporary folder
    with contextlib.ExitStack() as stack:
        import tempfile

        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="tars-"))
        address = str(Path(place) / "s")
        client = folder / "client.py"
        client.write_text(_STUB.format(python=sys.executable, socket=address), encoding="utf-8")
        for name in ("tars", "python"):
            stub = stubs / name
            stub.write_text(f'#!/bin/sh\nexec "{sys.executable}" -SEI "{client}" {name} "$@"\n', encoding="utf-8")
            stub.chmod(0o755)
        server = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", textwrap.dedent(_SERVER.format(root=str(ROOT), socket=address))],
            stdout=subprocess.PIPE,
            text=True,
        )
        stack.enter_context(server)  # waits for it and closes its output
        stack.callback(server.terminate)
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        yield PageShell(stubs)


def can_run() -> bool:
    """Whether this system has what the shell needs."""
    return hasattr(socket, "send_fds") and hasattr(os, "fork") and shutil.which("bash") is not None
