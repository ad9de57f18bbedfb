"""What in a recording is telemetry's doing and not the application's: ends that are not there yet, a past with incidents in it.

The newest sample is often written before everybody has reported. Counters that many repos show as zero in it at once are
late, and a sample in which most of what is usually there is missing is left out.

A past that holds incidents like the one that is asked about would make it look like chance. Samples in which the target and
a repo that it depends on are both extreme are incidents by any standard, and are no part of the past; a burst of the target
alone stays in, since nothing says that it was no noise.

A deployment may give a repo another name as the incident begins. Where one repo falls silent, another is new, and it goes on
as the first was, it is taken for the same: else the change of name looks like a cause that nobody measures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.root_causes.excess import departure
from tars_lib.engines.root_causes.flow import CallGraph
from tars_lib.engines.root_causes.recording import Recording, Table
from tars_lib.engines.root_causes.series import FAILURES, harm_series
from tars_lib.stats import counts
from tars_lib.stats.series import robust
from tars_lib.stats.series.robust import EXTREME, Floats

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tars_lib.engines.root_causes.recording import Cut

USUAL_REQUESTS = 5.0
"""Usual requests a sample from which on none at all is no chance: e^-5 = 0.7 % for a Poisson count."""

SEVERAL = 2
"""So many repos at once are late; one alone may have lost its requests."""

USUALLY_THERE = 0.9
"""Share of samples with a value from which on a series is expected in every sample; judgement."""

COMPLETE = 0.5
"""Share of the expected series that must be there in the last sample; judgement: less is a sample being written."""

MOST_INCIDENTS = 0.2
"""Share of the past that may be left out as incidents; judgement: more than that is how the application is."""


HIGH = 1 / 3
"""Share of the past in which the target counts as high; the share that the joint test asks of it."""

ALPHA = 0.01
"""How rare it must be by chance that the target is high in the bursts of one repo; the level of the gate."""


CHANGED_ALPHA = 0.05
"""Chance up to which a level is another one than that of a past under another name; the level from which harm moves."""

AS_MANY = 2.0
"""So many times the requests of the old name are those of another repo; judgement: an incident rather makes them fewer."""


def with_ends(recording: Recording, noticed_at: int | None) -> Recording:
    """Leave out what the last sample of the incident does not hold yet.

    Parameters
    ----------
    recording : Recording
    noticed_at : int, optional
        Microseconds since 1970; a sample at that time or before is never left out as a whole.
    """
    incident = recording.incident
    if len(incident) < 2:
        return recording
    base = _same_columns(recording.baseline, incident.labels)
    earlier = np.concatenate([base, incident.values[:-1]])
    last = incident.values[-1]
    expected = np.isfinite(earlier).mean(axis=0) >= USUALLY_THERE
    is_partial = expected.any() and np.isfinite(last[expected]).mean() < COMPLETE
    if is_partial and (noticed_at is None or incident.times[-1] > noticed_at):
        return replace(recording, incident=incident.rows(np.arange(len(incident)) < len(incident) - 1))
    is_count = np.array([metric == "requests_total" for _, metric in incident.labels], dtype=np.bool_)
    late = is_count & (last == 0.0) & (incident.values[-2] > 0.0)
    late &= robust.column_median(earlier) >= USUAL_REQUESTS
    if np.count_nonzero(late) < SEVERAL:
        return recording
    repos = {incident.labels[j][0] for j in np.flatnonzero(late).tolist()}
    values = incident.values.copy()
    counts = ("requests_total", "requests_failed")
    values[-1, [repo in repos and metric in counts for repo, metric in incident.labels]] = np.nan
    return replace(recording, incident=Table(incident.times, incident.labels, values))


def with_names_kept(
    recording: Recording,
    target: tuple[str, str],
    cut: Cut,
    graph: CallGraph | None,
    higher_is_better: Mapping[str, bool] | None,
) -> tuple[Recording, CallGraph | None]:
    """Give a repo that goes on under another name its past, and the calls of its old name.

    Parameters
    ----------
    recording : Recording
    target : (str, str)
        Repo and metric; a repo that changed in this metric as well is not taken for the same.
    cut : Cut
    graph : CallGraph or None
    higher_is_better : mapping, optional
    """
    base, now, _, _ = harm_series(recording, target[1], higher_is_better)
    if not len(base):
        return recording, graph
    had, has = (np.isfinite(values).mean(axis=0) for values in (base, now[cut.first :]))
    stopped = np.flatnonzero((had >= USUALLY_THERE) & (has == 0.0))
    new = np.flatnonzero((has >= USUALLY_THERE) & (had == 0.0))
    if stopped.size != 1 or new.size != 1:
        return recording, graph
    first, second = int(stopped[0]), int(new[0])
    old, name = recording.repos[first], recording.repos[second]
    if old == target[0] or _metrics_of(recording.baseline, old) != _metrics_of(recording.incident, name):
        return recording, graph
    for before, after, most in ((base, now, 1.0), (*recording.values("requests_total"), AS_MANY)):
        past, since = before[:, [first]], np.where(np.isfinite(after), after, after[:, [first]])[:, [second]]
        change = departure(recording, cut, past, since, most)
        fall = departure(recording, cut, -past, -since, 1.0)
        if change.p_value[0] <= CHANGED_ALPHA or (most == 1.0 and fall.p_value[0] <= CHANGED_ALPHA):
            return recording, graph
    renamed = replace(
        recording,
        baseline=_renamed(recording.baseline, old, name),
        incident=_renamed(recording.incident, old, name),
        repos=tuple(repo for repo in recording.repos if repo != old),
    )
    return renamed, None if graph is None else _Calls(graph, old, name)


@dataclass(frozen=True)
class _Calls:
    """Who calls whom where one repo has another name now."""

    graph: CallGraph
    old: str
    name: str

    def __contains__(self, repo: object, /) -> bool:
        return repo != self.old and (repo in self.graph or (repo == self.name and self.old in self.graph))

    def successors(self, repo: str, /) -> Iterable[str]:
        owners = [owner for owner in ((self.old, repo) if repo == self.name else (repo,)) if owner in self.graph]
        called = [callee for owner in owners for callee in self.graph.successors(owner)]
        return dict.fromkeys(self.name if callee == self.old else callee for callee in called)


def _metrics_of(table: Table, repo: str) -> set[str]:
    return {
        metric
        for j, (owner, metric) in enumerate(table.labels)
        if owner == repo and np.isfinite(table.values[:, j]).any()
    }


def _renamed(table: Table, old: str, name: str) -> Table:
    """The table with the samples of an old name under the new one."""
    columns: dict[tuple[str, str], Floats] = {}
    for j, (owner, metric) in enumerate(table.labels):
        label = (name if owner == old else owner, metric)
        values, known = table.values[:, j], columns.get(label)
        columns[label] = values if known is None else np.where(np.isfinite(known), known, values)
    return Table(table.times, tuple(columns), np.column_stack(list(columns.values())))


def without_incidents(
    recording: Recording,
    metric: str,
    target: int,
    within: NDArray[np.bool_],
    higher_is_better: Mapping[str, bool] | None,
) -> Recording:
    """Take the samples out of the past in which the target and another repo were extreme together.

    Parameters
    ----------
    recording : Recording
    metric : str
    target : int
        Position of the target.
    within : ndarray of bool, shape (R,)
        The repos that the target depends on.
    higher_is_better : mapping, optional
    """
    baseline = recording.baseline
    if not len(baseline):
        return recording
    base, _, _, _ = harm_series(recording, metric, higher_is_better)
    extreme = _sigmas(recording, base, metric) >= EXTREME
    others = within.copy()
    others[target] = False
    incidents = extreme[:, target] & extreme[:, others].any(axis=1)
    for j in np.flatnonzero(others & extreme.any(axis=0)).tolist():
        incidents |= _felt_at(base[:, target], extreme[:, j], int(others.sum()))
    if not incidents.any() or incidents.mean() > MOST_INCIDENTS:
        return recording
    values = np.where(incidents[:, None], np.nan, baseline.values)
    return replace(recording, baseline=Table(baseline.times, baseline.labels, values))


def _felt_at(level: Floats, extreme: NDArray[np.bool_], candidates: int) -> NDArray[np.bool_]:
    """Samples in which one repo is extreme and the target high, where the target is high then more often than by chance."""
    known = np.isfinite(level)
    high = known & (level > np.quantile(level[known], 1.0 - HIGH)) if known.any() else known
    begins = np.flatnonzero(np.diff(extreme.astype(np.int8), prepend=0) == 1)
    # one stretch is one event, however long: what lies side by side is alike
    hits = sum(bool(part.mean() >= 0.5) for part in np.split(high[extreme], np.cumsum(_lengths(extreme))[:-1]))
    chance = counts.binomial_tail(hits, len(begins), float(high.mean()))
    return extreme & high if chance * candidates <= ALPHA else np.zeros_like(extreme)


def _lengths(extreme: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Lengths of the stretches of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], extreme, [False]]).astype(np.int8)))
    return edges[1::2] - edges[::2]


def _sigmas(recording: Recording, base: Floats, metric: str) -> Floats:
    """How many robust standard deviations each sample is above the median; for failures, above the mean rate."""
    with np.errstate(invalid="ignore", divide="ignore"):
        if metric not in FAILURES:
            centre, scale = robust.centre_and_scale(base)
            result: Floats = np.nan_to_num((base - centre) / np.where(scale > 0.0, scale, np.nan))
            return result
        total, _ = recording.values("requests_total")
        total = np.where(np.isfinite(total), total, robust.column_median(total))
        usual = np.nansum(base * total, axis=0) / np.nansum(np.where(np.isfinite(base), total, 0.0), axis=0)
        # half a failure more than was seen, as Jeffreys' rule has it
        rate = usual + 0.5 / (np.nansum(total, axis=0) + 1.0)
        sigmas: Floats = np.nan_to_num((base - usual) / np.sqrt(rate * (1.0 - rate) / np.maximum(total, 1.0)))
    return sigmas


def _same_columns(table: Table, labels: tuple[tuple[str, str], ...]) -> Floats:
    position = {label: i for i, label in enumerate(table.labels)}
    result = np.full((len(table), len(labels)), np.nan)
    for j, label in enumerate(labels):
        if label in position:
            result[:, j] = table.values[:, position[label]]
    return result
