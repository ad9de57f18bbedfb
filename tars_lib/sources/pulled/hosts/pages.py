"""Common ground of all hosts: lists that come in pages, and answers read by the parsers of exported files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tars_lib.errors import InputError
from tars_lib.files.limits import MAX_EVENTS
from tars_lib.model.names import Event
from tars_lib.sources.exported.fields import PlacedEntry, records_of
from tars_lib.sources.exported.shapes import Exported
from tars_lib.sources.pulled.protocol import Ask, Pulled
from tars_lib.sources.pulled.web import Web, basic, bearer
from tars_lib.text.times import SECONDS

if TYPE_CHECKING:
    from tars_lib.config.pulling.changes import GithubForm, GitlabForm

MAX_PAGES = 1_000
"""Pages of one list; judgement: with 100 entries each that is a deploy every five minutes for a year."""


def server(spec: Any, ask: Ask, *, scheme: str = "Bearer", headers: Mapping[str, str] | None = None) -> Web:
    """Return the server of a source, with its token."""
    given = {**(headers or {}), **spec.headers, **bearer(ask, spec.auth, scheme)}
    return Web(spec.label, spec.url, given, spec.timeout, ask, auth=basic(ask, spec.auth))


def pages(web: Web, path: str, parameters: Mapping[str, str], label: str) -> Iterator[Any]:
    """Yield the pages of a list, by the addresses that their headers name (RFC 8288).

    Raises
    ------
    InputError
        If there are too many.
    """
    following: str | None = path
    given: Mapping[str, str] | None = parameters
    for _ in range(MAX_PAGES):
        if following is None:
            return
        content, following = web.page(following, given)
        given = None
        yield content
    if following is not None:
        raise InputError(f"{label}: more than {MAX_PAGES} pages; a shorter range is needed")


def entries_in(page: Any, key: str | None, label: str) -> list[Any]:
    """Return the entries of a page, which is a list, or an object that has one under a key.

    Raises
    ------
    InputError
        If there is no such list, or it is too long.
    """
    entries = page if key is None else page.get(key) if isinstance(page, dict) else None
    if not isinstance(entries, list):
        raise InputError(f"{label}: the answer has no list{'' if key is None else f' under {key}'}")
    if len(entries) > MAX_EVENTS:
        raise InputError(f"{label}: {len(entries)} entries; up to {MAX_EVENTS} are allowed")
    return entries


def recent(
    web: Web,
    path: str,
    parameters: dict[str, str],
    label: str,
    ask: Ask,
    *,
    key: str | None = None,
    field: str = "created_at",
) -> Iterator[Any]:
    """Yield the entries of a list that has the newest first, down to the begin of the range."""
    for page in pages(web, path, {"per_page": "100", **parameters}, label):
        entries = entries_in(page, key, label)
        times = []
        for entry in records_of(entries, (), label):
            times.append(entry.time(field))
            yield entry.entry
        known = [time for time in times if time is not None]
        if known and max(known) < ask.since:
            return


def release_events(entries: list[Any], repo: str, label: str, field: str) -> Iterator[Event]:
    """Yield the releases as changes; drafts are none."""
    for release in records_of(entries, (), label):
        time, tag = release.time(field), release.text("tag_name")
        if time is not None and release.entry.get("draft") is not True:
            yield Event(time, repo, "change", f"Release {release.text('name') or tag}", tag or None)


def commit_events(entries: Iterable[Any], repo: str, label: str, *, time: str, said: str, sha: str) -> Iterator[Event]:
    """Yield the commits of the default branch as changes: from them to the next deploy is the lead time. Fields are paths."""
    for entry in entries:
        commit = PlacedEntry(entry, label)
        moment, message = commit.time(time), commit.at(said)
        title = " ".join(message.splitlines()[0].split())[:200] if isinstance(message, str) and message.strip() else ""
        if moment is not None:
            yield Event(moment, repo, "change", title or "commit", commit.text(sha)[:12] or None)


def span_of(ask: Ask) -> dict[str, str]:
    """Return the range as both code hosts take it."""
    return {"since": f"{ask.since:{SECONDS}}", "until": f"{ask.until:{SECONDS}}"}


def read_lists(spec: GithubForm | GitlabForm, ask: Ask, read_list: Callable[[str, str, str], Exported]) -> Pulled:
    """Read each list that the entry of a code host names of each of its projects, given name in the host, repo and list."""
    events: list[Event] = []
    notes: list[str] = []
    lists = [(project, repo, listed) for project, repo in spec.repos.items() for listed in spec.read]
    for number, (project, repo, listed) in enumerate(lists, start=1):
        exported = read_list(project, repo, listed)
        events += exported.events
        notes += exported.notes
        ask.tell(number, len(lists))
    asked = {project: ", ".join(spec.read) for project in spec.repos}
    return pulled_of(Exported(events=tuple(events), notes=tuple(notes)), ask, asked)


def pulled_of(exported: Exported, ask: Ask, asked: Mapping[str, str]) -> Pulled:
    """Return what a parser read, as far as it is of the range."""
    for note in exported.notes:
        ask.note(note)
    return Pulled(
        asked,
        events=[event for event in exported.events if ask.since <= event.timestamp < ask.until],
        incidents=[incident for incident in exported.incidents if ask.since <= incident.detected < ask.until],
        repos=exported.repos,
        dependencies=exported.dependencies,
    )
