"""The option that names policy files, for every command that judges."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


def policy_files_option(instead: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the decorator that adds `--sla-policy`.

    Parameters
    ----------
    instead : str
        Whose policies are not used then.
    """
    return click.option(
        "--sla-policy",
        type=click.Path(path_type=Path),
        multiple=True,
        help=f"Policy file, or a folder of them, instead of {instead}; repeatable.",
    )
