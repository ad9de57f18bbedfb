"""Pull an organisation's data from the systems that have them into its root: each source whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tars_lib.config.org import read_org_config
from tars_lib.config.org_additions import OrgAdditions, with_additions
from tars_lib.config.pulling.file import read_sources
from tars_lib.errors import ConfigError, InputError, TarsError, one_line
from tars_lib.files.atomic import staged_file, write_together
from tars_lib.files.limits import MAX_CONFIG_BYTES
from tars_lib.files.reading import inside, is_there, read_utf8, sha256_of
from tars_lib.model.names import OrgConfig
from tars_lib.model.times import read_zone
from tars_lib.pipeline.pulling import event_rows
from tars_lib.pipeline.pulling.differences import differences, factors
from tars_lib.pipeline.pulling.ranges import Range, stamps_of
from tars_lib.pipeline.pulling.samples import Placing, WrittenSamples, origin_of, span_of, write_samples
from tars_lib.pipeline.stamping import clock
from tars_lib.sources.events import read_events
from tars_lib.sources.past_incidents import read_incidents, with_incidents
from tars_lib.sources.pulled import record
from tars_lib.sources.pulled.protocol import Ask, Pulled, PullOutlook, outlook_of
from tars_lib.sources.pulled.table import plugins, source_of
from tars_lib.text.times import SECONDS

if TYPE_CHECKING:
    from tars_lib.config.pulling.values import SourceForm

SOURCES_FILE, ORG_FILE, INCIDENTS_FILE = record.SOURCES_FILE, "org.yaml", "incidents.csv"
_LOCK = ".pull.lock"


@dataclass(frozen=True, slots=True)
class PulledSource:
    """Outcome of pulling one source.

    Attributes
    ----------
    error : str
        Why it failed, in one sentence; empty where it did not. What was there is as it was.
    rows, series, kept : int
        New samples and their series; samples of earlier pulls that stay.
    span : (str, str) or None
        First and last time of the samples.
    outlook : PullOutlook or None
        What would come, where that alone was asked.
    """

    source: str
    kind: str
    error: str = ""
    rows: int = 0
    series: int = 0
    kept: int = 0
    events: int = 0
    incidents: int = 0
    repos: int = 0
    dependencies: int = 0
    span: tuple[str, str] | None = None
    notes: tuple[str, ...] = ()
    outlook: PullOutlook | None = None


@dataclass(frozen=True, slots=True)
class World:
    """Means of a pull beside the network.

    Attributes
    ----------
    tell : callable
        Takes source, pieces that came, and of how many (0: nobody knows).
    """

    environment: Mapping[str, str]
    tell: Callable[[str, int, int], None] = lambda source, done, total: None
    pause: Callable[[float], None] = time.sleep


@dataclass
class _Notes:
    """Sentences for `pulled.json`, each once."""

    texts: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        if text not in self.texts:
            self.texts.append(text)


def chosen_sources(root: Path, names: Sequence[str] = ()) -> tuple[SourceForm, ...]:
    """Return the sources of a root's `sources.yaml`, or those of some names.

    Raises
    ------
    ConfigError
        If there is no such file, it is not acceptable, or a name is not in it.
    InputError
        If the root is no folder.
    """
    if not root.is_dir():
        raise InputError(f"{root}: {'a file' if root.exists() else 'nothing'} is there; an org-health folder is needed")
    path = root / SOURCES_FILE
    if not is_there(path, SOURCES_FILE, ConfigError):
        raise ConfigError(f"{path}: no such file; it says which systems are asked, docs/pull.md shows how")
    sources = read_sources(inside(path, root, SOURCES_FILE, ConfigError), SOURCES_FILE, plugins())
    known = {form.name: form for form in sources}
    strange = [name for name in names if name not in known]
    if strange:
        raise ConfigError(f"--source {strange[0][:60]}: not in {SOURCES_FILE}; allowed: {', '.join(known)}")
    return tuple(known[name] for name in dict.fromkeys(names)) or sources


def pull(
    root: Path, wanted: Range, names: Sequence[str], world: World, *, check: bool = False
) -> tuple[PulledSource, ...]:
    """Ask the sources of a root, and write what they answer.

    Parameters
    ----------
    names : sequence of str
        Sources; none: all.
    check : bool
        Say what would come, and write nothing.

    Returns
    -------
    tuple of PulledSource
        One a source. One that failed has changed nothing.

    Raises
    ------
    ConfigError
        If `sources.yaml` or `org.yaml` is not acceptable.
    InputError
        If the root is no folder, or another pull is at work in it.
    """
    specs = chosen_sources(root, names)
    if check:
        return tuple(_looked(root, spec, wanted, world) for spec in specs)
    from filelock import FileLock, Timeout

    try:
        with FileLock(root / _LOCK, timeout=0):
            return tuple(_pulled(root, spec, wanted, world) for spec in specs)
    except Timeout as error:
        raise InputError(f"{root}: another pull is at work in it; one at a time is allowed") from error


def _ask(root: Path, spec: SourceForm, asked: Range, world: World, notes: _Notes) -> Ask:
    return Ask(
        asked.since,
        asked.until,
        root,
        world.environment,
        lambda done, total: world.tell(spec.name, done, total),
        notes.add,
        world.pause,
        time.monotonic,
    )


def _looked(root: Path, spec: SourceForm, wanted: Range, world: World) -> PulledSource:
    notes = _Notes()
    try:
        config = _org(root / ORG_FILE)
        stamps = stamps_of(spec, wanted, root_at_end=config.stamp_at_end, label=spec.label)
        outlook = outlook_of(source_of(spec.kind), spec, _ask(root, spec, stamps.asked, world, notes))
    except TarsError as error:
        return PulledSource(spec.name, spec.kind, one_line(error))
    return PulledSource(spec.name, spec.kind, notes=tuple(notes.texts), outlook=outlook)


def _pulled(root: Path, spec: SourceForm, wanted: Range, world: World) -> PulledSource:
    try:
        with ExitStack() as stack:
            return _written(root, spec, wanted, world, stack)
    except (TarsError, OSError) as error:
        return PulledSource(spec.name, spec.kind, one_line(error))


def _written(root: Path, spec: SourceForm, wanted: Range, world: World, stack: ExitStack) -> PulledSource:
    """Ask one source, and put its files into place together once all of them are accepted."""
    notes = _Notes()
    label = spec.label
    org_path = root / ORG_FILE
    config = _org(org_path)
    stamps = stamps_of(spec, wanted, root_at_end=config.stamp_at_end, label=label)
    converting = factors(config, spec)
    answer = source_of(spec.kind).read(spec, _ask(root, spec, stamps.asked, world, notes))
    files: dict[Path, bytes | Path] = {}

    org_text = _org_text(org_path)
    for note in differences(config, answer, spec.name):
        notes.add(note)
    added = with_additions(org_text, _additions(spec, answer), ORG_FILE)
    if added != org_text:
        staged = stack.enter_context(staged_file(org_path))
        staged.write_text(added, encoding="utf-8", newline="")
        config = read_org_config(staged, ORG_FILE)

    # they get their names in this order: what samples mean is there before they are, and the record comes last, so that the
    # next pull mends one that was killed between two of them
    if added != org_text:
        files[org_path] = staged
    placing = Placing(stamps, converting, config.metrics, _zone(spec))
    written = _samples(root, spec, answer, placing, files, stack, notes)
    if answer.events or not _has_parts(answer):
        _events(root, spec, answer, wanted, files, stack)
    if answer.incidents:
        _incidents(root, answer, files, stack)
    entries = record.read_record(root)
    entries[spec.name] = _entry(spec, answer, wanted, written, files, root, notes)
    files[root / record.NAME] = record.record_bytes(entries)
    write_together(files)
    return PulledSource(
        spec.name,
        spec.kind,
        rows=written.rows,
        series=len(written.series),
        kept=written.kept,
        events=len(answer.events),
        incidents=len(answer.incidents),
        repos=len(answer.repos),
        dependencies=len(answer.dependencies),
        span=span_of(written),
        notes=tuple(notes.texts),
    )


def _has_parts(answer: Pulled) -> bool:
    """Return whether a source gives something else than events."""
    return answer.samples is not None or bool(answer.repos or answer.dependencies or answer.incidents)


def _samples(
    root: Path,
    spec: SourceForm,
    answer: Pulled,
    placing: Placing,
    files: dict[Path, bytes | Path],
    stack: ExitStack,
    notes: _Notes,
) -> WrittenSamples:
    if answer.samples is None:
        return WrittenSamples()
    label = spec.label
    table = root / "history" / f"{spec.name}.parquet"
    origin = (spec.name, record.digest_of(spec, placing.stamps.shift, placing.factors))
    earlier = _earlier(root, table, origin, notes)
    staged = stack.enter_context(staged_file(table))
    written = write_samples(staged, iter(answer.samples), placing, label=label, origin=origin, earlier=earlier)
    if not written.rows:
        asked = placing.stamps.asked
        since, until = (f"{time:{SECONDS}}" for time in (asked.since, asked.until))
        raise InputError(f"{label}: no sample from {since} to {until}; samples are needed, so nothing was changed")
    silent = sorted(set(getattr(spec, "metrics", {})) - {metric for _, metric in written.series})
    if silent:
        notes.add(f"no sample of {', '.join(silent)[:300]}")
    if written.outside:
        notes.add(f"{written.outside} samples outside the range that was asked for are left out")
    for note in written.notes:
        notes.add(note)
    files[table] = staged
    return written


def _zone(spec: SourceForm) -> ZoneInfo | None:
    name: str | None = getattr(spec, "time_zone", None)
    return None if name is None else read_zone(name)


def _earlier(root: Path, table: Path, origin: tuple[str, str], notes: _Notes) -> Path | None:
    """Return the file of earlier pulls, whose samples outside the range stay; None where there is none to keep."""
    label = table.relative_to(root).as_posix()
    if not is_there(table, label):
        return None
    source, asked = origin_of(inside(table, root, label))
    if source != origin[0]:
        raise InputError(
            f"{label}: is there, and no pull of {origin[0]} wrote it; another name of the source, or of the file, is needed"
        )
    if asked != origin[1]:
        notes.add(
            "something else is asked for, or written otherwise, than by the last pull: earlier samples are not kept"
        )
        return None
    entry = record.read_record(root).get(source, {})
    if entry.get("sha256") != sha256_of(table):
        notes.add(f"{label} was changed since the last pull; its samples outside the range are kept")
    return table


def _events(
    root: Path, spec: SourceForm, answer: Pulled, wanted: Range, files: dict[Path, bytes | Path], stack: ExitStack
) -> None:
    path = root / event_rows.NAME
    content = event_rows.with_events(path, answer.events, spec.name, wanted)
    staged = stack.enter_context(staged_file(path))
    staged.write_bytes(content)
    # the gate for events is the reader that every run goes through
    read_events(staged, f"{event_rows.NAME} with source {spec.name}", read_zone("UTC"))
    files[path] = staged


def _incidents(root: Path, answer: Pulled, files: dict[Path, bytes | Path], stack: ExitStack) -> None:
    path = root / INCIDENTS_FILE
    text, _, _ = with_incidents(
        path if is_there(path, INCIDENTS_FILE) else None, answer.incidents, INCIDENTS_FILE, is_live=True
    )
    if text is not None:
        staged = stack.enter_context(staged_file(path))
        staged.write_text(text, encoding="utf-8", newline="")
        read_incidents(staged, INCIDENTS_FILE)
        files[path] = staged


def _org(path: Path) -> OrgConfig:
    return read_org_config(path, ORG_FILE) if is_there(path, ORG_FILE, ConfigError) else OrgConfig()


def _org_text(path: Path) -> str:
    return read_utf8(path, ORG_FILE, MAX_CONFIG_BYTES, ConfigError) if is_there(path, ORG_FILE, ConfigError) else ""


def _additions(spec: SourceForm, answer: Pulled) -> OrgAdditions:
    metrics = {name: metric.definition for name, metric in getattr(spec, "metrics", {}).items() if metric.definition}
    return OrgAdditions(tuple(answer.repos), tuple(answer.dependencies), metrics)


def _entry(
    spec: SourceForm,
    answer: Pulled,
    wanted: Range,
    written: WrittenSamples,
    files: Mapping[Path, bytes | Path],
    root: Path,
    notes: _Notes,
) -> dict[str, Any]:
    """Return what `pulled.json` says of a source."""
    table = root / "history" / f"{spec.name}.parquet"
    staged = files.get(table)
    span = span_of(written)
    return {
        "kind": spec.kind,
        "asked": dict(answer.asked),
        "since": wanted.since,
        "until": wanted.until,
        "pulled_at": clock().replace(microsecond=0),
        "rows": written.rows,
        "rows_kept": written.kept,
        "series": len(written.series),
        "first": None if span is None else span[0],
        "last": None if span is None else span[1],
        "sha256": sha256_of(staged) if isinstance(staged, Path) else None,
        "events": len(answer.events),
        "incidents": len(answer.incidents),
        "repos": len(answer.repos),
        "dependencies": len(answer.dependencies),
        "notes": list(notes.texts),
    }
