"""`tars validate`: all that is wrong with a root, for people, builds and code hosts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tars_lib.cli.shared.options import FILE, PATH, policy_files_option, zone_option
from tars_lib.cli.shared.settings import with_origin
from tars_lib.cli.shared.shell import PIPELINE, guarded

if TYPE_CHECKING:
    from tars_lib.validation.notices import Notice, Validation


@click.command(epilog="Example: tars validate ./org-health --format sarif --output tars.sarif")
@click.argument("root", type=PATH)
@policy_files_option("the root's own")
@zone_option
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "json", "sarif")),
    default="text",
    show_default=True,
    help="Sentences, one JSON document, or SARIF 2.1.0.",
)
@click.option("--output", type=FILE, metavar="FILE", help="Written whole; default stdout.")
@guarded(PIPELINE)
def validate(
    root: Path, sla_policy: tuple[Path, ...], assume_tz: str | None, form: str, output: Path | None, quiet: bool
) -> int:
    """Read the org-health folder ROOT and say all that would be refused, with file, row and column.

    Nothing is judged and nothing written but FILE. Codes are those of `tars run`: 0 accepted, warnings or not; 94 a
    configuration file or policy is refused; 95 data are; 93 there is no repository.
    """
    from tars_lib.pipeline.stamping import clock
    from tars_lib.validation.notices import validate_root

    codes = {
        "configuration": PIPELINE.configuration,
        "input": PIPELINE.parse,
        "no-repositories": PIPELINE.no_repositories,
    }
    validation = validate_root(root, sla_policy=sla_policy, assume_tz=assume_tz, clock=clock(), codes=codes)
    text = _text_of(validation, form, quiet=quiet)
    if output is None:
        click.echo(text, nl=False)
    else:
        from tars_lib.files.atomic import write_text

        write_text(output, text)
        if not quiet:
            click.echo(f"{_counted(validation)}; written: {output}")
    return validation.exit_code


def _text_of(validation: Validation, form: str, *, quiet: bool) -> str:
    if form == "sarif":
        from tars_lib import __version__
        from tars_lib.validation.sarif import sarif

        return sarif(validation, __version__, Path())
    if form == "json":
        from tars_lib.files.json_records import dumps

        listed = [
            {
                "level": entry.level,
                "kind": entry.kind,
                "message": entry.message,
                "file": entry.file,
                "row": entry.row,
                "column": entry.column,
                "field": entry.field,
            }
            for entry in validation.notices
        ]
        return dumps(
            {
                "root": validation.root,
                "summary": validation.summary,
                "notices": listed,
                "exit_code": validation.exit_code,
            }
        )
    shown = [notice for notice in validation.notices if not (quiet and notice.level == "warning")]
    context = click.get_current_context()
    lines = [f"{entry.level}: {with_origin(entry.message, context)}{_place(entry)}" for entry in shown]
    return "".join(f"{line}\n" for line in (*lines, *([] if quiet else [_counted(validation)])))


def _place(notice: Notice) -> str:
    """Return row and column where the message names a key, and not them."""
    is_told = notice.row is None or f", row {notice.row}" in notice.message
    return "" if is_told else f" (row {notice.row}, column {notice.column})"


def _counted(validation: Validation) -> str:
    """Return how many refusals and warnings there are, and what was accepted."""
    refused, warned = validation.count("error"), validation.count("warning")
    counts = (
        f"{refused} {'refusal' if refused == 1 else 'refusals'}, {warned} {'warning' if warned == 1 else 'warnings'}"
    )
    return f"{validation.root}: {counts}" if refused else f"{validation.root}: accepted, {validation.summary}; {counts}"
