"""What the commands of `tars incident` share: where incidents live, who writes, how the answer is printed."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tars_lib.cli.incident_text import Reader, clock_lines, field
from tars_lib.cli.shell import logging_options
from tars_lib.errors import ConfigError, InputError

if TYPE_CHECKING:
    from tars_lib.incidents.acts import Writer
    from tars_lib.incidents.case import Case
    from tars_lib.incidents.journal import Written
    from tars_lib.playbook.tables import Playbook

_PLAYBOOK = "tars_lib.playbook"
_SPAN = re.compile(r"(\d{1,4}) ?(s|m|min|h|d)")
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what `located` adds, and `--tz`."""
    return located(
        click.option("--tz", metavar="ZONE", help="Show times in this zone, such as Asia/Kathmandu; default UTC.")(
            command
        )
    )


def located(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--incidents-dir`, `--json` and the logging options."""
    command = logging_options(command)
    command = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")(command)
    return click.option(
        "--incidents-dir",
        type=click.Path(path_type=Path, file_okay=False),
        help="Where incidents live; default $TARS_INCIDENTS_DIR, else ./incidents.",
    )(command)


def judged(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what `common` adds, and `--playbook` for commands whose answer rests on it."""
    return playbook_option(common(command))


def playbook_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--playbook`; `playbook_of` reads it."""
    return click.option(
        "--playbook",
        type=click.Path(path_type=Path, dir_okay=False),
        expose_value=False,
        callback=_keep_playbook,
        help="The organisation's playbook; default .playbook.yaml beside the incidents, else the packaged one.",
    )(command)


def _keep_playbook(context: click.Context, _: click.Parameter, given: Path | None) -> None:
    context.meta[_PLAYBOOK] = given


def playbook_of(incidents_dir: Path | None) -> Playbook:
    """The playbook in force: `--playbook`, else the one beside the incidents, else the packaged one."""
    from tars_lib.incidents.in_force import playbook_in_force
    from tars_lib.incidents.register import incidents_dir as place

    return playbook_in_force(place(incidents_dir), click.get_current_context().meta.get(_PLAYBOOK))


def case_in(incidents_dir: Path | None, incident_id: str, time: datetime) -> Case:
    """Read an incident.

    Raises
    ------
    InputError
        If there is none, or its folder has no record yet.
    """
    from tars_lib.incidents.case import read_case
    from tars_lib.incidents.register import folder_of
    from tars_lib.incidents.register import incidents_dir as place

    folder = folder_of(place(incidents_dir), incident_id)
    return read_case(folder, playbook_of(incidents_dir), time)


def now_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--now`."""
    return click.option("--now", metavar="TIME", help="Read the clocks at this time; default now.")(command)


def reader_of(tz: str | None) -> Reader:
    """The reader's zone."""
    if tz is None:
        return Reader()
    from tars_lib.times import read_zone

    return Reader(UTC if tz.upper() == "UTC" else read_zone(tz))


def time_of(text: str | None) -> datetime:
    """`--now`, else the clock's time."""
    from tars_lib.incidents.register import now
    from tars_lib.times import read_time

    return now() if text is None else read_time(text, "--now")


def span_of(text: str, option: str = "--next-in") -> timedelta:
    """A span such as 30m, 2h or 1d.

    Raises
    ------
    ConfigError
        If it has another form.

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
    """The text given, or what stands on stdin for ``-``; refuses nothing but the empty text.

    Raises
    ------
    InputError
        If there is no text.
    """
    given = sys.stdin.read() if text == "-" else text
    if not given.strip():
        raise InputError("the text is empty; say what happened, or give - to read it from stdin")
    return given


def writer_of(incidents_dir: Path | None, incident_id: str) -> Writer:
    """Who writes now into this incident."""
    from tars_lib.incidents.acts import Writer
    from tars_lib.incidents.register import actor, folder_of, now
    from tars_lib.incidents.register import incidents_dir as place

    return Writer(folder_of(place(incidents_dir), incident_id), actor(), now(), playbook_of(incidents_dir))


def show_written(written: Written, tz: str | None, *, as_json: bool, quiet: bool, given_dir: Path | None = None) -> int:
    """Say what was written, how much time is left and what comes next; the code of success."""
    from tars_lib.incidents.clocks import contain_clock, is_running, respond_clock
    from tars_lib.incidents.golden import Situation, command_lines, golden_path, postmortem_command
    from tars_lib.incidents.record import IncidentStatus
    from tars_lib.incidents.timeline import EntryKind
    from tars_lib.records import dumps
    from tars_lib.reports.visible import LINE_LIMIT, NAME_LIMIT, visible

    incident, entry = written.incident, written.entry
    said = entry.text
    if entry.kind in (EntryKind.UPDATE, EntryKind.NOTIFIED):
        # the whole text was printed just now, or stands in the timeline
        said = entry.text.strip().partition("\n")[0]
    if as_json:
        click.echo(dumps({"entry": entry, "incident": incident}, ensure_ascii=True), nl=False)
        return 0
    if quiet:
        return 0
    reader, case = reader_of(tz), case_in(given_dir, incident.incident_id, entry.time)
    lines = [
        *field("Incident", f"{incident.incident_id}  {incident.severity.value}  {incident.status.value}"),
        *field(f"Entry {entry.seq}", visible(said, LINE_LIMIT)),
        *field("Written", f"{reader.time(entry.time)} by {visible(entry.actor, NAME_LIMIT)}"),
    ]
    if is_running(incident):
        lines += clock_lines((respond_clock(incident, case.playbook), contain_clock(incident)), entry.time, reader)
    command = golden_path(incident, entry.time, given_dir, Situation(case.playbook, case.escalation.due)).next_command
    if command is not None:
        # a command is not wrapped: it has to work as it is copied
        lines += [f"{'Next:':16} {one}" for one in command_lines(command)]
    elif incident.status is IncidentStatus.CLOSED and entry.kind is EntryKind.CLOSED:
        lines.append(f"{'Next:':16} {postmortem_command(incident, given_dir)}")
    click.echo("\n".join(lines))
    return 0
