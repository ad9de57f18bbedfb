"""Reads tidy histories: CSV or Parquet with the columns timestamp, repo, metric, value.

The fast path lets Arrow parse typed columns. When it refuses, the file is read again as text and the offending rows are looked
for, so that the message can name them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tars_lib.errors import InputError
from tars_lib.files.limits import MAX_FILES, MAX_HEADER_BYTES, MAX_TABLE_BYTES, refuse_rows
from tars_lib.files.reading import entries, open_regular
from tars_lib.model.samples import Origin, Samples, merge
from tars_lib.sources.cells import NO_VALUE, samples_of
from tars_lib.sources.csv_rows import TableHead, lines_of, read_head, refuse_open_quotes, refuse_spoiled_text
from tars_lib.sources.parquet_types import COLUMNS, read_parquet

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    import pyarrow as pa

KINDS = (".csv", ".parquet")
_TABLES = {"_delta_log": "Delta", ".hoodie": "Hudi"}


_LINE_ENDS = (b"\n", b"\r", b"")
_UNENDED = "no line end after the last row; where a transfer broke off, its last cell is cut; it was read as it stands"


def read_tidy(path: Path, label: str, assume_tz: ZoneInfo | None = None) -> Samples:
    """Read one tidy history file whole, as `tidy_parts` reads it."""
    return merge(tuple(tidy_parts(path, label, assume_tz)))


def tidy_parts(path: Path, label: str, assume_tz: ZoneInfo | None = None) -> Iterator[Samples]:
    """Read one tidy history file; of a Parquet file with many rows some at a time.

    Parameters
    ----------
    path : Path
        ``.csv`` (UTF-8, header row) or ``.parquet``.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a column, or holds a time or number that cannot be understood; the message
        names file, row, column, value and what is allowed.
    """
    import pyarrow as pa

    is_parquet = path.suffix == ".parquet"
    with open_regular(path, label, MAX_TABLE_BYTES) as file:
        head = None
        if not is_parquet:
            head = read_head(iter(lambda: file.readline(MAX_HEADER_BYTES + 1), b""), label, COLUMNS)
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
            if file.read(1) not in _LINE_ENDS:
                head = replace(head, notes=(*head.notes, f"{label}: {_UNENDED}"))
    try:
        if head is None:
            row = 1
            for table in read_parquet(path, label):
                yield samples_of(table, Origin(label, table.num_rows, row), assume_tz)
                row += table.num_rows
            return
        table = _read_csv(path, head, label, assume_tz)
        origin = Origin(label, table.num_rows, head.line + 1, lines_of(path, head))
        yield samples_of(table, origin, assume_tz, head.notes)
    except (pa.ArrowException, OSError, OverflowError, UnicodeDecodeError) as error:
        raise InputError(f"{label}: cannot be read: {_one_line(error)}") from error


def history_files(folder: Path, label: str) -> Iterator[Path]:
    """Every history file of a folder and of the folders in it, by name; what begins with a dot is passed over.

    So are folders that begin with an underscore, in which the tools that write such folders keep notes.

    Raises
    ------
    InputError
        If there are too many, a link to a folder, or a table format in which some of the files do not count.
    """
    left = MAX_FILES
    open_folders = [folder]
    while open_folders:
        this = open_folders.pop()
        within = []
        for path in entries(this, label, left):
            left -= 1
            if path.name in _TABLES and path.is_dir():
                raise InputError(
                    f"{label}: a {_TABLES[path.name]} table, in which files that were replaced still lie; "
                    "Parquet files that all count are allowed"
                )
            if path.name.startswith("."):
                continue
            if path.suffix in KINDS and not (path.suffix == ".parquet" and path.is_dir()):
                yield path
            elif path.is_dir() and not path.name.startswith("_"):
                if path.is_symlink():
                    raise InputError(f"{label}/{path.name}: a link to a folder; a folder is needed")
                within.append(path)
        open_folders += reversed(within)


def _read_csv(path: Path, head: TableHead, label: str, assume_tz: ZoneInfo | None) -> pa.Table:
    import pyarrow as pa

    refuse_open_quotes(path, head, label, COLUMNS)
    label_type = pa.dictionary(pa.int32(), pa.string())
    zone = None if assume_tz else "UTC"
    types: dict[str, Any] = {"timestamp": pa.timestamp("us", zone), "repo": label_type, "metric": label_type}
    try:
        table = _arrow_csv(path, head, types | {"value": pa.float64()})
    except pa.ArrowInvalid:
        # something does not parse: read as text, so that the rows can be named
        try:
            table = _arrow_csv(path, head, dict.fromkeys(COLUMNS, label_type))
        except pa.ArrowInvalid as error:
            refuse_spoiled_text(path, head, label)
            raise InputError(f"{label}: cannot be read: {_one_line(error)}") from error
    refuse_rows(table.num_rows, label)
    return table


def _arrow_csv(path: Path, head: TableHead, types: dict[str, Any]) -> pa.Table:
    import pyarrow.csv as pv

    return pv.read_csv(
        path,
        read_options=pv.ReadOptions(block_size=8 << 20, column_names=_distinct(head.columns), skip_rows=head.line),
        parse_options=pv.ParseOptions(delimiter=head.separator),
        convert_options=pv.ConvertOptions(
            column_types=types,
            include_columns=list(COLUMNS),
            null_values=list(NO_VALUE),
            # a repo may be called NA; an empty name is found later
            strings_can_be_null=False,
        ),
    )


def _distinct(columns: Sequence[str]) -> list[str]:
    """Return the names, with those that are passed over told apart."""
    return [name if name in COLUMNS else f"{number} {name}" for number, name in enumerate(columns)]


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
