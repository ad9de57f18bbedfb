"""Fields of parsed JSON or YAML that nobody vouches for: each is looked at before it is used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tars_lib.errors import InputError
from tars_lib.files.limits import MAX_EVENTS, MAX_NAME, MAX_TEXT
from tars_lib.model.names import PastIncident, read_severity
from tars_lib.model.spelling import trimmed
from tars_lib.model.times import read_time
from tars_lib.sources.exported.shapes import NO_CHOICES, Choices
from tars_lib.text.counts import plural
from tars_lib.text.times import SECONDS

Entry = Mapping[str, Any]
WITH_ZONE = "as each time says"


@dataclass(frozen=True, slots=True)
class PlacedEntry:
    """An object of parsed JSON, or a row of a table, with its place for messages.

    Fields are named by paths, such as ``service.summary``; of several, the first that is there counts.
    """

    entry: Entry
    where: str
    choices: Choices = NO_CHOICES

    def at(self, path: str) -> Any:
        """Return the value at a path; None where there is none."""
        return at(self.entry, path)

    def text(self, *paths: str, at_most: int = MAX_TEXT) -> str:
        """Return the first text or number that is there, in one line; empty where there is none.

        Raises
        ------
        InputError
            If it is longer than allowed.
        """
        for path in paths:
            value = at(self.entry, path)
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                text = " ".join(trimmed(str(value).encode("utf-8", "replace").decode("utf-8")).split())
                if len(text) > at_most:
                    raise InputError(
                        f"{self.where}, {path}: a text of {len(text)} characters; up to {at_most} are allowed"
                    )
                if text:
                    return text
        return ""

    def name(self, *paths: str) -> str:
        """As `text`, for a name."""
        return self.text(*paths, at_most=MAX_NAME)

    def time(self, *paths: str) -> datetime | None:
        """Return the first time that is there, None where there is none.

        Raises
        ------
        InputError
            If it is no time, or names no zone and none was chosen.
        """
        for path in paths:
            value = at(self.entry, path)
            # Go writes the year 1 for "no time"
            if value not in (None, "") and not str(value).startswith("0001-01-01"):
                return time_of(value, f"{self.where}, {path}", self.choices)
        return None

    def records(self, path: str) -> list[PlacedEntry]:
        """Return the entries of a list that has to be there, as `records_of` takes them."""
        return records_of(self.entry, (path,), self.where, self.choices)

    def inner(self, path: str) -> list[PlacedEntry]:
        """Return the objects in a list that may be there."""
        value = at(self.entry, path)
        objects = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
        return [PlacedEntry(item, f"{self.where}, {path}", self.choices) for item in objects]


def records_of(document: object, keys: Sequence[str], label: str, choices: Choices = NO_CHOICES) -> list[PlacedEntry]:
    """Return the entries of a list at the top, or under the first of `keys` that is there; each with its place for messages.

    A list of such objects, as pages of an answer put together, is read as one.

    Raises
    ------
    InputError
        If there is no list, an entry is no object, or there are too many.
    """
    entries = list(_walk(document, keys))
    if not entries and not (isinstance(document, list) or _first_list(document, keys) is not None):
        shown = ", ".join(map(str, document))[:200] if isinstance(document, dict) else type(document).__name__
        raise InputError(f"{label}: a list under {' or '.join(keys)} is needed; found: {shown or 'nothing'}")
    if len(entries) > MAX_EVENTS:
        raise InputError(f"{label}: {len(entries)} entries; up to {MAX_EVENTS} are allowed")
    records: list[PlacedEntry] = []
    for number, entry in enumerate(entries, start=1):
        where = f"{label}, entry {number}"
        if not isinstance(entry, dict):
            raise InputError(f"{where}: {type(entry).__name__}; an object is needed")
        records.append(PlacedEntry(entry, where, choices))
    return records


@dataclass(frozen=True, slots=True)
class EntryShape:
    """What tells a format in JSON: the keys under which its list may stand, and what every entry has, with its type."""

    keys: Sequence[str]
    needs: Mapping[str, type]

    def fits(self, document: object) -> bool:
        """Return whether parsed JSON is such a list, not empty."""
        try:
            records = records_of(document, self.keys, "")
        except InputError:
            return False
        return bool(records) and all(
            name in record.entry and isinstance(record.entry[name], of)
            for record in records
            for name, of in self.needs.items()
        )

    def records(self, document: object, label: str, choices: Choices) -> list[PlacedEntry]:
        """Return the entries, as `records_of` does."""
        return records_of(document, self.keys, label, choices)


def _first_list(document: object, keys: Sequence[str]) -> list[Any] | None:
    if not isinstance(document, dict):
        return None
    return next((document[key] for key in keys if isinstance(document.get(key), list)), None)


def _walk(document: object, keys: Sequence[str]) -> Iterator[object]:
    if not isinstance(document, list):
        yield from _first_list(document, keys) or []
        return
    for item in document:
        inner = _first_list(item, keys)
        yield from [item] if inner is None else inner


def at(entry: Entry, path: str) -> Any:
    """Return the value at a path such as ``service.summary``; None where there is none."""
    value: Any = entry
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


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


def past_incident(
    where: str,
    source: str,
    *,
    detected: datetime | None,
    title: str,
    ref: str = "",
    repo: str = "",
    severity: str = "",
    started: datetime | None = None,
    acknowledged: datetime | None = None,
    resolved: datetime | None = None,
) -> PastIncident:
    """Return an incident whose times are in order.

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
    level = read_severity(severity) if severity else None
    return PastIncident(detected, title, source, ref or None, repo or None, level, started, acknowledged, resolved)


def unknown_severities(words: Sequence[str], label: str) -> tuple[str, ...]:
    """Return a note of the words for a severity that no table here has."""
    unknown = sorted({word for word in words if word and read_severity(word) is None})
    return (f"{label}: severities that are not known are left empty: {', '.join(unknown[:5])}",) if unknown else ()


def homeless(
    incidents: Iterable[PastIncident], label: str, noun: str = "incident", lacking: str = "a service"
) -> tuple[str, ...]:
    """Return a note of the incidents that name no repo."""
    number = sum(incident.repo is None for incident in incidents)
    return (f"{label}: {plural(number, noun)} without {lacking}: no service is named",) if number else ()
