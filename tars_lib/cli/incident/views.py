"""`tars incident` commands that read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tars_lib.cli.incident.options import Options, common, echo_json, id_argument, judged, now_option
from tars_lib.cli.incident.screens import golden_screen, status_screen
from tars_lib.cli.incident.text import golden_lines, status_lines, timeline_lines
from tars_lib.cli.shared.screen import ROWS, Tone, Toned, fitted, say
from tars_lib.errors import InputError, TarsError
from tars_lib.reports.blocks.lengths import visible

if TYPE_CHECKING:
    from tars_lib.cli.incident.text import Reader
    from tars_lib.incidents.store.timeline import Entry
    from tars_lib.incidents.views.case import Case
    from tars_lib.incidents.views.clocks import Clock
    from tars_lib.retention.register import Archived


@click.command(
    short_help="Show what is known and the time left.",
    epilog="Example: tars incident status INC-202601051430 --tz Asia/Kathmandu",
)
@id_argument
@click.option("--full", is_flag=True, help="Everything that the record holds, instead of one screen.")
@now_option
@judged
def status(options: Options, incident_id: str | None, full: bool) -> int:
    """Show where an incident stands, what is done first, and how much time is left. Without ID: the one open incident."""
    from tars_lib.incidents.views.golden_path import path_of
    from tars_lib.incidents.views.standing import standing

    case = options.case(options.chosen(incident_id))
    if options.as_json:
        document = {"clocks": _clocks(case), "escalation": case.escalation, "incident": case.incident}
        echo_json(document)
    elif full:
        say(status_lines(case, options.reader))
    else:
        command = path_of(case, options.incidents_dir).next_command
        say(fitted(status_screen(case, standing(case), options.reader, command), "--full"))
    return 0


@click.command("list", short_help="List incidents, newest first.", epilog="Example: tars incident list --open")
@click.option("--open", "only_open", is_flag=True, help="Only those that are neither resolved nor closed.")
@click.option("--full", is_flag=True, help="All of them, instead of one screen.")
@now_option
@judged
def list_command(options: Options, only_open: bool, full: bool) -> int:
    """List incidents, newest first, including folders without a record, unreadable records and archived incidents."""
    from tars_lib.incidents.store.journal import read_incident
    from tars_lib.incidents.store.register import folders, runs_in
    from tars_lib.incidents.views.clocks import is_late, is_running

    reader, time, root = options.reader, options.time, options.root
    playbook = options.playbook
    rows: list[dict[str, object]] = []
    lines = []
    for folder in folders(root):
        try:
            incident = read_incident(folder)
        except TarsError as error:
            rows.append({"incident_id": folder.name, "error": str(error)})
            lines.append(f"{folder.name:20} cannot be read: {visible(str(error))}")
            continue
        if incident is None:
            runs = len(runs_in(folder))
            rows.append({"incident_id": folder.name, "incident": None, "runs": runs})
            lines.append(f"{folder.name:20} no record, {runs} runs; tars incident open --adopt {folder.name}")
            continue
        if only_open and not is_running(incident):
            continue
        late = is_late(incident, time, playbook)
        rows.append({"incident_id": folder.name, "incident": incident, "is_late": late})
        opened = reader.time(incident.opened_at)
        head = f"{folder.name:20} {incident.severity.value}  {incident.status.value:12} {opened}"
        lines += [f"{head}{'  LATE' if late else ''}", f"{'':20} {visible(incident.title, 56)}"[:80]]
    if not only_open:
        for archive_line in _archived(root, {folder.name for folder in folders(root)}):
            rows.append({"incident_id": archive_line.name, "archive": archive_line.archive})
            lines.append(
                f"{archive_line.name:20} ARCHIVED {archive_line.archived_at:%Y-%m-%d}; tars retention list shows where"
            )
    if options.as_json:
        echo_json({"incidents": rows})
    else:
        shown = lines or [f"no {'open ' if only_open else ''}incidents in {root}"]
        say(shown if full else fitted(shown, "--full"))
    return 0


def _archived(root: Path, there: set[str]) -> list[Archived]:
    """Return the incidents that stand in the archive beside the register, newest first."""
    from tars_lib.retention.policy import Kind
    from tars_lib.retention.register import archive_of, archived, read_lines

    in_archive = archived(read_lines(archive_of(root)))
    return [item for item in reversed(in_archive) if item.kind is Kind.INCIDENT and item.name not in there]


@click.command(epilog="Example: tars incident timeline INC-202601051430 --full")
@id_argument
@click.option("--full", is_flag=True, help="Every entry, and long texts whole.")
@common
def timeline(options: Options, incident_id: str | None, full: bool) -> int:
    """Print the latest entries of the timeline, oldest first; with --full all. Code 1 if an entry was altered.

    Without ID: the one open incident.
    """
    from tars_lib.incidents.store.journal import read_entries, read_incident

    incident_id = options.chosen(incident_id)
    folder = options.folder(incident_id)
    if read_incident(folder) is None:
        raise InputError(f"{folder}: no record in it yet; `tars incident open --adopt {incident_id}` makes one")
    entries = read_entries(folder)
    if options.as_json:
        echo_json({"entries": entries, "incident_id": incident_id})
    else:
        say(timeline_lines(entries, options.reader, is_full=True) if full else _latest(entries, options.reader))
    return 0


def _latest(entries: Sequence[Entry], reader: Reader) -> list[str]:
    """As many of the last entries as one screen has room for."""
    shown: list[str] = []
    for number, entry in enumerate(reversed(entries)):
        lines = list(timeline_lines([entry], reader, is_full=False))
        if len(shown) + len(lines) > ROWS - 1:
            return [Toned(f"{len(entries) - number} earlier entries: --full", Tone.QUIET), *shown]
        shown = lines + shown
    return shown


@click.command(
    short_help="Follow the fifteen minutes: what to do now.", epilog="Example: tars incident golden INC-202601051430"
)
@id_argument
@click.option("--full", is_flag=True, help="All that each step has recorded, instead of one screen.")
@click.option(
    "--live", is_flag=True, help="A screen that keeps itself up to date; keys act: n note, d done, e escalate."
)
@now_option
@judged
def golden(options: Options, incident_id: str | None, full: bool, live: bool) -> int:
    """Follow the playbook's fifteen minutes: what to do now, what is recorded, time left, the next command.

    It changes nothing and reads the record, so it resumes where you stopped; run it as often as you like. Without ID:
    the one open incident.
    """
    from tars_lib.files.json_records import to_json
    from tars_lib.incidents.views.golden_path import path_of
    from tars_lib.incidents.views.standing import standing

    incident_id = options.chosen(incident_id)
    if live:
        if full or options.as_json or options.now is not None:
            raise click.UsageError("--live is a screen of the present; give it without --full, --json and --now")
        from tars_lib.cli.incident.live import live as follow

        return follow(options, incident_id)
    case = options.case(incident_id)
    path = path_of(case, options.incidents_dir)
    if options.as_json:
        document = {"clocks": _clocks(case), "incident_id": case.incident.incident_id, "path": to_json(path)}
        echo_json(document)
    else:
        screen = golden_screen(path, case, standing(case), options.reader, options.incidents_dir)
        say(golden_lines(path, case, options.reader, options.incidents_dir) if full else fitted(screen, "--full"))
    return 0


def _clocks(case: Case) -> list[dict[str, object]]:
    from tars_lib.incidents.views.clocks import clocks

    def row(clock: Clock) -> dict[str, object]:
        left = clock.left(case.time)
        return {
            "name": clock.name,
            "rule": clock.rule,
            "started_at": clock.started_at,
            "due_at": clock.due_at,
            "stopped_at": clock.stopped_at,
            "left_seconds": None if left is None else left / timedelta(seconds=1),
        }

    return [row(clock) for clock in clocks(case.incident, case.playbook)]
