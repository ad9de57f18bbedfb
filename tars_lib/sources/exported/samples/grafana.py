"""CSV of Grafana's panels (Inspect, Data): series joined by time, each with its labels; labels to fields; series as rows.

The forms of old versions, 'Series as columns' and 'Series as rows' with semicolons, are read too.

References
----------
https://grafana.com/docs/grafana/latest/panels-visualizations/panel-inspector/
"""

from __future__ import annotations

from tars_lib.sources.exported.content import Content
from tars_lib.sources.exported.shapes import Choices, Exported
from tars_lib.sources.exported.table_series import of_table
from tars_lib.sources.exported.tables import read_table

_ROWS = {"Series", "Time", "Value"}


def is_one(content: Content) -> bool:
    """Return whether a table looks like one of Grafana: its times are called Time, as no other tool here writes it."""
    columns = content.columns
    return bool(columns) and (columns[0] == "Time" or set(columns) == _ROWS)


def read(content: Content, choices: Choices) -> Exported:
    """Read the table; values may carry the units that the panel showed, and times the zone of the browser.

    Raises
    ------
    InputError
        If something cannot be read or told for certain; the message names the option.
    """
    return of_table(read_table(content.text, content.label), choices)
