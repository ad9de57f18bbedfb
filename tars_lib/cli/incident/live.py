"""`tars incident golden --live`: the golden path on a screen that keeps itself up to date, and three keys that record."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import click

from tars_lib.cli.incident.options import Options, text_of
from tars_lib.cli.incident.screens import golden_screen
from tars_lib.cli.shared.screen import Tone, Toned, say, send_control
from tars_lib.cli.shared.shell import sentence_of
from tars_lib.errors import InputError, TarsError

if TYPE_CHECKING:
    from tars_lib.engines.queries.incident_state import IncidentState
    from tars_lib.incidents.views.case import Case
    from tars_lib.incidents.views.golden_path import GoldenPath

EVERY = 1.0
"""Seconds between two looks at the record; judgement: the clocks count seconds."""
KEYS = "n note   d done   e escalate   q quit"
RECORDED = "RECORDED ONLY: NOBODY HAS BEEN CONTACTED."
# the second screen of a terminal without its cursor, and back (xterm control sequences)
_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
_HOME, _TO_LINE_END, _TO_SCREEN_END = "\x1b[H", "\x1b[K", "\x1b[J"


class Keyboard(Protocol):
    """Single keys of a terminal."""

    def key(self, seconds: float) -> str:
        """Return a key that was pressed within so many seconds; else the empty text."""

    def line(self, prompt: str) -> str:
        """Ask for a line, which is shown as it is typed."""


class _Screen:
    """The screen shown: the state is decided again only when the record has changed, because that reads a whole run."""

    def __init__(self, options: Options, incident_id: str) -> None:
        self.options = options
        self.incident_id = incident_id
        self.said = ""
        self._known: tuple[str, IncidentState] | None = None

    def look(self) -> tuple[Case, GoldenPath, IncidentState]:
        """Read the record."""
        from tars_lib.incidents.views.golden_path import path_of
        from tars_lib.incidents.views.standing import standing

        case = self.options.case(self.incident_id)
        path = path_of(case, self.options.incidents_dir)
        head = f"{case.incident.timeline.sha256} {len(case.escalation.due)}"
        if self._known is None or self._known[0] != head:
            self._known = (head, standing(case))
        return case, path, self._known[1]

    def draw(self) -> None:
        """Draw it, as much as the terminal has rows for."""
        rows = shutil.get_terminal_size().lines
        try:
            case, path, state = self.look()
            lines = list(golden_screen(path, case, state, self.options.reader, self.options.incidents_dir))
        except (TarsError, OSError) as error:
            lines = [Toned(sentence_of(error), Tone.BAD)]
        shown = [*lines[: rows - 3], "", Toned(self.said or KEYS, Tone.WARNING if self.said else Tone.QUIET)]
        send_control(_HOME)
        for line in shown:
            send_control(_TO_LINE_END)
            say([line])
        send_control(_TO_SCREEN_END)
        sys.stdout.flush()

    def press(self, key: str, keyboard: Keyboard) -> None:
        """Do what a key stands for; a refusal is shown, and the screen stays."""
        try:
            if key == "n":
                from tars_lib.incidents.response.acts import note

                note(self.options.writer(self.incident_id), text_of(keyboard.line("Note: ")))
                self.said = "Noted."
            elif key == "e":
                from tars_lib.incidents.response.escalating import escalate

                written = escalate(self.options.writer(self.incident_id))
                self.said = f"{RECORDED} {written.entry.text}"[:79]
            elif key == "d":
                self.said = self._done()
            else:
                self.said = ""
        except (TarsError, OSError) as error:
            self.said = sentence_of(error)[:79]

    def _done(self) -> str:
        """Record what the current step asks for, where that needs no words."""
        from tars_lib.incidents.response.acts import acknowledge, finish_containment, start_containment
        from tars_lib.incidents.store.record import ActionState
        from tars_lib.incidents.views.standing import stopping

        case, path, _ = self.look()
        step = None if path.current is None else path.steps[path.current].step_id
        writer = self.options.writer(self.incident_id)
        if step == "acknowledge":
            acknowledge(writer)
            return "Acknowledged."
        for action in stopping(case.incident)[:1] if step == "contain" else ():
            if action.state is ActionState.STARTED:
                finish_containment(writer, action.action_id)
                return f"{action.action_id} is done."
            start_containment(writer, action.action_id)
            return f"{action.action_id} has begun; d again when it is done."
        return "This step needs more than a key: the command stands above."


def live(options: Options, incident_id: str) -> int:
    """Show the golden path until q is pressed. Raise InputError if this is no terminal."""
    if not (sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError("--live: a terminal is needed; without --live the path is printed once")
    screen = _Screen(options, incident_id)
    screen.look()  # what cannot be read is refused before the screen changes
    send_control(_ENTER)
    try:
        with _keyboard() as keyboard:
            key = ""
            while key != "q":
                screen.draw()
                key = keyboard.key(EVERY)
                if key and key != "q":
                    screen.press(key, keyboard)
    finally:
        send_control(_LEAVE)
        sys.stdout.flush()
    return 0


@contextmanager
def _keyboard() -> Iterator[Keyboard]:
    if os.name == "nt":
        yield _WindowsKeys()
        return
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield _UnixKeys(before)
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


class _UnixKeys:
    def __init__(self, plain: list[Any]) -> None:
        self._plain = plain

    def key(self, seconds: float) -> str:
        import select

        ready, _, _ = select.select([sys.stdin], [], [], seconds)
        # a closed terminal gives nothing for ever
        return (os.read(sys.stdin.fileno(), 1).decode(errors="replace").lower() or "q") if ready else ""

    def line(self, prompt: str) -> str:
        import termios
        import tty

        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._plain)
        try:
            return _asked(prompt)
        finally:
            tty.setcbreak(sys.stdin)


class _WindowsKeys:
    def key(self, seconds: float) -> str:
        import msvcrt

        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if msvcrt.kbhit():  # type: ignore[attr-defined]
                return str(msvcrt.getwch()).lower()  # type: ignore[attr-defined]
            time.sleep(0.05)
        return ""

    def line(self, prompt: str) -> str:
        return _asked(prompt)


def _asked(prompt: str) -> str:
    send_control("\x1b[?25h")
    try:
        click.echo(prompt, nl=False)
        return sys.stdin.readline()
    finally:
        send_control("\x1b[?25l")
