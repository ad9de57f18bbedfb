"""Tags, merges and commits of a local clone of git: tags are deploys, the others are changes.

https://git-scm.com/docs/git-for-each-ref, https://git-scm.com/docs/git-log
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tars_lib.errors import ConfigError, InputError
from tars_lib.files.limits import MAX_EVENT_BYTES, MAX_EVENTS
from tars_lib.model.names import Event
from tars_lib.sources.pulled.protocol import Ask, Pulled, PullOutlook

if TYPE_CHECKING:
    from tars_lib.config.pulling.changes import GitForm

_SECONDS = 120.0
"""That git may take; judgement: the tags and merges of Linux take some."""
# a clone may be somebody else's: nothing that its own settings name is started
_SAFE = ("-c", "core.fsmonitor=false", "-c", "log.showSignature=false", "--no-pager", "--no-optional-locks")
# a clone without all its objects would fetch what is missing, by a program that its settings name
_ALONE = {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"}


def read(spec: GitForm, ask: Ask) -> Pulled:
    """Read tags, and merges or all commits, of the range; see `Source.read`."""
    asked = {}
    events: list[Event] = []
    if spec.tags is not None:
        form = "%(creatordate:unix)%09%(refname:strip=2)%09%(objectname:short)"
        words = ["for-each-ref", f"--format={form}", f"refs/tags/{spec.tags}"]
        asked["tags"] = "git for-each-ref " + words[-1]
        events += [
            Event(time, spec.repo, "deploy", name, f"{spec.repo}@{name}") for time, name, _ in _lines(spec, ask, *words)
        ]
    if spec.merges or spec.commits:
        branch = spec.branch or "HEAD"
        days = (f"--since={ask.since.isoformat()}", f"--until={ask.until.isoformat()}")
        which = ["--first-parent", *(() if spec.commits else ("--merges",))]
        asked["commits" if spec.commits else "merges"] = f"git log {' '.join(which)} {branch}"
        words = ["log", *which, "--format=%ct%x09%s%x09%h", *days, branch, "--"]
        events += [
            Event(time, spec.repo, "change", title or "commit", ref) for time, title, ref in _lines(spec, ask, *words)
        ]
    return Pulled(asked, events=sorted(events, key=lambda event: (event.timestamp, event.kind, event.title)))


def look(spec: GitForm, ask: Ask) -> PullOutlook:
    """Count the events; see `outlook_of`."""
    return PullOutlook(events=len(read(spec, ask).events))


def _lines(spec: GitForm, ask: Ask, *words: str) -> Iterator[tuple[datetime, str, str]]:
    """Yield the time, text and reference of each line within the range."""
    for number, line in enumerate(_output(spec, ask, words).splitlines()):
        if number > MAX_EVENTS:
            raise InputError(f"{spec.label}: more than {MAX_EVENTS} lines of git; up to that many are allowed")
        seconds, _, rest = line.partition("\t")
        text, _, ref = rest.rpartition("\t")
        try:
            time = datetime.fromtimestamp(int(seconds), UTC)
        except (ValueError, OverflowError, OSError):  # a tag of something that has no time
            continue
        if ask.since <= time < ask.until:
            yield time, text, ref


def _output(spec: GitForm, ask: Ask, words: Sequence[str]) -> str:
    git = shutil.which("git")
    label = spec.label
    if git is None:
        raise ConfigError(f"{label}: git is not installed, or not found in PATH")
    if spec.branch is not None and spec.branch.startswith("-"):
        raise ConfigError(f"sources.yaml: {spec.name}: branch {spec.branch[:60]!r}: the name of a branch is needed")
    folder = ask.root / spec.path
    if not folder.is_dir():
        raise InputError(f"{label}: {folder}: no such folder; a clone is needed")
    with tempfile.TemporaryFile() as out:
        try:
            done = subprocess.run(  # noqa: S603 - no shell, and no word that is an option
                [git, *_SAFE, "-C", str(folder), *words],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.PIPE,
                timeout=_SECONDS,
                env=os.environ | _ALONE,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise InputError(f"{label}: git took more than {_SECONDS:g} s") from error
        if done.returncode:
            said = " ".join(done.stderr[:2000].decode("utf-8", "replace").split())
            raise InputError(f"{label}: git: {said[:300] or f'code {done.returncode}'}")
        if out.tell() > MAX_EVENT_BYTES:
            raise InputError(f"{label}: {out.tell()} bytes of git; up to {MAX_EVENT_BYTES} are allowed")
        out.seek(0)
        return out.read().decode("utf-8", "replace")
