"""`tars retention`: plan what is archived and deleted, carry it out, and list what is in the archive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tars_lib.cli.incident.options import Options, echo_json, time_of
from tars_lib.cli.shared.options import FILE, FOLDER, incidents_option, json_option
from tars_lib.cli.shared.shell import REPORT, guarded
from tars_lib.text.visible import visible

if TYPE_CHECKING:
    from tars_lib.retention.plan import Item
    from tars_lib.retention.work import Clerk


def _placed(body: Callable[..., int]) -> Callable[..., Any]:
    """Make a command's body of a function that is given a `clerk` for the options of plan and apply."""

    @wraps(body)
    def with_clerk(*, as_json: bool, quiet: bool, **options: Any) -> int:
        return body(clerk=_clerk(**options), as_json=as_json, quiet=quiet)

    command: Callable[..., Any] = guarded(REPORT)(with_clerk)
    for decorate in (
        json_option,
        click.option("--now", metavar="TIME", help="Count ages until this time; default now."),
        click.option("--archive-dir", type=FOLDER, help="The archive; default archive beside the incidents."),
        click.option(
            "--reports-dir", type=FOLDER, default=Path("outputs"), show_default=True, help="Rendered reports."
        ),
        click.option(
            "--bundles-dir", type=FOLDER, default=Path("release/executive"), show_default=True, help="Evidence bundles."
        ),
        incidents_option,
        click.option(
            "--runs-dir", type=FOLDER, default=Path("reports/runs"), show_default=True, help="Run directories."
        ),
        click.option(
            "--policy",
            type=FILE,
            metavar="FILE",
            help="Retention file; default the packaged parameters/retention.yaml.",
        ),
    ):
        command = decorate(command)
    return command


def _clerk(
    policy: Path | None,
    runs_dir: Path,
    incidents_dir: Path | None,
    bundles_dir: Path,
    reports_dir: Path,
    archive_dir: Path | None,
    now: str | None,
) -> Clerk:
    from tars_lib.incidents.store.register import actor
    from tars_lib.retention.config import read_retention
    from tars_lib.retention.register import archive_of
    from tars_lib.retention.things import Places
    from tars_lib.retention.work import Clerk

    root = Options(incidents_dir).root
    places = Places(runs_dir, root, bundles_dir, reports_dir, archive_dir or archive_of(root))
    return Clerk(places, read_retention(policy), actor(), time_of(now))


@click.command("plan", epilog="Example: tars retention plan --now 2027-01-05T00:00:00Z")
@_placed
def plan_command(clerk: Clerk, as_json: bool, quiet: bool) -> int:
    """Show what `tars retention apply` would archive and delete, and why; write nothing.

    Code 1 if something past its age is not what its digests say: it is refused, and stays.
    """
    from tars_lib.retention.work import planned

    return _show(planned(clerk), as_json=as_json, quiet=quiet, is_done=False)


@click.command("apply", epilog="Example: tars retention apply --runs-dir ./reports/runs")
@_placed
def apply_command(clerk: Clerk, as_json: bool, quiet: bool) -> int:
    """Archive and delete what the plan says.

    Each thing is packed as a bundle, read back and verified, and entered in the archive's register before the original goes. A
    kill at any moment loses nothing; the next call finishes. Code 1 if something was refused; the rest is done.
    """
    from tars_lib.retention.work import carry_out

    return _show(carry_out(clerk), as_json=as_json, quiet=quiet, is_done=True)


@click.command("list", epilog="Example: tars retention list --json")
@incidents_option
@click.option("--archive-dir", type=FOLDER, help="The archive; default archive beside the incidents.")
@json_option
@guarded(REPORT)
def list_command(incidents_dir: Path | None, archive_dir: Path | None, as_json: bool, quiet: bool) -> int:
    """List what is in the archive, compare each file with the register, and name the legal holds.

    Code 1 if a file is missing or altered.
    """
    from tars_lib.files.json_records import to_json
    from tars_lib.retention.holding import all_holds
    from tars_lib.retention.register import archive_of, archived, fault_in, read_lines

    incidents = Options(incidents_dir).root
    root = archive_dir or archive_of(incidents)
    lines = read_lines(root)
    stored_files, legal_holds = archived(lines), all_holds(incidents, lines)
    faults = [fault_in(root, stored) for stored in stored_files]
    if as_json:
        rows = [
            {"archived": to_json(stored), "fault": fault} for stored, fault in zip(stored_files, faults, strict=True)
        ]
        echo_json({"archive": str(root), "archived": rows, "holds": legal_holds})
    else:
        for stored, fault in zip(stored_files, faults, strict=True):
            if fault or not quiet:
                state = visible(fault) if fault else f"archived {stored.archived_at:%Y-%m-%d}"
                click.echo(
                    f"{stored.kind.value:9} {visible(stored.name)}\n{'':9} {visible(str(root / stored.archive))}: {state}"
                )
        if not stored_files and not quiet:
            click.echo(f"nothing is archived in {root}")
        for hold in () if quiet else legal_holds:
            where = "archived" if hold.is_archived else "at hand"
            click.echo(
                f"HELD      {hold.incident_id} ({where}) since {hold.since:%Y-%m-%d} by {visible(hold.by)}: "
                f"{visible(hold.reason)}"
            )
    return 1 if any(faults) else 0


def _show(items: Sequence[Item], *, as_json: bool, quiet: bool, is_done: bool) -> int:
    from tars_lib.retention.policy import Decision

    refused = any(item.decision is Decision.REFUSED for item in items)
    if as_json:
        echo_json({"is_done": is_done, "items": items})
        return 1 if refused else 0
    for item in items:
        if item.decision is Decision.KEEP or (quiet and item.decision is not Decision.REFUSED):
            continue
        age = "" if item.age_days is None else f", {item.age_days} days"
        click.echo(
            f"{item.decision.value:8} {item.kind.value.lower()} {visible(item.place)}{age}: {visible(item.reason)}"
        )
    if not quiet:
        counts = {decision: sum(item.decision is decision for item in items) for decision in Decision}
        counted = ", ".join(f"{number} {decision.value}" for decision, number in counts.items() if number)
        click.echo(counted or "nothing is there")
        if not is_done and (counts[Decision.ARCHIVE] or counts[Decision.DELETE]):
            click.echo("This was a plan; `tars retention apply` carries it out.")
    return 1 if refused else 0


@click.group(epilog="Example: tars retention plan")
def retention() -> None:
    """Keep, archive and delete by age: plan, then apply.

    Held and open incidents, and the runs that they name, stay whatever their age; see `tars incident hold`.
    """


for _command in (plan_command, apply_command, list_command):
    retention.add_command(_command)
