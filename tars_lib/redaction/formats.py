"""Every text in a file, in the form in which it means something: a JSON string without its escapes, a cell without its quotes.

One walk serves for learning values, for replacing them and for looking whether any is left.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from tars_lib.redaction.redactor import PICTURE_BEGINS

Visit = Callable[[str, str], str]
"""Given a text and its dotted path (empty: free text, or a name of a field), returns what stands there from now on."""
Names = Callable[[str], bool]
"""Whether a rule names a place by its dotted path, so that a number there is visited, too. Other numbers are never."""

# a name or a sentence is no picture for being long; lines of 76 characters: RFC 2045, section 6.8
_PICTURE = re.compile(rf"(?={PICTURE_BEGINS})(?:[A-Za-z0-9+/]+|(?:[A-Za-z0-9+/]{{76}}\n)+[A-Za-z0-9+/]*)={{0,2}}\n?")
_DRAWN = re.compile(rb"<image\b|data:image/|<path\b[^>]*id=\"[A-Za-z]+-[0-9a-f]{2,}\"|id=\"text_\d")
_PICTURE_IN_PAGE = re.compile(rb'data:image/|<svg\b|"image/|"(?:PD94bW|PHN2Z)[A-Za-z0-9+/]{40}')


class _DoubledNameError(Exception):
    """A name stands twice in an object."""


def nowhere(path: str) -> bool:
    """No rule names a place."""
    return False


def rewrite(path: str, content: bytes, visit: Visit, names: Names = nowhere) -> bytes | None:
    """Pass every text of a file through a function.

    Parameters
    ----------
    path : str
        Its ending says how the content is read; what ends otherwise is text.
    names : callable, optional
        Says of a place whether numbers in it are visited.

    Returns
    -------
    bytes or None
        The very same bytes where `visit` changed nothing; None where the content cannot be read as text, or as one text alone:
        of a name that stands twice in an object, readers see the first value or the last.
    """
    kind = PurePosixPath(path).suffix.lower()
    if kind == ".parquet":
        return _parquet(content, visit, names)
    try:
        text = content.decode("utf-8-sig" if content.startswith(b"\xef\xbb\xbf") else "utf-8")
    except UnicodeDecodeError:
        return None
    if "\0" in text:
        return None
    notebook = partial(_json, joins_lines=True)
    readers: dict[str, Callable[[str, Visit, Names], str | None]] = {
        ".json": _json, ".ipynb": notebook, ".jsonl": _json_lines, ".csv": _csv,
    }  # fmt: skip
    structured = readers.get(kind)
    try:
        made = None if structured is None else structured(text, visit, names)
    except _DoubledNameError:
        return None
    if made is None:
        made = visit(text, "")
    return content if made == text else made.encode("utf-8")


def why_not_editable(path: str, content: bytes) -> str:
    """Return why a file that was not made from redacted data must be left out; empty where its text can be edited."""
    kind = PurePosixPath(path).suffix.lower()
    if kind in (".pdf", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".zip", ".gz"):
        return f"{kind[1:]} cannot be edited"
    if kind == ".svg" and _DRAWN.search(content):
        return "its letters are drawn as shapes, which cannot be edited"
    if kind in (".html", ".ipynb", ".htm") and _PICTURE_IN_PAGE.search(content):
        return "it holds pictures, which cannot be edited"
    if kind in (".json", ".jsonl", ".ipynb") and _has_doubled_name(content, by_line=kind == ".jsonl"):
        return "a name stands twice in one of its objects, so that not every reader sees the same"
    return ""


def why_not_searched(path: str, content: bytes) -> str:
    """Return what of a finished file no rule can look into; empty where all of its text is read."""
    kind = PurePosixPath(path).suffix.lower()
    if kind in (".html", ".ipynb") and _PICTURE_IN_PAGE.search(content):
        return "the pictures in it"
    if kind == ".svg" and _DRAWN.search(content):
        return "letters that are drawn as shapes"
    return "" if rewrite(path, content, lambda text, _: text) is not None else f"no text ({kind[1:] or 'unknown'})"


def walk(value: Any, visit: Visit, names: Names = nowhere, path: str = "", *, joins_lines: bool = False) -> Any:
    """Return a JSON value with every text and every name of a field passed through a function.

    With `joins_lines` it is a notebook: lists of lines are one text, and pictures among the outputs are not read.
    """
    if isinstance(value, str):
        is_shown = joins_lines and ".data." in path
        return value if is_shown and _PICTURE.fullmatch(value) else visit(value, path)
    if isinstance(value, dict):
        below = f"{path}." if path else ""
        made_of: dict[str, Any] = {}
        for key, item in value.items():
            name = once = visit(key, "")
            while name in made_of:
                # two writings of one word, such as api and API: neither value may be lost
                name = f"{once} ({len(made_of) + 1})"
            made_of[name] = walk(item, visit, names, f"{below}{key}", joins_lines=joins_lines)
        return made_of
    if isinstance(value, list):
        if joins_lines and _are_lines(value):
            joined = "".join(value)
            made = walk(joined, visit, names, path)
            return value if made == joined else made.splitlines(keepends=True)
        below = f"{path}." if path else ""
        return [walk(item, visit, names, f"{below}{n}", joins_lines=joins_lines) for n, item in enumerate(value)]
    if isinstance(value, (int, float)) and not isinstance(value, bool) and names(path):
        written = json.dumps(value)
        made = visit(written, path)
        return value if made == written else made
    return value


def _are_lines(value: list[Any]) -> bool:
    """Return whether a list is a text that a notebook keeps as lines; a secret may run over several."""
    return (
        len(value) > 1
        and all(isinstance(line, str) for line in value)
        and all(line.endswith("\n") for line in value[:-1])
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise _DoubledNameError
    return made


def _has_doubled_name(content: bytes, *, by_line: bool) -> bool:
    for part in content.splitlines() if by_line else (content,):
        try:
            json.loads(part, object_pairs_hook=_object)
        except _DoubledNameError:
            return True
        except (ValueError, RecursionError):
            continue
    return False


def _json(text: str, visit: Visit, names: Names, *, joins_lines: bool = False) -> str | None:
    try:
        read = json.loads(text, object_pairs_hook=_object)
        made = walk(read, visit, names, joins_lines=joins_lines)
    except (ValueError, RecursionError):
        return None
    # equal only with names in the same order; 1 and true are not the same
    return text if json.dumps(made) == json.dumps(read) else _like(text, read, made)


def _json_lines(text: str, visit: Visit, names: Names) -> str | None:
    made = []
    for line in text.splitlines(keepends=True):
        rewritten = line if not line.strip() else _json(line, visit, names)
        if rewritten is None:
            return None
        made.append(rewritten)
    return "".join(made)


def _like(text: str, read: Any, made: Any) -> str:
    """`made` written as `read` was: indent, order of names, ASCII alone or not, final newline."""
    indent = re.match(r"[\[{]\n( *)", text)
    is_sorted = json.dumps(read) == json.dumps(read, sort_keys=True)
    tight = indent is None and '": ' not in text
    written = json.dumps(
        made,
        indent=None if indent is None else len(indent[1]),
        separators=(",", ":") if tight else None,
        sort_keys=is_sorted,
        ensure_ascii=text.isascii(),
    )
    return written + "\n" * text.endswith("\n")


def _csv(text: str, visit: Visit, names: Names) -> str | None:
    # a cell is a text, whatever it says
    del names
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    if not rows:
        return text
    columns = rows[0]
    made = [
        [visit(cell, columns[n] if number and n < len(columns) else "") for n, cell in enumerate(row)]
        for number, row in enumerate(rows)
    ]
    if made == rows:
        return text
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n" if head.endswith("\r") else "\n").writerows(made)
    return out.getvalue()


def _parquet(content: bytes, visit: Visit, names: Names) -> bytes | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(pa.BufferReader(content))
    except (pa.ArrowInvalid, OSError):
        return None
    columns, headings, is_changed = [], [], False
    for field in table.schema:
        column = table.column(field.name)
        made = _column(column, visit, names, field.name)
        if made is None:
            return None
        headings.append(visit(field.name, ""))
        is_changed = is_changed or made is not column or headings[-1] != field.name
        columns.append(made)
    # what a writer notes about the columns may name them
    notes = [part.decode("utf-8", "replace") for pair in (table.schema.metadata or {}).items() for part in pair]
    is_changed = is_changed or any(visit(note, "") != note for note in notes)
    if not is_changed:
        return content
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns, names=headings), sink, compression="zstd")
    return bytes(sink.getvalue().to_pybytes())


def _column(column: Any, visit: Visit, names: Names, path: str) -> Any | None:
    """Return the column with its texts visited, each different one once; None where texts hide in it that cannot be reached."""
    import pyarrow as pa

    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return None
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if not is_text and (pa.types.is_boolean(kind) or pa.types.is_null(kind) or not names(path)):
        return column
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    coded = coded.unify_dictionaries().combine_chunks()
    coded = coded.chunk(0) if isinstance(coded, pa.ChunkedArray) and coded.num_chunks else coded
    if len(coded) == 0:
        return column
    texts = [None if word is None else str(word) for word in coded.dictionary.to_pylist()]
    made = [None if word is None else visit(word, path) for word in texts]
    if made == texts:
        return column
    kind = kind if is_text else pa.string()
    replaced = pa.DictionaryArray.from_arrays(coded.indices, pa.array(made, kind))
    return pa.chunked_array([replaced.cast(kind).dictionary_encode()])
