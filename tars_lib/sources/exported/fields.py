"""Fields of parsed JSON or YAML that nobody vouches for: each is looked at before it is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from tars_lib.errors import InputError
from tars_lib.files.limits import MAX_EVENTS, MAX_NAME, MAX_TEXT
from tars_lib.model.names import AlertSeverity, PastIncident, read_severity
from tars_lib.model.spelling import trimmed
from tars_lib.model.times import read_time
from tars_lib.sources.exported.shapes import Choices
from tars_lib.text.times import SECONDS

Entry = Mapping[str, Any]
WITH_ZONE = "as each time says"


def entries_of(document: object, keys: Sequence[str], label: str) -> list[tuple[str, Entry]]:
    """The entries of a list at the top, or under the first of `keys` that is there; each with its place for messages.

    A list of such objects, as pages of an answer put together, is read as one.

    Raises
    ------
    InputError
        If there is no list, an entry is no object, or there are too many.
    """
    found = list(_walk(document, keys))
    if not found and not (isinstance(document, list) or _first_list(document, keys) is not None):
        shown = ", ".join(map(str, document))[:200] if isinstance(document, dict) else type(document).__name__
        raise InputError(f"{label}: a list under {' or '.join(keys)} is needed; found: {shown or 'nothing'}")
    if len(found) > MAX_EVENTS:
        raise InputError(f"{label}: {len(found)} entries; up to {MAX_EVENTS} are allowed")
    placed: list[tuple[str, Entry]] = []
    for number, entry in enumerate(found, start=1):
        where = f"{label}, entry {number}"
        if not isinstance(entry, dict):
            raise InputError(f"{where}: {type(entry).__name__}; an object is needed")
        placed.append((where, entry))
    return placed


def are_all(document: object, keys: Sequence[str], is_one: Callable[[Entry], bool]) -> bool:
    """Return whether parsed JSON is a list as `entries_of` takes it, not empty, and all its entries are of a kind."""
    try:
        found = entries_of(document, keys, "")
    except InputError:
        return False
    return bool(found) and all(is_one(entry) for _, entry in found)


def _first_list(document: object, keys: Sequence[str]) -> list[Any] | None:
    if not isinstance(document, dict):
        return None
    return next((document[key] for key in keys if isinstance(document.get(key), list)), None)


def _walk(document: object, keys: Sequence[str]) -> Iterator[object]:
    if isinstance(document, list):
        for item in document:
            inner = _first_list(item, keys)
            if inner is None:
                yield item
            else:
                yield from inner
    else:
        yield from _first_list(document, keys) or []


def at(entry: Entry, path: str) -> Any:
    """The value at a path such as ``service.summary``; None where there is none."""
    value: Any = entry
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def text_at(entry: Entry, *paths: str, where: str = "", at_most: int = MAX_TEXT) -> str:
    """The first text or number that is there, in one line; empty where there is none.

    Raises
    ------
    InputError
        If it is longer than allowed.
    """
    for path in paths:
        value = at(entry, path)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            text = " ".join(trimmed(str(value).encode("utf-8", "replace").decode("utf-8")).split())
            if len(text) > at_most:
                raise InputError(f"{where}, {path}: a text of {len(text)} characters; up to {at_most} are allowed")
            if text:
                return text
    return ""


def name_at(entry: Entry, *paths: str, where: str = "") -> str:
    """As `text_at`, for a name."""
    return text_at(entry, *paths, where=where, at_most=MAX_NAME)


def time_at(entry: Entry, *paths: str, where: str, choices: Choices) -> datetime | None:
    """The first time that is there, None where there is none.

    Raises
    ------
    InputError
        If it is no time, or names no zone and none was chosen.
    """
    for path in paths:
        value = at(entry, path)
        # Go writes the year 1 for "no time"
        if value not in (None, "") and not str(value).startswith("0001-01-01"):
            return time_of(value, f"{where}, {path}", choices)
    return None


def time_of(value: object, where: str, choices: Choices) -> datetime:
    """One time, as `read_time` reads it; a refusal names the option of this command.

    Raises
    ------
    InputError
    """
    if not isinstance(value, str | datetime):
        raise InputError(f"{where}: {str(value)[:60]!r} is not a time; allowed: ISO 8601, 2026-01-05T00:00:00Z")
    text = value
    if isinstance(value, str) and value.endswith(" UTC"):
        text = value.removesuffix(" UTC") + "+00:00"
    try:
        return read_time(text, where, choices.zone)
    except InputError as error:
        raise type(error)(str(error).replace("--assume-tz ZONE", "--tz ZONE")) from error


def severity_of(word: str) -> AlertSeverity | None:
    """Severity that a tool's word stands for; None for one that is not known."""
    return read_severity(word) if word else None


def past_incident(
    *,
    where: str,
    detected: datetime | None,
    title: str,
    source: str,
    ref: str = "",
    repo: str = "",
    severity: str = "",
    started: datetime | None = None,
    acknowledged: datetime | None = None,
    resolved: datetime | None = None,
) -> PastIncident:
    """An incident whose times are in order.

    Raises
    ------
    InputError
        If it has no title or no time of detection, began after it was detected, or ended or was acknowledged before.
    """
    if detected is None:
        raise InputError(f"{where}: no time at which it was detected; one is needed")
    if not title:
        raise InputError(f"{where}: no title; one is needed")
    for name, time in (("acknowledged", acknowledged), ("resolved", resolved)):
        if time is not None and time < detected:
            raise InputError(f"{where}: {name} {time:{SECONDS}} is before detected {detected:{SECONDS}}")
    if started is not None and started > detected:
        raise InputError(f"{where}: started {started:{SECONDS}} is after detected {detected:{SECONDS}}")
    return PastIncident(
        detected, title, source, ref or None, repo or None, severity_of(severity), started, acknowledged, resolved
    )


def unknown_severities(words: Sequence[str], label: str) -> tuple[str, ...]:
    """A note of the words for a severity that no table here has."""
    strange = sorted({word for word in words if word and severity_of(word) is None})
    return (f"{label}: severities that are not known are left empty: {', '.join(strange[:5])}",) if strange else ()


def homeless(incidents: Sequence[PastIncident], label: str) -> tuple[str, ...]:
    """A note of the incidents that name no repo."""
    number = sum(one.repo is None for one in incidents)
    return (f"{label}: {counted(number, 'incident')} without a service: no service is named",) if number else ()


def counted(number: int, noun: str) -> str:
    """A number with its noun, such as ``1 alert`` or ``2 alerts``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
