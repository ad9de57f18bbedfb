"""Import of other tools' exports into a root: understood, passed through the gate, written whole or not at all."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from tars_lib.config.org import read_org_config
from tars_lib.config.org_additions import OrgAdditions, with_additions
from tars_lib.errors import ConfigError, InputError, NoRepositoriesError, place
from tars_lib.files.atomic import write_together
from tars_lib.files.limits import MAX_CONFIG_BYTES, MAX_EVENT_BYTES
from tars_lib.files.reading import inside, is_there, read_utf8, read_whole
from tars_lib.model.admission import admit
from tars_lib.model.history import from_micros
from tars_lib.model.metrics import COUNTS, Metric
from tars_lib.model.names import Event, OrgConfig, PastIncident
from tars_lib.model.samples import Samples, merge
from tars_lib.pipeline.history_file import history_bytes
from tars_lib.sources.csv_additions import with_rows
from tars_lib.sources.events import NEEDED, event_row, read_events
from tars_lib.sources.exported.content import read_content
from tars_lib.sources.exported.formats import ExportFormat, format_of
from tars_lib.sources.exported.settled import SettledMetric, samples_of_series, settle
from tars_lib.sources.exported.shapes import Choices, Exported, SampledSeries
from tars_lib.sources.past_incidents import read_incidents, with_incidents
from tars_lib.sources.pulled.record import pulled_names
from tars_lib.sources.root import read_root
from tars_lib.sources.tidy import read_tidy
from tars_lib.text.counts import and_more

_EVENT_COLUMNS = ("timestamp", "repo", "kind", "title", "ref", "until")
_UNSAFE = re.compile(r"[^\w.-]+")
_PACKED = re.compile(r"(?<=.)\.(?:gz|zip)$", re.IGNORECASE)
_MOST_NAME = 60


@dataclass(frozen=True, slots=True)
class UnderstoodFile:
    """Understanding of one file, before anything is written."""

    path: Path
    label: str
    form: ExportFormat
    found: Exported
    series: tuple[SampledSeries, ...] = ()
    metrics: tuple[SettledMetric, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedImport:
    """Plan of what an import would write.

    Attributes
    ----------
    files : dict of Path to bytes
        The whole new content of each file that changes; empty where the root says all of it already.
    said : tuple of str
        What changes, a line a file.
    notes : tuple of str
        What the gate says of the root with the new samples.
    """

    files: dict[Path, bytes] = field(default_factory=dict)
    said: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def write(self) -> None:
        """Write the files: all are on disk before the first gets its name.

        Raises
        ------
        OSError
            If one cannot be written.
        """
        if self.files:
            write_together(self.files)


def understand(paths: Sequence[Path], root: Path, choices: Choices, form: str = "") -> tuple[UnderstoodFile, ...]:
    """Read exported files.

    Parameters
    ----------
    root : Path
        Its `org.yaml`, where there is one, says the units and kinds in which metrics are kept.
    form : str
        Name of the format; empty: each file's content says it.

    Raises
    ------
    InputError
        If a file cannot be read, or something cannot be told for certain; the message names the option that settles it.
    ConfigError
        If `org.yaml` is not valid.
    """
    definitions = dict(_org_of(root).metrics)
    understood = []
    for path in paths:
        content = read_content(path, path.name)
        chosen = format_of(content, form)
        exported = chosen.reads(content, choices)
        series, metrics = settle(exported.series, choices, definitions, path.name)
        for metric in metrics:
            definitions[metric.metric] = metric.definition(definitions)
        _refuse_infinite(series, path.name)
        has_values = any(not np.isnan(item.value).all() for item in series)
        if not any((has_values, exported.events, exported.incidents, exported.repos, exported.dependencies)):
            raise InputError(f"{path.name}: nothing to import in it ({chosen.says})")
        understood.append(UnderstoodFile(path, path.name, chosen, exported, series, metrics))
    return tuple(understood)


def _refuse_infinite(series: Sequence[SampledSeries], label: str) -> None:
    for item in series:
        at = np.flatnonzero(np.isinf(item.value))
        if at.size:
            row = None if item.row is None else int(item.row[at[0]])
            time = from_micros(int(item.time[at[0]]))
            raise InputError(
                f"{place(label, row=row)}: {item.metric} of {item.repo} at {time:%Y-%m-%dT%H:%M:%SZ} is infinite, "
                "as a share of nothing is; leave it out in the query (PromQL: QUERY < Inf), or its cell empty"
            )


def plan(understood: Sequence[UnderstoodFile], root: Path, clock: datetime) -> PlannedImport:
    """Return what the files would change in a root, once everything passed the gate together with what is there.

    Raises
    ------
    InputError
        If a value contradicts the root, breaks a rule of the format, or is later than the clock.
    ConfigError
        If nothing can be put into the root's `org.yaml`.
    """
    if root.exists() and not root.is_dir():
        raise InputError(f"{root}: a file is there; a folder is needed")
    files: dict[Path, bytes] = {}
    said: list[str] = []
    org_text, org = _planned_org(understood, root, files, said)
    _refuse_new_meaning(understood, root)
    definitions = {**org.metrics}
    new = [samples_of_series(file.series, file.label) for file in understood if file.series]
    _plan_history(understood, new, root, definitions, files, said)
    _plan_events([event for file in understood for event in file.found.events], root, files, said)
    _plan_incidents([incident for file in understood for incident in file.found.incidents], root, files, said)
    notes = _through_the_gate(root, org_text, new, clock) if new or org_text is not None else ()
    return PlannedImport(files, tuple(said), notes)


def _refuse_new_meaning(understood: Sequence[UnderstoodFile], root: Path) -> None:
    """Refuse a unit or kind of a metric of which samples are there that were read without it."""
    declared = {
        definition.metric: (file, definition)
        for file in understood
        for definition in file.metrics
        if definition.declared
    }
    if not declared or not root.is_dir():
        return
    try:
        there = set(read_root(root).history.metrics)
    except NoRepositoriesError:
        return
    for metric in sorted(there & set(declared)):
        file, definition = declared[metric]
        fields = ", ".join(f"{key}: {value}" for key, value in definition.declared.items())
        raise InputError(
            f"{file.label}: {metric} has samples in the root that are read without {fields}; if they are so too, add to "
            f"org.yaml: metrics: {{{metric}: {{{fields}}}}}; if not, name this one otherwise (--metric)"
        )


def _through_the_gate(root: Path, org_text: str | None, new: Sequence[Samples], clock: datetime) -> tuple[str, ...]:
    """Read the root with what is new; the notes of its history."""
    with tempfile.TemporaryDirectory() as made:
        staged = Path(made)
        config = None
        if org_text is not None:
            config = staged / "org.yaml"
            config.write_text(org_text, encoding="utf-8")
        try:
            org = read_root(root if root.is_dir() else staged, config=config, clock=clock, added=new)
        except NoRepositoriesError:
            return ()
    if new and org.ahead:
        said = org.ahead.partition("; allowed")[0]
        raise InputError(f"{said}; allowed: samples up to now. Is the zone (--tz) or what is counted (--epoch) right?")
    return tuple(note for note in org.history.notes if "identical duplicate" not in note)


def _org_of(root: Path) -> OrgConfig:
    path = root / "org.yaml"
    if not is_there(path, "org.yaml", ConfigError):
        return OrgConfig()
    return read_org_config(inside(path, root, "org.yaml", ConfigError), "org.yaml")


def _planned_org(
    understood: Sequence[UnderstoodFile], root: Path, files: dict[Path, bytes], said: list[str]
) -> tuple[str | None, OrgConfig]:
    """Return the text of `org.yaml` with what is new; None where nothing is."""
    metrics = {
        metric.metric: dict(metric.declared) for file in understood for metric in file.metrics if metric.declared
    }
    repos = {repo.repo: repo for file in understood for repo in file.found.repos}
    stamped = _stamped_at_end(understood, root)
    edges = {(edge.caller, edge.callee): edge for file in understood for edge in file.found.dependencies}
    before = _org_of(root)
    if not (metrics or repos or edges or stamped):
        return None, before
    path = root / "org.yaml"
    text = read_utf8(path, "org.yaml", MAX_CONFIG_BYTES, ConfigError) if path.exists() else ""
    made = with_additions(
        text, OrgAdditions(tuple(repos.values()), tuple(edges.values()), metrics, stamped), "org.yaml"
    )
    if made == text:
        return None, before
    with tempfile.TemporaryDirectory() as folder:
        staged = Path(folder) / "org.yaml"
        staged.write_text(made, encoding="utf-8")
        after = read_org_config(staged, "org.yaml")
    files[path] = made.encode("utf-8")
    parts = (
        (
            "metrics",
            sorted(set(metrics) & {name for name in metrics if after.metrics.get(name) != before.metrics.get(name)}),
        ),
        (
            "repos",
            sorted({known_repo.repo for known_repo in after.repos} - {known_repo.repo for known_repo in before.repos}),
        ),
    )
    additions = [f"{what} {and_more(names, 5)}" for what, names in parts if names]
    links = len(after.dependencies) - len(before.dependencies)
    additions += [f"{links} dependencies"] if links else []
    additions += ["samples: {stamp: end}"] if after.stamp_at_end and not before.stamp_at_end else []
    said.append(f"org.yaml: {'; '.join(additions) or 'fields of services that are there'} added")
    return made, after


def _stamped_at_end(understood: Sequence[UnderstoodFile], root: Path) -> bool:
    """Return whether `org.yaml` has to say that counts stand for the interval before their time.

    Raises
    ------
    InputError
        If the root has samples, or a file of the same import, of which the counts stand for the interval after it.
    """
    counting = [file for file in understood if any(metric.kind == COUNTS for metric in file.metrics)]
    late = [file for file in counting if file.found.stamp_at_end]
    org = _org_of(root)
    if not late or org.stamp_at_end:
        return False
    others = [file.label for file in counting if not file.found.stamp_at_end]
    try:
        there = read_root(root).history if root.is_dir() else None
    except NoRepositoriesError:
        there = None
    counted = [] if there is None else [name for name in there.metrics if there.metric(name).is_count]
    if others or counted:
        where = f"those of {others[0]}" if others else f"{counted[0]} in the root"
        raise InputError(
            f"{late[0].label}: its counts stand for the interval before their time, {where} for the one after it; org.yaml "
            "says one of them for all (samples: {stamp: end} or {stamp: start}): shift the times of one in its query (offset)"
        )
    return True


def _plan_history(
    understood: Sequence[UnderstoodFile],
    new: Sequence[Samples],
    root: Path,
    definitions: dict[str, Metric],
    files: dict[Path, bytes],
    said: list[str],
) -> None:
    by_target: dict[Path, list[Samples]] = {}
    pulled = pulled_names(root)
    for file, samples in zip((imported for imported in understood if imported.series), new, strict=True):
        name = _UNSAFE.sub("-", Path(_PACKED.sub("", file.path.name)).stem).strip(".-")[:_MOST_NAME] or "imported"
        while name.casefold() in pulled:  # the next pull would write over it
            name += "-imported"
        by_target.setdefault(root / "history" / f"{name}.parquet", []).append(samples)
    for target, parts in by_target.items():
        label = f"history/{target.name}"
        old = []
        if is_there(target, label):
            old = [read_tidy(inside(target, root, label), label)]
        # settled already: running totals are kept as they were counted
        history = admit(merge([*old, *parts]), definitions, is_settled=True)
        made = history_bytes(history)
        if old and made == read_whole(target, label, len(made) + 1_000_000):
            continue
        files[target] = made
        before = int(np.count_nonzero(~np.isnan(old[0].value))) if old else 0
        said.append(f"{label}: {len(history):,} samples, {len(history) - before:,} of them new")


def _plan_events(events: Sequence[Event], root: Path, files: dict[Path, bytes], said: list[str]) -> None:
    if not events:
        return
    path = root / "events.csv"
    there: set[tuple[str, ...]] = set()
    text = None
    if is_there(path, "events.csv"):
        there = {
            tuple(event_row(event).values()) for event in read_events(inside(path, root, "events.csv"), "events.csv")[0]
        }
        text = read_utf8(path, "events.csv", MAX_EVENT_BYTES)
    new = [row for row in map(event_row, dict.fromkeys(events)) if tuple(row.values()) not in there]
    if not new:
        return
    new.sort(key=lambda row: (row["timestamp"], row["repo"], row["kind"], row["title"]))
    made = with_rows(text, _EVENT_COLUMNS, NEEDED, new, "events.csv")
    _check_rows(made, "events.csv", read_events)
    files[path] = made.encode("utf-8")
    said.append(f"events.csv: {len(new):,} events added")


def _plan_incidents(incidents: Sequence[PastIncident], root: Path, files: dict[Path, bytes], said: list[str]) -> None:
    if not incidents:
        return
    path = root / "incidents.csv"
    there = inside(path, root, "incidents.csv") if is_there(path, "incidents.csv") else None
    made, new, filled = with_incidents(there, incidents, "incidents.csv")
    if made is None:
        return
    _check_rows(made, "incidents.csv", read_incidents)
    files[path] = made.encode("utf-8")
    added = [f"{new:,} incidents added"] if new else []
    added += [f"{filled:,} filled in"] if filled else []
    said.append(f"incidents.csv: {', '.join(added)}")


def _check_rows(text: str, label: str, read: object) -> None:
    """Read what would be written as every other command will."""
    with tempfile.TemporaryDirectory() as folder:
        staged = Path(folder) / label
        staged.write_text(text, encoding="utf-8", newline="")
        if callable(read):
            read(staged, label)
