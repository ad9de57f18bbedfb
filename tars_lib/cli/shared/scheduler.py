"""The option that says where work is done, for the commands that have much of it."""

from __future__ import annotations

import click

scheduler_option = click.option(
    "--scheduler",
    envvar="TARS_SCHEDULER",
    show_envvar=True,
    metavar="WHERE",
    help="threads (default), processes:N, or the address of a Dask scheduler, tcp://HOST:PORT.",
)
