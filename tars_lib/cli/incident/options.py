"""Common ground of the commands of `tars incident`: one object of options, and reading of spans and texts."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tars_lib.cli.incident.text import Reader, written_lines
from tars_lib.cli.shared.options import FILE, incidents_option, json_option
from tars_lib.cli.shared.shell import REPORT, guarded, print_json
from tars_lib.errors import ConfigError, InputError, TarsError
from tars_lib.files.limits import MAX_TEXT_BYTES
from tars_lib.text.visible import visible

if TYPE_CHECKING:
    from tars_lib.incidents.response.acts import Writer
    from tars_lib.incidents.store.journal import Written
    from tars_lib.incidents.views.all_cases import Wanted
    from tars_lib.incidents.views.case import Case
    from tars_lib.playbook.tables import Playbook

Body = Callable[..., int]

playbook_option = click.option(
    "--playbook",
    type=FILE,
    help="The organisation's playbook; default .playbook.yaml beside the incidents, else the packaged one.",
)
now_option = click.option("--now", metavar="TIME", help="Read the clocks at this time; default now.")
zone_option = click.option("--tz", metavar="ZONE", help="Show times in this zone, such as Asia/Kathmandu; default UTC.")
id_argument = click.argument("incident_id", metavar="[ID]", required=False)

_LIKE_ID = re.compile(r"INC\b", re.IGNORECASE)
"""What is meant as an id, even if it is none."""
_SPAN = re.compile(r"(\d{1,4}) ?(s|m|min|h|d)")
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


@dataclass(frozen=True, slots=True)
class Options:
    """Options that all commands of `tars incident` share.

    A command that does not offer one of them finds its default here.
    """

    incidents_dir: Path | None = None
    playbook_file: Path | None = None
    now: str | None = None
    tz: str | None = None
    as_json: bool = False
    quiet: bool = False

    @property
    def root(self) -> Path:
        """Return where incidents live."""
        from tars_lib.incidents.store.register import incidents_dir

        return incidents_dir(self.incidents_dir)

    @property
    def playbook(self) -> Playbook:
        """Return the playbook in force: `--playbook`, else the one beside the incidents, else the packaged one."""
        from tars_lib.incidents.store.playbook_in_force import playbook_in_force

        return playbook_in_force(self.root, self.playbook_file)

    @property
    def time(self) -> datetime:
        """`--now`, else the clock's time."""
        return time_of(self.now)

    @property
    def reader(self) -> Reader:
        """Return the reader's zone."""
        if self.tz is None:
            return Reader()
        from tars_lib.model.times import read_zone

        return Reader(UTC if self.tz.upper() == "UTC" else read_zone(self.tz))

    def chosen(self, incident_id: str | None, wanted: Wanted = "open") -> str:
        """Return the id given, else that of the one incident that a command is for.

        Raise InputError if none is given, and not exactly one is there.
        """
        from tars_lib.incidents.views.all_cases import the_only_one

        return the_only_one(self.root, wanted) if incident_id is None else incident_id

    def addressed(self, incident_id: str | None, text: str | None, wanted: Wanted = "open") -> tuple[str, str | None]:
        """Return the incident and the text of ``[ID] [TEXT]``: a single word that is no id is the text.

        Raises
        ------
        InputError
            As `chosen`.
        """
        if incident_id is not None and text is None and _LIKE_ID.match(incident_id) is None:
            incident_id, text = None, incident_id
        return self.chosen(incident_id, wanted), text

    def folder(self, incident_id: str) -> Path:
        """Return the folder of an incident. Raise InputError if there is none."""
        from tars_lib.incidents.store.register import folder_of

        return folder_of(self.root, incident_id)

    def case(self, incident_id: str, time: datetime | None = None, *, with_notes: bool = True) -> Case:
        """Read an incident as of a time, by default that of `time`; `with_notes` as `read_case` says.

        Raise InputError if there is none, or its folder has no record yet.
        """
        from tars_lib.incidents.views.case import read_case

        return read_case(self.folder(incident_id), self.playbook, time or self.time, with_notes=with_notes)

    def writer(self, incident_id: str) -> Writer:
        """Return who writes now into this incident."""
        from tars_lib.incidents.response.acts import Writer
        from tars_lib.incidents.store.register import actor, now

        return Writer(self.folder(incident_id), actor(), now(), self.playbook)

    def show(self, written: Written) -> int:
        """Say what was written, how much time is left and what comes next; the code of success."""
        if self.as_json:
            echo_json({"entry": written.entry, "incident": written.incident})
        elif not self.quiet:
            try:
                case = self.case(written.incident.incident_id, written.entry.time, with_notes=False)
            except TarsError as error:
                # it is on disk: whoever reads that the command failed would write it again
                name = written.incident.incident_id
                click.echo(f"Written: entry {written.entry.seq}")
                click.echo(f"{visible(str(error))}; `tars incident repair {name}` shows what can be done", err=True)
                return 0
            click.echo("\n".join(written_lines(written, case, self.reader, self.incidents_dir)))
        return 0


def judged(body: Body) -> Callable[..., None]:
    """Make a command's body of a function that is given `Options`: as `common`, and with `--playbook`."""
    return playbook_option(common(body))


def common(body: Body) -> Callable[..., None]:
    """Make a command's body of a function that is given `Options`: as `located`, and with `--tz`."""
    return _located(zone_option(_collected(body)))


def located(body: Body) -> Callable[..., None]:
    """Make a command's body of a function that is given `Options`: `--incidents-dir`, `--json` and the logging options."""
    return _located(_collected(body))


def _collected(body: Body) -> Body:
    @wraps(body)
    def command(
        *,
        incidents_dir: Path | None,
        as_json: bool,
        quiet: bool,
        playbook: Path | None = None,
        now: str | None = None,
        tz: str | None = None,
        **own: object,
    ) -> int:
        return body(Options(incidents_dir, playbook, now, tz, as_json, quiet), **own)

    return command


def _located(command: Body) -> Callable[..., None]:
    # a variable of the build must not keep a responder from writing
    return incidents_option(json_option(guarded(REPORT, is_pinned=False)(command)))


def time_of(text: str | None) -> datetime:
    """`--now`, else the clock's time."""
    from tars_lib.incidents.store.register import now
    from tars_lib.model.times import read_time

    return now() if text is None else read_time(text, "--now")


def span_of(text: str, option: str = "--next-in") -> timedelta:
    """Read a span such as 30m, 2h or 1d.

    Raise ConfigError if it has another form.

    Examples
    --------
    >>> span_of("30m")
    datetime.timedelta(seconds=1800)
    """
    match = _SPAN.fullmatch(text.strip())
    if match is None or int(match[1]) == 0:
        raise ConfigError(f"{option} {text!r}: a span such as 30m, 2h or 1d is allowed")
    return int(match[1]) * _UNITS[match[2]]


def text_of(text: str) -> str:
    """Return the text given, or what stands on stdin for ``-``; refuses nothing but the empty text and an endless one.

    Raise InputError if there is no text, or more of it than a file with one may have.
    """
    content = text
    if text == "-":
        if sys.stdin is None:
            raise InputError("-: stdin is closed; a text on it is needed")
        content = sys.stdin.read(MAX_TEXT_BYTES + 1)
    if len(content) > MAX_TEXT_BYTES:
        raise InputError(f"the text: more than {MAX_TEXT_BYTES} characters; up to {MAX_TEXT_BYTES} are allowed")
    if not content.strip():
        raise InputError("the text is empty; say what happened, or give - to read it from stdin")
    return content


def needed(value: str | None, name: str) -> str:
    """Return an argument that may not be left out; it is asked for here because the id before it may be."""
    if value is None:
        raise click.UsageError(f"Missing argument {name!r}.", click.get_current_context())
    return value


def echo_json(document: object) -> None:
    """Print one JSON document; whatever it holds, a terminal of any encoding can show it."""
    print_json(document, ensure_ascii=True)
