"""How often do we deploy, how long does a change take, how often does one break something, and how fast is that mended?

The four keys of DORA (https://dora.dev/guides/dora-metrics-four-keys/), of deploys and commits in `events.csv`, the incidents
that are known, and the metric `lead_time`. Where these lack what a key needs, it is unknown and says so.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

import numpy as np

from tars_lib.errors import InputError
from tars_lib.files.reading import inside, is_there
from tars_lib.model.history import History, to_micros
from tars_lib.model.names import Event
from tars_lib.playbook.facts import Facts
from tars_lib.playbook.metrics import median_interval
from tars_lib.playbook.past_facts import facts_of_past
from tars_lib.sources.past_incidents import read_incidents
from tars_lib.stats.counts import wilson_interval

PERIOD = timedelta(days=90)
"""How far back deploys and incidents are looked at; judgement: the quarter that reviews speak of."""
BLAMED = timedelta(hours=24)
"""How soon after a deploy an incident of the same service counts as its failure; judgement: DORA leaves that to the user."""
FAILED = (", failure", ", failed", ", error", ", canceled", ", cancelled", ", abort", ", aborted")
"""Ends of the titles that imports and pulls give deploys which never reached their users."""


_HASH = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True, slots=True)
class DoraKey:
    """One of the four keys.

    Attributes
    ----------
    value : float or None
        None: unknown.
    unit : str
        1/day, ratio, or h.
    n : int
        Deploys, samples or incidents that it rests on.
    low, high : float or None
        95 % interval: Wilson's of the rate, that of the median of the durations; None where so few give none.
    basis : str
        How it was counted, or why it is unknown.
    """

    name: str
    value: float | None
    unit: str
    n: int
    low: float | None
    high: float | None
    basis: str


def read_past(root: Path) -> tuple[tuple[Facts, ...], Counter[str]]:
    """Return the incidents of an org-health folder's `incidents.csv`, and how many each system gave.

    Raise InputError if the folder has none, or they cannot be read.
    """
    path = root / "incidents.csv"
    if not is_there(path, str(path)):
        raise InputError(f"{path}: not there; tars import makes it of incidents that another system exported")
    incidents, _ = read_incidents(inside(path, root, str(path)), str(path))
    return facts_of_past(incidents), Counter(incident.source or "no source" for incident in incidents)


def four_keys(
    events: Sequence[Event], incidents: Sequence[Facts], history: History, end: datetime
) -> tuple[DoraKey, DoraKey, DoraKey, DoraKey]:
    """Deployment frequency, lead time, change failure rate and time to restore of the `PERIOD` before a time.

    Parameters
    ----------
    events : sequence of Event
        Those of the kind `deploy` count; ones that failed before they reached their users do not. Commits are changes that
        refer to one by its hash.
    incidents : sequence of Facts
        An incident is of the repos that it names, and of those of its causes.
    history : History
        Its metric `lead_time` is the lead time, else that from each commit to the next deploy of its repo.
    end : datetime
        Of the data, so that what nobody can know yet is not counted as nothing.
    """
    known = [item for item in events if item.kind == "deploy" and not item.title.lower().endswith(FAILED)]
    begin = end - PERIOD
    since = min([item.timestamp for item in known if item.timestamp <= end], default=end)
    begin = max(begin, since)
    deploys = [item for item in known if begin <= item.timestamp <= end]
    recent = [item for item in incidents if end - PERIOD <= _noticed(item) <= end]
    return (
        _frequency(deploys, (end - begin) / timedelta(days=1)),
        _lead_time(history, known, [item for item in events if _is_commit(item)], end),
        _failure_rate(deploys, incidents, end),
        _restore(recent),
    )


def _frequency(deploys: Sequence[Event], days: float) -> DoraKey:
    name = "Deployment frequency"
    if not deploys or days < 1:
        return DoraKey(name, None, "1/day", len(deploys), None, None, "no deploy of a day or more in events.csv")
    return DoraKey(name, len(deploys) / days, "1/day", len(deploys), None, None, f"deploys over {days:.0f} days")


def _is_commit(event: Event) -> bool:
    """Return whether an event is a commit or merge; runs of workflows and pipelines refer to one too, and are none."""
    return (
        event.kind in ("change", "commit", "merge")
        and _HASH.fullmatch(event.ref or "") is not None
        and not event.title.startswith(("Workflow ", "Pipeline"))
    )


def _waits(deploys: Sequence[Event], commits: Sequence[Event], end: datetime) -> list[float]:
    """Hours from each commit to the deploy of its repo that came next, of the deploys of the period.

    What the first deploy that is known brought is left out: some of it may have been out before.
    """
    hours = []
    for repo in {event.repo for event in deploys if event.repo}:
        times = sorted(event.timestamp for event in deploys if event.repo == repo and event.timestamp <= end)
        for event in commits:
            at = bisect_left(times, event.timestamp)
            if event.repo == repo and 0 < at < len(times) and times[at] > end - PERIOD:
                hours.append((times[at] - event.timestamp) / timedelta(hours=1))
    return hours


def _lead_time(history: History, deploys: Sequence[Event], commits: Sequence[Event], end: datetime) -> DoraKey:
    name = "Lead time for changes"
    _, time, value = history.samples("lead_time")
    inside_period = (time > to_micros(end - PERIOD)) & (time <= to_micros(end))
    values = value[inside_period & ~np.isnan(value)].tolist()
    unit, basis = history.metric("lead_time").unit, "median of the metric lead_time"
    if not values:
        values = _waits(deploys, commits, end)
        unit, basis = "h", "median from the commit to the next deploy of its service"
    if not values:
        lacks = "no deploy after another follows one" if commits else "events.csv has no times of commits"
        return DoraKey(name, None, "h", 0, None, None, f"{lacks}, and no service reports lead_time")
    low, high = median_interval(values)
    return DoraKey(name, float(median(values)), unit, len(values), low, high, basis)


def _failure_rate(deploys: Sequence[Event], incidents: Sequence[Facts], end: datetime) -> DoraKey:
    name = "Change failure rate"
    placed = [item for item in incidents if _repos(item) and _noticed(item) <= end]
    # what was deployed within the last hours may still fail
    judged = [item for item in deploys if item.repo and item.timestamp + BLAMED <= end]
    if not judged or not placed:
        lacks = "no deploy of a service" if not judged else "no incident that names a service"
        return DoraKey(name, None, "ratio", len(judged), None, None, f"{lacks} is known")
    failed = {_blamed(item, judged) for item in placed} - {None}
    low, high = wilson_interval(len(failed), len(judged))
    basis = f"{len(failed)} of the deploys came last before an incident of their service, and at most 24 hours before"
    return DoraKey(name, len(failed) / len(judged), "ratio", len(judged), low, high, basis)


def _blamed(incident: Facts, deploys: Sequence[Event]) -> int | None:
    """Return the position of the last deploy of an incident's repos before it began, if it is near enough."""
    begun = _begun(incident)
    repos = _repos(incident)
    before = [
        (deploy.timestamp, position)
        for position, deploy in enumerate(deploys)
        if deploy.repo in repos and deploy.timestamp <= begun <= deploy.timestamp + BLAMED
    ]
    return max(before)[1] if before else None


def _restore(incidents: Sequence[Facts]) -> DoraKey:
    name = "Time to restore service"
    lengths = [
        (incident.resolved_at - _begun(incident)) / timedelta(hours=1)
        for incident in incidents
        if incident.resolved_at is not None and incident.resolved_at >= _begun(incident)
    ]
    if not lengths:
        lacks = (
            "no incident is known" if not incidents else "none of the incidents has the time at which it was resolved"
        )
        return DoraKey(name, None, "h", 0, None, None, lacks)
    low, high = median_interval(lengths)
    still = len(incidents) - len(lengths)
    basis = "median from the start of the impact, or from the alert where no start is known"
    return DoraKey(
        name, median(lengths), "h", len(lengths), low, high, basis + (f"; {still} without an end" if still else "")
    )


def _noticed(incident: Facts) -> datetime:
    return incident.detected_at or incident.opened_at


def _begun(incident: Facts) -> datetime:
    return incident.started_at or _noticed(incident)


def _repos(incident: Facts) -> set[str]:
    """Return the repo of the first cause, else those that the incident touches."""
    cause = next((cause.repo for cause in incident.causes[:1]), None)
    return {cause} if cause else {affected.repo for affected in incident.repos}
