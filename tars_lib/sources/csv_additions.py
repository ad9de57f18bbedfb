"""Rows that are added to a table which somebody keeps: what stands there stays as it is."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from tars_lib.sources.csv_rows import TableHead, read_head, rows_of

Row = Mapping[str, str]


def with_rows(
    text: str | None,
    columns: Sequence[str],
    needed: Sequence[str],
    rows: Sequence[Row],
    label: str,
    replaced: Mapping[int, Row] | None = None,
) -> str:
    """Return a table with further rows at its end.

    Parameters
    ----------
    text : str or None
        The table as it is; None where there is none.
    needed : sequence of str
        Columns without which the table is refused.
    rows : sequence of mapping
        By column; what a row does not name is empty.
    replaced : mapping of int to mapping, optional
        Cells that take the place of others, by the line of their row.

    Raises
    ------
    InputError
        If the header cannot be read.
    """
    if text is None:
        return table_text([list(columns), *([row.get(name, "") for name in columns] for row in rows)], ",")
    head = read_head((line.encode() for line in io.StringIO(text, newline="")), label, needed)
    missing = [name for name in columns if name not in head.columns and any(row.get(name) for row in rows)]
    if not missing and not replaced:
        end = "" if text.endswith("\n") or not text else "\n"
        return text + end + table_text([[row.get(name, "") for name in head.columns] for row in rows], head.separator)
    return _rewritten(text, head, missing, rows, replaced or {})


def _rewritten(
    text: str, head: TableHead, missing: Sequence[str], rows: Sequence[Row], replaced: Mapping[int, Row]
) -> str:
    names = [*head.columns, *missing]
    written = [names]
    for line, fields in rows_of(io.StringIO(text, newline=""), head):
        changed = replaced.get(line, {})
        padded = [*fields, *[""] * (len(names) - len(fields))]
        written.append([changed.get(name, cell) for name, cell in zip(names, padded, strict=False)])
    written += [[row.get(name, "") for name in names] for row in rows]
    return table_text(written, head.separator)


def table_text(rows: Sequence[Sequence[str]], separator: str) -> str:
    """Return the text of a table, its header among the rows."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", delimiter=separator).writerows(rows)
    return out.getvalue()
