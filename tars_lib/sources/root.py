"""Fills an organisation from an org-health root: a folder of histories, descriptions and artefacts."""

from __future__ import annotations

import hashlib
import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from tars_lib.config.alert_rules import read_rules
from tars_lib.config.org import read_org_config
from tars_lib.config.policies.documents import policy_files
from tars_lib.config.policies.queries import MAP_NAME
from tars_lib.config.policy_refusals import policy_refusals
from tars_lib.config.sla_policies import PolicySet, policy_paths, read_policies, read_policy_set
from tars_lib.errors import ConfigError, InputError, NoRepositoriesError, TarsError
from tars_lib.files.assets import asset_folder
from tars_lib.files.limits import MAX_FILES, MAX_REPOS, MAX_TABLE_BYTES
from tars_lib.files.misnamed import misnamed, names_in
from tars_lib.files.reading import entries, inside, is_there, open_regular, real
from tars_lib.model.clock import ahead_of, announced
from tars_lib.model.history import History, from_micros
from tars_lib.model.metrics import KNOWN_METRICS, Metric
from tars_lib.model.names import AlertRule, Dependency, Event, InputFile, OrgConfig, Repo, ReportedAlert
from tars_lib.model.organisation import CHANGE_KINDS, OrgData
from tars_lib.model.samples import PART_ROWS, AnySamples, Gathering, Sampled, Samples, merge
from tars_lib.model.slo import AnyPolicy, counted_together, definitions_with
from tars_lib.model.spelling import Spelling, respelt, spellings, trimmed
from tars_lib.model.times import read_zone
from tars_lib.sources.artefacts import has_artefacts, read_artefacts
from tars_lib.sources.events import read_events, windows_that_exclude_nothing
from tars_lib.sources.parquet_types import release_memory
from tars_lib.sources.recurring import recurring_events
from tars_lib.sources.refusals import Kept
from tars_lib.sources.tidy import KINDS, history_files, tidy_parts

logger = logging.getLogger(__name__)

_HISTORY = "history"


def read_root(
    root: str | Path,
    *,
    config: str | Path | None = None,
    sla_policy: str | Path | Sequence[str | Path] | None = None,
    repos: Sequence[str] | None = None,
    assume_tz: str | None = None,
    clock: datetime | None = None,
    added: Sequence[Samples] = (),
    refusals: list[TarsError] | None = None,
) -> OrgData:
    """Read an org-health root.

    Parameters
    ----------
    root : path
        Folder as the data-format page describes it.
    config : path, optional
        In place of the root's `org.yaml`.
    sla_policy : path or sequence of paths, optional
        Files or folders in place of the root's `sla-policies.yaml` and `sla-policies/` and of the packaged policies.
    repos : sequence of str, optional
        Only these repos; default all.
    assume_tz : str, optional
        IANA zone of times that name none; without it such a time is refused.
    clock : datetime, optional
        The present time: samples that are later are known only to who names a time (`OrgData.at`).
    added : sequence of Samples
        That are to stand in the root beside those of its files, so that the gate sees all of them.
    refusals : list of TarsError, optional
        Takes every refusal, so that reading goes on without what is refused; without it the first one is raised.

    Raises
    ------
    NoRepositoriesError
        If there is no repo at all.
    ConfigError
        If a configuration file or option is not acceptable.
    InputError
        If data cannot be read, breaks a rule of the format or is beyond a limit, or if a link leads out of the root.
    """
    folder = Path(root)
    if not folder.is_dir():
        kind = "a file" if folder.exists() else "nothing"
        raise InputError(f"{folder}: {kind} is there; an org-health folder is needed")
    zone = None if assume_tz is None else read_zone(assume_tz)
    files: list[Path] = []
    warnings: list[str] = []
    kept = Kept(refusals)
    described = kept.attempt(partial(_read_config, folder, config, files, warnings)) or OrgConfig()
    is_described = kept.is_clean
    # a refusal that is kept asks the gate again and again
    gathered = Gathering() if refusals is None else Gathering(sys.maxsize)
    repos_read, alerts = _read_repos(folder, zone, files, warnings, kept, gathered)
    given = () if sla_policy is None else (sla_policy,) if isinstance(sla_policy, str | Path) else tuple(sla_policy)
    policies, policies_from = PolicySet(()), ""
    if is_described:  # units and directions of what the policies measure are known
        read_them = partial(_read_policies, folder, given, described.metrics, files, warnings, kept)
        policies, policies_from = kept.attempt(read_them) or (policies, policies_from)
    rules = (
        kept.attempt(partial(_read_rules, folder, described.metrics if is_described else None, files, warnings)) or ()
    )
    gathered.add(lambda: added)
    samples = gathered.all()
    named = {repo.repo for repo in described.repos} | {name for policy in policies.policies for name in policy.repos}
    repo_names = spellings(samples, "repo", named, {repo.repo for repo in repos_read})
    judged = {name for policy in policies.policies for name in policy.needs}
    metric_names = spellings(samples, "metric", set(described.metrics), judged | set(KNOWN_METRICS))
    warnings += (*repo_names.notes, *metric_names.notes)
    repos_read = [replace(repo, repo=repo_names.of(repo.repo)) for repo in repos_read]
    alerts = [replace(alert, repo=repo_names.of(alert.repo)) for alert in alerts]
    define = partial(definitions_with, described.metrics, policies.policies, policies.counters)
    metrics = kept.attempt(define) or dict(described.metrics)
    admissible = respelt(samples, repo_names, metric_names) if is_described else merge([])
    history = kept.admitted(admissible, metrics, counted_together(policies.policies))
    if len(samples) >= PART_ROWS:
        release_memory()
    warnings += history.notes
    members = kept.attempt(partial(_members, described, repos_read, history.repos, repos, folder)) or ()
    keys = {repo.repo for repo in members}
    dependencies = tuple(dict.fromkeys(_respelt_dependencies(described.dependencies, keys)))
    if own := sorted({edge.caller for edge in dependencies if edge.caller == edge.callee}):
        warnings.append(f"dependencies: {', '.join(own[:5])} would call itself; that is left out")
        dependencies = tuple(edge for edge in dependencies if edge.caller != edge.callee)
    strange = [e for e in dependencies if not {e.caller, e.callee} <= keys]
    if strange and not repos:
        edge = strange[0]
        warnings.append(
            f"{len(strange)} dependencies name a service that is not there, such as {edge.caller} -> {edge.callee}"
        )
    events = kept.attempt(partial(_read_events, folder, zone, files, warnings, keys)) or ()
    events = _with_recurring(events, described, [repo.repo for repo in members], history, warnings)
    if clock is not None:
        told = [alert.timestamp for alert in alerts if alert.timestamp is not None]
        warnings += announced({"alert": told, "change": [e.timestamp for e in events if e.kind in CHANGE_KINDS]}, clock)
    warnings += misnamed(names_in(folder), {_label(path, folder) for path in files})
    digests = tuple(InputFile(_label(path, folder), _digest(path)) for path in files)
    logger.debug("%s: %d samples of %d repos and %d metrics", folder, len(history), len(members), len(history.metrics))
    return OrgData(
        name=described.name or real(folder).name,
        repos=members,
        history=history.over(tuple(repo.repo for repo in members)),
        dependencies=tuple(e for e in dependencies if e.caller in keys and e.callee in keys),
        metrics=metrics,
        events=events,
        policies=policies.policies,
        policies_from=policies_from,
        slos=described.slos,
        reported_alerts=tuple(alert for alert in alerts if alert.repo in keys),
        rules=_respelt_rules(rules, keys, set(history.metrics)),
        inputs=digests,
        warnings=tuple(warnings),
        ahead="" if clock is None else ahead_of(samples, clock),
        sampled=_sampled(folder, files, samples, repo_names, metric_names),
        stamp_at_end=described.stamp_at_end,
        asked_until=samples.last if is_described and samples.last != history.end else None,
    )


def _sampled(
    folder: Path, files: Sequence[Path], samples: AnySamples, repos: Spelling, metrics: Spelling
) -> Sampled | None:
    """Return how to read the samples again; None where some are of artefacts, or were added to those of the files."""
    tidy = [_label(path, folder) for path in files if path.suffix in KINDS]
    if {origin.path for origin in samples.origins if origin.count} - set(tidy):
        return None
    zone = None if samples.zone is None else samples.zone.key
    return Sampled(real(folder), tuple(tidy), zone, repos.read_as, metrics.read_as)


def default_policies(metrics: Mapping[str, Metric] | None = None) -> tuple[AnyPolicy, ...]:
    """Return the packaged policies, for organisations that bring none, in the units of their metrics."""
    path = asset_folder("parameters") / "sla-policies.yaml"
    return read_policies(path, "packaged sla-policies.yaml", metrics or {})[0]


def _read_config(folder: Path, config: str | Path | None, files: list[Path], warnings: list[str]) -> OrgConfig:
    path = _own(folder, "org.yaml") if config is None else Path(config)
    if path is None:
        return OrgConfig()
    if not is_there(path, str(path), ConfigError):
        raise ConfigError(f"{path}: no such file; --config needs an org.yaml")
    described = read_org_config(path, str(_label(path, folder)))
    files.append(path)
    if described == OrgConfig():
        warnings.append(f"{_label(path, folder)} says nothing: it is empty, or all of it is a comment")
    logger.debug("%s: %d repos, %d dependencies", path, len(described.repos), len(described.dependencies))
    return described


def _read_repos(
    folder: Path, zone: ZoneInfo | None, files: list[Path], warnings: list[str], kept: Kept, gathered: Gathering
) -> tuple[list[Repo], list[ReportedAlert]]:
    repos: list[Repo] = []
    alerts: list[ReportedAlert] = []
    for path in kept.attempt(partial(_tidy_files, folder)) or ():
        rows = kept.attempt(partial(gathered.add, partial(_read_tidy, path, folder, zone)))
        if rows is not None:
            files.append(path)
            logger.debug("%s: %d rows", path, rows)
    for path_in_root in entries(folder, str(folder), MAX_FILES):
        if path_in_root.is_dir() and has_artefacts(path_in_root):
            read = kept.attempt(partial(read_artefacts, path_in_root, folder, zone))
            if read is None:
                continue
            gathered.add(partial(iter, read.samples))
            repos.append(read.repo)
            alerts += read.alerts
            files += read.files
            warnings += read.warnings
            logger.debug("%s: artefacts of a repo, %d files", path_in_root, len(read.files))
    return repos, alerts


def _tidy_files(folder: Path) -> list[Path]:
    tidy = [path for kind in KINDS if (path := _own(folder, f"{_HISTORY}{kind}", InputError)) is not None]
    split = _own(folder, _HISTORY, InputError)
    if split is not None:
        if not split.is_dir():
            raise InputError(f"{_HISTORY}: something else than a folder is there; a folder of histories is needed")
        tidy += history_files(split, _HISTORY)
    return tidy


def _read_tidy(path: Path, folder: Path, zone: ZoneInfo | None) -> Iterator[Samples]:
    label = _label(path, folder)
    return tidy_parts(inside(path, folder, label), label, zone)


def _read_policies(
    folder: Path,
    given: Sequence[str | Path],
    metrics: Mapping[str, Metric],
    files: list[Path],
    warnings: list[str],
    kept: Kept,
) -> tuple[PolicySet, str]:
    """Read the policies that were given, else the root's own, else the packaged ones; and where they came from."""
    named = [(Path(path), _label(Path(path), folder)) for path in given]
    if not given:
        own = ((_own(folder, name), name) for name in ("sla-policies.yaml", "sla-policies"))
        named = [(path, name) for path, name in own if path is not None]
    if not named:
        warnings.append("no sla-policies.yaml: the packaged default policies are used")
        return PolicySet(default_policies(metrics)), "packaged defaults"
    chosen = named
    if not given:
        own_files = [file for path, name in named for file in policy_files(path, name)]
        chosen = [(inside(path, folder, name, ConfigError), name) for path, name in own_files]
    own_map = _own(folder, MAP_NAME)
    listed, maps = policy_paths(chosen, [] if own_map is None else [(own_map, MAP_NAME)])
    try:
        policies = read_policy_set(listed, maps, metrics)
    except ConfigError as error:
        if kept.refusals is None:
            raise
        kept.refusals.extend(policy_refusals(listed, maps, metrics) or [error])
        return PolicySet(()), ""
    files += [path for path, _ in (*listed, *maps)]
    warnings += policies.notes
    logger.debug("%s: %d policies", folder, len(policies.policies))
    return policies, ", ".join(name for _, name in named)


def _read_rules(
    folder: Path, metrics: Mapping[str, Metric] | None, files: list[Path], warnings: list[str]
) -> tuple[AlertRule, ...]:
    path = _own(folder, "alerts.yaml")
    if path is None:
        return ()
    rules, notes = read_rules(path, "alerts.yaml", metrics)
    warnings += notes
    files.append(path)
    logger.debug("%s: %d alert rules", path, len(rules))
    return rules


def _respelt_dependencies(dependencies: Sequence[Dependency], keys: set[str]) -> tuple[Dependency, ...]:
    """Return the calls under the names that their repos are read as: those of `org.yaml` may be in another spelling too."""
    read = _reader(keys)
    return tuple(replace(edge, caller=read(edge.caller), callee=read(edge.callee)) for edge in dependencies)


def _respelt_rules(rules: Sequence[AlertRule], keys: set[str], metrics: set[str]) -> tuple[AlertRule, ...]:
    """Return the rules under the names that their repos and metrics are read as."""
    read, read_metric = _reader(keys), _reader(metrics)
    return tuple(replace(rule, metric=read_metric(rule.metric), repos=tuple(map(read, rule.repos))) for rule in rules)


def _reader(keys: set[str]) -> Callable[[str], str]:
    """Return what a name is read as: itself, else the key that differs by case, blanks or what cannot be seen alone."""
    nearly = {name.casefold(): name for name in sorted(keys)}
    return lambda name: name if name in keys else nearly.get(trimmed(name).casefold(), name)


def _read_events(
    folder: Path, zone: ZoneInfo | None, files: list[Path], warnings: list[str], keys: set[str]
) -> tuple[Event, ...]:
    path = _own(folder, "events.csv", InputError)
    if path is None:
        return ()
    events, notes = read_events(path, "events.csv", zone)
    files.append(path)
    warnings += notes
    read = _reader(keys)
    respelt_names = {
        event.repo: own for event in events if event.repo is not None and (own := read(event.repo)) != event.repo
    }
    if respelt_names:
        shown = ", ".join(f"{name!a} as {read!a}" for name, read in sorted(respelt_names.items())[:5])
        warnings.append(f"events.csv: {len(respelt_names)} names are read in the spelling of the history: {shown}")
        events = tuple(replace(event, repo=respelt_names.get(event.repo or "", event.repo)) for event in events)
    strange = sorted({event.repo for event in events if event.repo is not None and event.repo not in keys})
    if strange:
        warnings.append(f"events.csv names services without data or description: {', '.join(strange[:5])}")
    warnings += windows_that_exclude_nothing(events, "events.csv")
    logger.debug("%s: %d events", path, len(events))
    return events


def _with_recurring(
    events: tuple[Event, ...], described: OrgConfig, keys: Sequence[str], history: History, warnings: list[str]
) -> tuple[Event, ...]:
    """Add what `org.yaml` says comes again within the time of the samples."""
    rules = (*described.maintenance, *described.operating_hours)
    strange = sorted({repo for rule in rules for repo in rule.repos} - set(keys))
    if strange:
        warnings.append(
            f"org.yaml: maintenance and operating hours name services without data: {', '.join(strange[:5])}"
        )
    if history.start is None or history.end is None or not rules:
        return events
    first, last = from_micros(history.start), from_micros(history.end)
    made = recurring_events(described.maintenance, described.operating_hours, keys, first, last, "org.yaml")
    return tuple(
        sorted((*events, *made), key=lambda event: (event.timestamp, event.repo or "", event.kind, event.title))
    )


def _own(folder: Path, name: str, refuse: type[TarsError] = ConfigError) -> Path | None:
    """Return a part of the root, None where there is none; a link that leads out of the root is refused."""
    path = folder / name
    return inside(path, folder, name, refuse) if is_there(path, name, refuse) else None


def _members(
    described: OrgConfig,
    repos: list[Repo],
    reported: tuple[str, ...],
    chosen: Sequence[str] | None,
    folder: Path,
) -> tuple[Repo, ...]:
    by_key = {name: Repo(name, name) for name in reported}
    by_key |= {repo.repo: repo for repo in repos}
    for repo in described.repos:
        named = by_key.get(repo.repo)
        keep_name = named is not None and repo.name == repo.repo
        by_key[repo.repo] = replace(repo, name=named.name) if named is not None and keep_name else repo
    if not by_key:
        raise NoRepositoriesError(
            f"{folder}: no service found; needed: history.csv, history.parquet, history/, org.yaml with repos, "
            "or <repo>/dashboard/health-dashboard.json"
        )
    if len(by_key) > MAX_REPOS:
        raise InputError(f"{folder}: {len(by_key)} services; up to {MAX_REPOS} are allowed")
    if chosen:
        unknown = sorted(set(chosen) - set(by_key))
        if unknown:
            raise ConfigError(
                f"--repos {', '.join(unknown)}: not in {folder}; allowed: {', '.join(sorted(by_key)[:20])}"
            )
        by_key = {name: by_key[name] for name in chosen}
    return tuple(by_key[name] for name in sorted(by_key))


def _label(path: Path, folder: Path) -> str:
    """Name a file as messages and reports do: inside the root by its place there."""
    try:
        return path.relative_to(folder).as_posix()
    except ValueError:
        return path.name


def _digest(path: Path) -> str:
    with open_regular(path, str(path), MAX_TABLE_BYTES) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
