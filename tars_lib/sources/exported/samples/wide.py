"""Tables of samples of any origin: one column a series, or one row a sample."""

from __future__ import annotations

from tars_lib.sources.exported.content import Content
from tars_lib.sources.exported.shapes import Choices, Exported
from tars_lib.sources.exported.table_series import of_table
from tars_lib.sources.exported.tables import read_table

_TIDY = {"timestamp", "repo", "metric", "value"}


def is_tidy(content: Content) -> bool:
    """Return whether a file is a table in the form of a tidy history."""
    return set(content.columns) >= _TIDY


def is_table(content: Content) -> bool:
    """Return whether a file is a table at all."""
    return bool(content.columns)


def read(content: Content, choices: Choices) -> Exported:
    """Read a table; what its columns are is told by their names and cells, or by the user.

    Raises
    ------
    InputError
        If something cannot be read or told for certain; the message names the option.
    """
    return of_table(read_table(content.text, content.label), choices)
