"""Everything that would be refused in a root, and every warning, each with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tars_lib.config.policies.documents import policy_files
from tars_lib.config.pulling.file import read_sources
from tars_lib.errors import ConfigError, InputError, NoRepositoriesError, TarsError
from tars_lib.files.limits import MAX_FILES
from tars_lib.files.reading import entries, inside, is_there
from tars_lib.model.times import read_zone
from tars_lib.sources.past_incidents import read_incidents
from tars_lib.sources.pulled.table import plugins
from tars_lib.sources.root import read_root
from tars_lib.text.counts import plural
from tars_lib.validation.places import Locator

ERROR, WARNING = "error", "warning"
KINDS: Mapping[str, str] = {
    "configuration": "A configuration file or an SLA policy is not acceptable.",
    "input": "Data cannot be read, or break a rule of the format.",
    "no-repositories": "The root holds no repository.",
    "warning": "Accepted, and read in a particular way or of doubtful use.",
}
"""Kind of a notice, and what it means."""
_DEPTH = 3
"""Folders below a root in which its files stand, such as `web/alerts/alerts.json`."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A refusal or a warning.

    Attributes
    ----------
    level : str
        ``error`` or ``warning``.
    kind : str
        One of `KINDS`.
    message : str
        As every command would say it.
    file : str or None
        As the message names it; None where it names none.
    path : Path or None
        Where that file is.
    row, column : int or None
        From 1, columns in characters; None where unknown.
    field : str or None
        Name of the column of a table.
    """

    level: str
    kind: str
    message: str
    file: str | None = None
    path: Path | None = None
    row: int | None = None
    column: int | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Validation:
    """Findings on a root.

    Attributes
    ----------
    root : str
    notices : tuple of Notice
        Refusals first; by file and row.
    summary : str
        What is there, or how many refusals there are.
    exit_code : int
    """

    root: str
    notices: tuple[Notice, ...]
    summary: str
    exit_code: int

    def count(self, level: str) -> int:
        """Return the number of notices of a level."""
        return sum(notice.level == level for notice in self.notices)


def validate_root(
    root: Path,
    *,
    sla_policy: Sequence[Path] = (),
    assume_tz: str | None = None,
    clock: datetime | None = None,
    codes: Mapping[str, int],
) -> Validation:
    """Read a root and say all that is wrong with it.

    Parameters
    ----------
    root : Path
    sla_policy : sequence of Path, optional
        Policy files or folders in place of the root's own.
    assume_tz : str, optional
        Zone of times that name none.
    clock : datetime, optional
        The present time, later than which no sample may be.
    codes : mapping of str to int
        Exit code of each kind of refusal.
    """
    refusals = _beside(root, assume_tz)
    warnings: tuple[str, ...] = ()
    summary = ""
    try:
        org = read_root(root, sla_policy=list(sla_policy) or None, assume_tz=assume_tz, clock=clock, refusals=refusals)
        warnings = org.warnings
        if org.ahead:
            refusals.append(InputError(org.ahead))
        elif not refusals:
            warnings = org.at(None, clock)[0].warnings
        summary = ", ".join(
            (
                plural(len(org.repos), "service"),
                plural(len(org.history), "sample"),
                plural(len(org.policies), "SLA policy", "SLA policies"),
            )
        )
    except TarsError as error:
        refusals.append(error)
    places = Locator(_files(root, sla_policy))
    unsorted = [
        _notice(ERROR, _kind(error), sentence, places)
        for error in refusals
        for sentence in error.faults or str(error).split(";\n")
    ]
    unsorted += [_notice(WARNING, "warning", sentence, places) for sentence in warnings]
    notices = sorted(
        dict.fromkeys(unsorted),
        key=lambda notice: (notice.level, notice.file or "", notice.row or 0, notice.column or 0),
    )
    code = next(
        (codes[kind] for kind in KINDS if any(notice.kind == kind and notice.level == ERROR for notice in notices)), 0
    )
    return Validation(str(root), tuple(notices), summary if not refusals else "", code)


def _beside(root: Path, assume_tz: str | None) -> list[TarsError]:
    """Refusals of the files that no run reads: `sources.yaml` of `tars pull`, `incidents.csv` of `tars metrics`."""
    kept: list[TarsError] = []

    def sources(path: Path, label: str) -> object:
        return read_sources(path, label, plugins())

    def incidents(path: Path, label: str) -> object:
        return read_incidents(path, label, read_zone(assume_tz) if assume_tz else None)

    readers: tuple[tuple[str, type[TarsError], Callable[[Path, str], object]], ...] = (
        ("sources.yaml", ConfigError, sources),
        ("incidents.csv", InputError, incidents),
    )
    for label, kind, read in readers if root.is_dir() else ():
        try:
            if is_there(root / label, label, kind):
                read(inside(root / label, root, label, kind), label)
        except TarsError as error:
            kept.append(error)
    return kept


def _kind(error: TarsError) -> str:
    if isinstance(error, NoRepositoriesError):
        return "no-repositories"
    return "configuration" if isinstance(error, ConfigError) else "input"


def _notice(level: str, kind: str, sentence: str, places: Locator) -> Notice:
    origin = places.of(sentence)
    return Notice(level, kind, sentence, origin.file, origin.path, origin.row, origin.column, origin.field)


def _files(root: Path, sla_policy: Sequence[Path]) -> dict[str, Path]:
    """Files that messages may name, by the names that they use."""
    files = {path.relative_to(root).as_posix(): path for path in _below(root, _DEPTH)} if root.is_dir() else {}
    for path in sla_policy:
        try:
            label = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
            files |= {name: file for file, name in policy_files(path, label)}
        except ConfigError:
            continue
    return files


def _below(folder: Path, depth: int) -> Iterator[Path]:
    try:
        listed = list(entries(folder, folder.name, MAX_FILES))
    except TarsError:
        return
    for path in listed:
        if path.is_file():
            yield path
        elif path.is_dir() and not path.is_symlink() and depth > 1 and not path.name.startswith("."):
            yield from _below(path, depth - 1)
