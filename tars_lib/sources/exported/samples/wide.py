"""Tables of samples of any origin: one column a series, or one row a sample; those of Grafana's panels among them.

Of Grafana (Inspect, Data): series joined by time, each with its labels; labels to fields; series as rows, also of old versions.

References
----------
https://grafana.com/docs/grafana/latest/panels-visualizations/panel-inspector/
"""

from __future__ import annotations

from tars_lib.sources.exported.content import Content
from tars_lib.sources.exported.shapes import Choices, Exported
from tars_lib.sources.exported.table_series import of_table
from tars_lib.sources.exported.tables import read_table

_TIDY = {"timestamp", "repo", "metric", "value"}
_GRAFANA_ROWS = {"Series", "Time", "Value"}


def is_tidy(content: Content) -> bool:
    """Return whether a file is a table in the form of a tidy history."""
    return set(content.columns) >= _TIDY


def is_grafana(content: Content) -> bool:
    """Return whether a table looks like one of Grafana: its column of times is called Time, as no other tool here writes it."""
    columns = content.columns
    return bool(columns) and (columns[0] == "Time" or set(columns) == _GRAFANA_ROWS)


def is_table(content: Content) -> bool:
    """Return whether a file is a table at all."""
    return bool(content.columns)


def read(content: Content, choices: Choices) -> Exported:
    """Read a table; what its columns are is told by their names and cells, or by the user.

    Values may carry the units that a panel showed, and times the zone of the browser.

    Raises
    ------
    InputError
        If something cannot be read or told for certain; the message names the option.
    """
    return of_table(read_table(content.text, content.label), choices)
