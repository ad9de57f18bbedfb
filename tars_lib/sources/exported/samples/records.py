"""Records in JSON, a list or a line each, as databases and log stores give them: read as the table that they are."""

from __future__ import annotations

from collections.abc import Iterator

from tars_lib.errors import InputError
from tars_lib.files.limits import MAX_COLUMNS
from tars_lib.sources.exported.fields import Entry, EntryShape
from tars_lib.sources.exported.shapes import NO_CHOICES, Choices, Exported
from tars_lib.sources.exported.table_series import of_table, time_column
from tars_lib.sources.exported.tables import TextTable

SHAPE = EntryShape(("results", "rows", "data", "value", "values", "items", "records"), {})
_DEEPEST = 4


def is_one(document: object) -> bool:
    """Return whether parsed JSON is a list of records with a time."""
    if not SHAPE.fits(document):
        return False
    entries = [record.entry for record in SHAPE.records(document, "", NO_CHOICES)]
    if min(map(len, entries)) < 2:
        return False
    try:
        columns = tuple(name for name, _ in _cells(entries[0], "", ""))
        time_column(TextTable("", columns, (), ()), NO_CHOICES)
    except InputError:
        return False
    return True


def parse(document: object, label: str = "records", choices: Choices = NO_CHOICES) -> Exported:
    """Read records as rows; what stands deeper is named by its path, such as ``labels.service``.

    Raises
    ------
    InputError
        As a table does, or if a record holds a list.
    """
    records = [dict(_cells(record.entry, "", record.where)) for record in SHAPE.records(document, label, choices)]
    columns = tuple(dict.fromkeys(name for record in records for name in record))
    if len(columns) > MAX_COLUMNS:
        raise InputError(f"{label}: {len(columns)} fields; up to {MAX_COLUMNS} are allowed")
    rows = tuple(tuple(record.get(name, "") for name in columns) for record in records)
    return of_table(TextTable(label, columns, tuple(range(1, len(rows) + 1)), rows), choices)


def _cells(entry: Entry, above: str, where: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    for key, value in entry.items():
        name = f"{above}{key}"
        if isinstance(value, dict) and depth < _DEEPEST:
            yield from _cells(value, f"{name}.", where, depth + 1)
        elif isinstance(value, dict | list):
            raise InputError(f"{where}, {name[:100]}: a {type(value).__name__}; texts and numbers are allowed")
        else:
            yield name, "" if value is None else str(value).strip()
