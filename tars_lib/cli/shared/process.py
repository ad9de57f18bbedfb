"""Set-up of a command's process: streams that are there, an orderly end, and no traceback."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any, NoReturn, TextIO, cast

import click

from tars_lib.cli.shared.terminal import ForgivingStream, ShownStream, drop_what_cannot_be_printed

UNEXPECTED, FAILED = 199, 1
_LEAST_ADDRESS_SPACE = 400_000_000
"""Bytes. Under 250 MB OpenBLAS asks for more without an end, and under 350 MB Arrow and SciPy fail at random: measured."""


def start(command: click.Command, name: str) -> NoReturn:
    """Run a command as this process and end it with the command's code.

    A standard stream that is closed takes nothing and changes no verdict; that stdout is, stderr says. A signal ends the
    process with 128 and its number, after what is half done was removed; whatever nobody expected is one line and 199.
    """
    received: list[int] = []

    def end(number: int, _frame: object) -> NoReturn:
        """End in order, so that what is half done is removed."""
        received.append(number)
        sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGINT):
        # what whoever started this one ignores, such as a shell's job in the background, stays ignored
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)
    # no process that this one starts looks for its packages in the current folder
    os.environ["PYTHONSAFEPATH"] = "1"
    closed = _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        # a name that the terminal's encoding cannot show must not end the command
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    sys.stdout, sys.stderr = cast("TextIO", ShownStream(sys.stdout)), cast("TextIO", ForgivingStream(sys.stderr))
    if "stdout" in closed:
        click.echo("standard output is closed: what is printed there is lost", err=True)
    _refuse_too_little_room()
    try:
        command.main(prog_name=name)
    except Exception as error:  # noqa: BLE001 - a module that could not be imported, for instance, for want of a file handle
        # in plain words of this module: what failed may be what would make better ones; an end that was asked for needs none
        if not received:
            click.echo(f"error: {' '.join(f'{type(error).__name__}: {error}'.split())}", err=True)
        drop_what_cannot_be_printed()
        sys.exit(FAILED if isinstance(error, OSError | MemoryError) else UNEXPECTED)
    finally:
        # nothing is half done any more, and an exception while the interpreter ends would be told with a traceback
        for number in (signal.SIGTERM, signal.SIGINT):
            if signal.getsignal(number) is end:
                signal.signal(number, signal.SIG_DFL)
        if received:
            # compiled code that the signal interrupted may have made another exception of the end, or none
            sys.exit(128 + received[0])
    sys.exit(0)


def _refuse_too_little_room() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if 0 <= limit < _LEAST_ADDRESS_SPACE:
        click.echo(
            f"error: this process may use {limit / 1e6:.0f} MB of address space (ulimit -v), and no command starts with less "
            f"than {_LEAST_ADDRESS_SPACE / 1e6:.0f} MB; allow 2 GB or more",
            err=True,
        )
        sys.exit(FAILED)


def _open_closed_streams() -> tuple[str, ...]:
    """Give closed standard streams a place that takes everything: the next file would get their number, and their output."""
    closed = []
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            # the lowest number that is free, which is this one; processes that this one starts need it, too
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
        # who asks for a text on stdin is told that it is closed
        if number and getattr(sys, name) is None:
            # on that number: another would be taken from a stream that is closed as well
            stream: Any = open(number, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - for the process's life
            setattr(sys, name, stream)
            closed.append(name)
    return tuple(closed)
