"""Options that many commands have, each in one wording."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

PATH = click.Path(path_type=Path)
FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)

incidents_option = click.option(
    "--incidents-dir", type=FOLDER, help="Where incidents live; default $TARS_INCIDENTS_DIR, else ./incidents."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
zone_option = click.option("--assume-tz", metavar="ZONE", help="Zone of times that name none, such as Europe/Berlin.")
scheduler_option = click.option(
    "--scheduler",
    envvar="TARS_SCHEDULER",
    show_envvar=True,
    metavar="WHERE",
    help="threads (default), processes:N, or the address of a Dask scheduler, tcp://HOST:PORT.",
)


def policy_files_option(instead: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the decorator that adds `--sla-policy`; `instead` says whose policies are not used then."""
    return click.option(
        "--sla-policy",
        type=PATH,
        multiple=True,
        help=f"Policy file, or a folder of them, instead of {instead}; repeatable.",
    )
