"""`tars incident verify`, `head` and `repair`: whether the record is what was written, and what to do where it is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tars_lib.cli.incident.options import Options, echo_json, id_argument, located, text_of
from tars_lib.cli.incident.text import verification_lines
from tars_lib.cli.shared.screen import say, wrapped
from tars_lib.errors import InputError
from tars_lib.files.limits import MAX_TEXT_BYTES
from tars_lib.text.visible import visible

if TYPE_CHECKING:
    from tars_lib.incidents.store.published import PublishedHead


head_option = click.option(
    "--head",
    "published",
    metavar="HEAD|FILE",
    help="A head that was noted elsewhere, as `tars incident head` printed it, or a file with such lines.",
)


def heads_of(published: str | None) -> tuple[PublishedHead, ...]:
    """Return the heads that `--head` names; a text or a file with them."""
    if published is None:
        return ()
    from tars_lib.files.reading import read_utf8
    from tars_lib.incidents.store.published import read_heads

    is_file = len(published) < 4096 and Path(published).exists()
    text = read_utf8(Path(published), f"--head {published}", MAX_TEXT_BYTES, InputError) if is_file else published
    return read_heads(text, f"--head {published[:120]}")


@click.command(
    short_help="Name what was altered, if anything was.", epilog="Example: tars incident verify INC-202601051430"
)
@id_argument
@head_option
@located
def verify(options: Options, incident_id: str | None, published: str | None) -> int:
    """Compare timeline, record and runs with their digests, and name what was altered. Code 1 if anything was.

    With --head also with a head that was noted elsewhere, which shows that the whole chain was made anew. What a killed writer
    left behind is a note, not an alteration: nobody was told that it had been written. Without ID: the one open incident.
    """
    from tars_lib.files.json_records import to_json
    from tars_lib.incidents.store.journal import read_entries
    from tars_lib.incidents.store.published import compare
    from tars_lib.incidents.store.verification import verify as check

    chosen = options.chosen(incident_id)
    folder, published_heads = options.folder(chosen), heads_of(published)
    verification = check(folder)
    if published_heads and verification.is_intact:
        digests = [entry.sha256 for entry in read_entries(folder)]
        verification = replace(verification, faults=tuple(compare(chosen, digests, published_heads)))
    if options.as_json:
        document = to_json(verification)
        assert isinstance(document, dict)  # noqa: S101 - a dataclass becomes an object
        echo_json({**document, "is_intact": verification.is_intact})
    elif not (options.quiet and verification.is_intact):
        say(verification_lines(verification, folder))
    return 0 if verification.is_intact else 1


@click.command(
    short_help="Print the end of the record, to be noted elsewhere.",
    epilog="Example: tars incident head INC-202601051430",
)
@click.argument("incident_ids", metavar="[ID]...", nargs=-1)
@located
def head(options: Options, incident_ids: tuple[str, ...]) -> int:
    """Print the number and digest of the last entry, a line for each incident; without ID for all.

    Put it where those who can write to the folder cannot: a ticket, an e-mail, a register of somebody else. `verify --head`
    then shows a record that was rewritten as a whole, which no digest beside it can. Code 1 if a record is not intact.
    """
    from tars_lib.incidents.store.journal import read_state
    from tars_lib.incidents.store.published import PublishedHead
    from tars_lib.incidents.store.register import folders
    from tars_lib.incidents.store.verification import verify as check

    chosen = [options.folder(name) for name in incident_ids]
    if not incident_ids:
        chosen = [folder for folder in folders(options.root) if (folder / "incident.json").exists()]
    ends, faults = [], []
    for folder in chosen:
        verification = check(folder, with_runs=False)
        faults += [f"{folder}: {fault}" for fault in verification.faults]
        if verification.faults:
            continue
        end = read_state(folder).head
        if end.count:
            ends.append(PublishedHead(folder.name, end.count, end.sha256))
    if options.as_json:
        echo_json({"faults": faults, "heads": ends})
    else:
        say(map(str, ends))
        for fault in faults:
            click.echo(visible(fault), err=True)
    return 1 if faults else 0


@click.command(
    short_help="Show where record and timeline part, and mend them.",
    epilog="Example: tars incident repair INC-202601051430 --reason 'the laptop was synchronised twice'",
)
@click.argument("incident_id", metavar="ID")
@click.option(
    "--reason",
    metavar="TEXT",
    help="Mend it; why goes into the timeline. Without it nothing is changed. - reads stdin.",
)
@located
def repair(options: Options, incident_id: str, reason: str | None) -> int:
    """Show where incident.json and timeline.jsonl part; with --reason make them one again, and enter that.

    Every entry that is as it was written is kept: those that are chained from the first on as they are, later ones entered
    again behind them. Both files as they were found stay beside. Code 1 while something is to be mended, 0 where nothing is
    or it was mended.
    """
    from tars_lib.incidents.store.register import actor, now
    from tars_lib.incidents.store.repair import describe, find_fork, mend

    folder = options.folder(incident_id)
    fork = find_fork(folder)
    written = None if fork is None or reason is None else mend(folder, text_of(reason), actor(), now())
    if options.as_json:
        echo_json({"fork": fork, "entry": None if written is None else written.entry})
    elif fork is None:
        if not options.quiet:
            click.echo(f"{incident_id}: record and timeline are one; nothing is to be mended")
    elif not options.quiet:
        say(line for sentence in describe(fork) for line in wrapped(visible(sentence), "FORK     ", " " * 9))
        if written is None:
            click.echo(f"Mend:    tars incident repair {incident_id} --reason TEXT")
        else:
            click.echo(f"Mended:  entry {written.entry.seq} says so; both files as they were found stand beside them")
    return 1 if fork is not None and written is None else 0
