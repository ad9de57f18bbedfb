"""`tars pull`: fetch an organisation's data from the systems that have them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tars_lib.cli.shared.options import PATH
from tars_lib.cli.shared.shell import PIPELINE, guarded
from tars_lib.errors import InputError, listed

if TYPE_CHECKING:
    from tars_lib.pipeline.pulling.pull import PulledSource

_PARTS = ("event", "incident", "repo", "dependency")


@click.command(epilog="Example: tars pull --root ./org-health --since 30d --source prod --check")
@click.option("--root", required=True, type=PATH, help="The org-health folder with sources.yaml.")
@click.option("--since", metavar="30d|TIME", help="From when on; a length is before the end. Default 30d.")
@click.option(
    "--until", metavar="TIME", help="Before when; default now. Intervals that are not over are left for later."
)
@click.option("--source", "sources", multiple=True, metavar="NAME", help="This source alone; repeatable.")
@click.option(
    "--check", is_flag=True, help="Say whether each source can be reached and what would come; write nothing."
)
@guarded(PIPELINE)
def pull(root: Path, since: str | None, until: str | None, sources: tuple[str, ...], check: bool, quiet: bool) -> int:
    """Fetch samples, events, incidents and services from the systems that have them.

    Reads sources.yaml in the folder, asks each source, and writes history/NAME.parquet, rows of events.csv and incidents.csv,
    additions to org.yaml, and pulled.json with what was asked and what came. A source is written whole or not at all: one that
    fails leaves what was there, and the code is 95. Samples that earlier pulls gave outside the range stay. 94: sources.yaml
    or org.yaml is not acceptable.
    """
    outcomes = pulled(root, since, until, sources, check=check, quiet=quiet)
    failed = [outcome.error for outcome in outcomes if outcome.error]
    for error in failed:
        click.echo(f"error: {error}", err=True)
    return PIPELINE.parse if failed else 0


def pull_before_run(root: Path, *, check: bool, quiet: bool) -> None:
    """Pull for a run, or look where nothing is to be written; what came is told on stderr.

    Raise InputError if a source failed: old data would be judged as new.
    """
    outcomes = pulled(root, None, None, (), check=check, quiet=quiet, is_beside=True)
    failed = [outcome.error for outcome in outcomes if outcome.error]
    if failed:
        raise InputError(f"{listed(failed)}; nothing was judged, tars run without --pull judges what is there")


def pulled(
    root: Path,
    since: str | None,
    until: str | None,
    sources: Sequence[str],
    *,
    check: bool,
    quiet: bool,
    is_beside: bool = False,
) -> tuple[PulledSource, ...]:
    """Pull, print a line for each source that answered, on stderr where `is_beside`, and return what became of each."""
    from tars_lib.pipeline.pulling.pull import World, pull
    from tars_lib.pipeline.pulling.ranges import range_of
    from tars_lib.pipeline.stamping import clock

    wanted = range_of(since, until, clock().replace(microsecond=0))
    with _bar(quiet=quiet) as tell:
        outcomes = pull(root, wanted, sources, World(os.environ, tell), check=check)
    for outcome in outcomes:
        if outcome.error:
            continue
        if not quiet:
            click.echo(_line(outcome, check=check), err=is_beside)
        for note in () if quiet else outcome.notes:
            click.echo(f"{outcome.source}: {note}", err=True)
    return outcomes


def _line(outcome: PulledSource, *, check: bool) -> str:
    outlook = outcome.outlook
    if check and outlook is not None:
        parts = (
            []
            if outlook.samples is None
            else [_counted(outlook.samples, "sample"), _counted(outlook.series or 0, "series")]
        )
        counts = (outlook.events, outlook.incidents, outlook.repos, outlook.dependencies)
        parts += [_counted(number, noun) for number, noun in zip(counts, _PARTS, strict=True) if number is not None]
        return f"{outcome.source}: reached; would give {', '.join(parts) or 'nothing'}"
    parts = []
    if outcome.rows:
        span = "" if outcome.span is None else f" from {outcome.span[0]} to {outcome.span[1]}"
        parts = [f"{_counted(outcome.rows, 'sample')} of {_counted(outcome.series, 'series')}{span}"]
    if outcome.kept:
        parts.append(f"{_counted(outcome.kept, 'earlier sample')} kept")
    counts = (outcome.events, outcome.incidents, outcome.repos, outcome.dependencies)
    parts += [_counted(number, noun) for number, noun in zip(counts, _PARTS, strict=True) if number]
    return f"{outcome.source}: {', '.join(parts) or 'nothing new'}"


def _counted(number: int, noun: str) -> str:
    if noun == "series" or number == 1:
        return f"{number:,} {noun}"
    return f"{number:,} {noun[:-1]}ies" if noun.endswith("y") else f"{number:,} {noun}s"


@contextmanager
def _bar(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on a terminal, silence in a pipe."""
    if quiet or not sys.stderr.isatty():
        yield lambda source, done, total: None
        return
    from tqdm import tqdm

    with tqdm(file=sys.stderr, leave=False, unit="", unit_scale=True) as bar:
        current = ""

        def tell(source: str, done: int, total: int) -> None:
            nonlocal current
            if source != current:
                current = source
                bar.reset()
                bar.set_description(source)
            bar.total = total or None
            bar.update(done - bar.n)

        yield tell
