"""Redaction of what digests seal: a run directory stays one, a timeline says which of its entries were altered.

A run's manifest is made anew and names the digest of the one that it replaces, so everything that reads a run works on the
redacted copy as well. A timeline's entries keep the digests of the original: the links between them and the head can still be
compared with it, an entry without anything to remove with its own digest, a redacted one with nothing but the bundle.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tars_lib.files.json_records import dumps
from tars_lib.files.reading import sha256_hex
from tars_lib.redaction.formats import walk
from tars_lib.redaction.payload import Redaction

MANIFEST, RECORD, TIMELINE = "manifest.json", "incident.json", "timeline.jsonl"
_READ = ("actor", "data", "text")
"""Fields of an entry that people write; the others are its place in the chain."""


def redact_records(
    files: Mapping[str, bytes],
    redaction: Redaction,
    remake: Callable[[Mapping[str, bytes]], Mapping[str, bytes]] | None = None,
) -> dict[str, bytes]:
    """Redact files among which run directories and incidents may be.

    Parameters
    ----------
    files : mapping of str to bytes
        Path to content; what stands in one folder belongs together.
    redaction : Redaction
        Is made to learn from them first.
    remake : callable, optional
        Given the redacted files of a run by name, returns those that are made from the others anew.

    Returns
    -------
    dict of str to bytes
        The same paths; what cannot be read as text is as it was, and `Redaction.payload` leaves it out.
    """
    redaction.learn(files)
    made: dict[str, bytes] = {}
    for path in sorted(files):
        name = path.rpartition("/")[2]
        if name == TIMELINE:
            made[path] = _timeline(path, files[path], redaction)
        elif name != MANIFEST:
            redacted = redaction.file(path, files[path])
            made[path] = files[path] if redacted is None else redacted
        else:
            made[path] = files[path]
    for folder in _folders(files, MANIFEST):
        made |= _run(folder, files, made, redaction, remake)
    for folder in _folders(files, RECORD):
        made |= _incident(folder, files, made, redaction)
    return made


def _folders(files: Mapping[str, bytes], name: str) -> Iterator[str]:
    for path in sorted(files):
        if path.rpartition("/")[2] == name:
            yield path[: -len(name)]


def _run(
    folder: str,
    files: Mapping[str, bytes],
    made: dict[str, bytes],
    redaction: Redaction,
    remake: Callable[[Mapping[str, bytes]], Mapping[str, bytes]] | None,
) -> dict[str, bytes]:
    """Return the files of a run directory that other digests now stand in."""
    manifest = _object(files[f"{folder}{MANIFEST}"])
    listed = [entry for entry in manifest.get("files", ()) if isinstance(entry, dict) and "path" in entry]
    inside = [path for entry in listed if (path := f"{folder}{entry['path']}") in made]
    if all(made[path] == files[path] for path in inside):
        return {}
    for name, content in (
        {} if remake is None else remake({path[len(folder) :]: made[path] for path in inside})
    ).items():
        if content != made[f"{folder}{name}"]:
            redaction.note(files[f"{folder}{name}"], content, redaction.matches_of(made[f"{folder}{name}"]))
            made[f"{folder}{name}"] = content
    changed = {path for path in inside if made[path] != files[path]}
    # the history's digest stands in the reports
    digests = {sha256_hex(files[path]).encode(): sha256_hex(made[path]).encode() for path in changed}
    again: dict[str, bytes] = {}
    for path in inside:
        content = made[path]
        if path.endswith(".json"):
            for old, new in digests.items():
                content = content.replace(old, new)
        if content != made[path]:
            redaction.note(files[path], content, redaction.matches_of(made[path]))
        again[path] = content
    for entry in listed:
        path = f"{folder}{entry['path']}"
        # what did not fit its digest before must not fit one now
        if path in again and entry.get("sha256") == sha256_hex(files[path]):
            entry["sha256"], entry["bytes"] = sha256_hex(again[path]), len(again[path])
    manifest["redacted_from"] = sha256_hex(files[f"{folder}{MANIFEST}"])
    sealed = dumps(manifest).encode()
    redaction.note(files[f"{folder}{MANIFEST}"], sealed, {})
    return {**again, f"{folder}{MANIFEST}": sealed}


def _timeline(path: str, content: bytes, redaction: Redaction) -> bytes:
    """Return the entries with placeholders, each altered one with the names of the rules that altered it."""
    total = redaction.redactor.matches.copy()
    lines = []
    for line in content.splitlines(keepends=True):
        before = redaction.redactor.matches.copy()
        entry = _object(line)
        read = {key: entry[key] for key in _READ if key in entry}
        made = walk(read, lambda text, field: redaction.value(path, field, text), redaction.names(path))
        if not entry or made == read:
            lines.append(line)
            continue
        # an entry that did not fit its digest before is not excused by redaction
        excuse = {"redacted": sorted(redaction.redactor.matches - before)} if _fits(entry) else {}
        lines.append(_line({**entry, **made, **excuse}))
    whole = b"".join(lines)
    if whole != content:
        redaction.note(content, whole, redaction.redactor.matches - total)
    return whole


def _incident(
    folder: str, files: Mapping[str, bytes], made: Mapping[str, bytes], redaction: Redaction
) -> dict[str, bytes]:
    """Return the record, with the digests of what it and its timeline were."""
    record, timeline = f"{folder}{RECORD}", f"{folder}{TIMELINE}"
    if all(made.get(path) == files.get(path) for path in (record, timeline)):
        return {}
    content = _object(made[record])
    head = content.get("timeline")
    if timeline in made and isinstance(head, dict):
        head["bytes"] = len(made[timeline])
    content["redacted_from"] = {
        "record_sha256": sha256_hex(files[record]),
        "timeline_sha256": sha256_hex(files[timeline]) if timeline in files else None,
    }
    sealed = dumps(content, ensure_ascii=True).encode("ascii")
    redaction.note(files[record], sealed, redaction.matches_of(made[record]))
    return {record: sealed}


def _fits(entry: dict[str, Any]) -> bool:
    """Return whether an entry is what its digest says."""
    return sha256_hex(_line({key: value for key, value in entry.items() if key != "sha256"})) == entry.get("sha256")


def _line(entry: dict[str, Any]) -> bytes:
    return dumps(entry, indent=None, ensure_ascii=True).encode("ascii")


def _object(content: bytes) -> dict[str, Any]:
    try:
        read = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}
