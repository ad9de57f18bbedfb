"""An organisation as the engines see it: history, repos, dependencies, events, policies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tars_lib.errors import InputError, UnknownNameError
from tars_lib.model.clock import common_end
from tars_lib.model.count_checks import refuse_beyond_range, settle_counts
from tars_lib.model.history import History, from_micros, to_micros
from tars_lib.model.metrics import COUNTER, COUNTS, Metric, known_metric
from tars_lib.model.names import AlertRule, Dependency, Event, InputFile, OrgSlo, Repo, ReportedAlert
from tars_lib.model.samples import Sampled
from tars_lib.model.slo import AnyPolicy, counted_together, definitions_with
from tars_lib.text.counts import plural, some_of
from tars_lib.text.sentences import Telling, Told
from tars_lib.text.times import MINUTES

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd

# Event kinds that may change how a repo behaves; judgement, after the kinds that the input format names.
CHANGE_KINDS = frozenset({"deploy", "config", "rollback", "feature_flag", "migration", "scale", "change"})
MAINTENANCE = "maintenance"
NO_SAMPLE = "no sample in any file: whatever needs one is UNKNOWN"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OrgData(Telling):
    """Everything that is known of an organisation.

    Attributes
    ----------
    name : str
    repos : tuple of Repo
        Sorted by `repo`; every repo of the history and of `org.yaml`.
    history : History
        Its columns are in the order of `repos`.
    dependencies : tuple of Dependency
        Caller to callee.
    metrics : mapping of str to Metric
        Definitions of the user's own, over the known ones.
    events, policies, slos, reported_alerts, rules : tuple
    policies_from : str
        Where the policies came from.
    inputs : tuple of InputFile
        Every file read, with its digest.
    warnings : tuple of str
    ahead : str
        What is wrong with samples that are later than the clock; they are known only to who names a time.
    sampled : Sampled or None
        The files that all samples are from; None where some come from elsewhere.
    stamp_at_end : bool
        Whether a sample of a count stands for the interval before its time stamp; else for the one that begins there.
    asked_until : int or None
        Microseconds: the last row, or the time that a report was judged at, where that is later than the last value.
    """

    name: str
    repos: tuple[Repo, ...]
    history: History
    dependencies: tuple[Dependency, ...] = ()
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    policies: tuple[AnyPolicy, ...] = ()
    policies_from: str = "packaged defaults"
    slos: tuple[OrgSlo, ...] = ()
    reported_alerts: tuple[ReportedAlert, ...] = ()
    rules: tuple[AlertRule, ...] = ()
    inputs: tuple[InputFile, ...] = ()
    warnings: tuple[str, ...] = ()
    ahead: str = ""
    sampled: Sampled | None = None
    stamp_at_end: bool = False
    asked_until: int | None = None

    def metric(self, name: str) -> Metric:
        """Definition of a metric: the organisation's own, else the known one."""
        return self.metrics.get(name) or known_metric(name)

    def judged_by(
        self,
        policies: tuple[AnyPolicy, ...],
        policies_from: str,
        notes: tuple[str, ...] = (),
        counters: Mapping[str, str] | None = None,
    ) -> OrgData:
        """The same organisation under other policies, and what they say of its metrics.

        Raises
        ------
        InputError
            If the policies count a running total that nobody declared, or measure as a share what is none.
        """
        metrics = definitions_with(self.metrics, policies, counters)
        # what was declared before is held as increases already
        open_ones = {
            name: replace(metric, kind=COUNTS) if self.metric(name).kind == COUNTER else metric
            for name, metric in metrics.items()
        }
        history = replace(self.history, definitions=open_ones)
        for name in metrics.keys() & set(history.metrics) - self.metrics.keys():
            refuse_beyond_range(history, name)
        history, of_counts = settle_counts(history, counted_together(policies), lambda _: "")
        warnings = tuple(dict.fromkeys((*self.warnings, *notes, *of_counts)))
        return replace(
            self,
            policies=policies,
            policies_from=policies_from,
            metrics=metrics,
            history=replace(history, definitions=metrics),
            warnings=warnings,
        )

    def repo(self, name: str) -> Repo:
        """One repo by its key.

        Raises
        ------
        UnknownNameError
            If there is none of that name.
        """
        for repo in self.repos:
            if repo.repo == name:
                return repo
        names = [repo.repo for repo in self.repos]
        raise UnknownNameError(f"service {name!r} is not in {self.name}; there are {len(names)}: {some_of(names)}")

    def policy(self, sla_id: str) -> AnyPolicy | None:
        """Return the policy of an SLA; None where there is none of that id."""
        return next((policy for policy in self.policies if policy.sla_id == sla_id), None)

    @property
    def graph(self) -> nx.DiGraph[str]:
        """Call graph, caller to callee, every repo a node."""
        import networkx as nx

        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(repo.repo for repo in self.repos)
        graph.add_edges_from((edge.caller, edge.callee) for edge in self.dependencies)
        return graph

    def frame(self, metric: str) -> pd.DataFrame:
        """One metric as a DataFrame: UTC index, one column a repo, NaN where missing."""
        return self.history.frame(metric)

    def plot(
        self,
        metric: str,
        repos: Sequence[str] | str = (),
        around: Event | str | None = None,
        window: timedelta | None = None,
    ) -> Any:
        """Draw a metric of some services, if wanted around an event: ``org.plot("latency", ["web"], around="New pool")``.

        The drawing is that of `tars_lib.figures.health.metric_panels.plot`; it is found by its name, so that this room
        knows no figure.
        """
        return import_module("tars_lib.figures.health.metric_panels").plot(self, metric, repos, around, window)

    def tidy(self) -> pd.DataFrame:
        """All samples as ``timestamp, repo, metric, value``."""
        return self.history.tidy()

    def at(self, as_of: datetime | None, clock: datetime | None = None) -> tuple[OrgData, datetime]:
        """Return what was known at a time, and that time.

        Parameters
        ----------
        as_of : datetime or None
            None: the time of the last sample, not counting a few series that reach far beyond all others; where there is no
            sample, of the last alert or event. Rows without a value say until when nothing was measured, and alerts that were
            reported after the last sample are known too.
        clock : datetime, optional
            The present time, for an organisation in which nothing has a time; what is announced for later has not happened.

        Raises
        ------
        InputError
            If there was no sample yet at that time, though there are later ones, if nothing has a time and no clock is given,
            or if no time is given and a sample is later than the clock was when it was read.
        """
        start, is_given = self.history.start, as_of is not None
        warnings = self.warnings
        if as_of is None:
            if self.ahead:
                raise InputError(self.ahead)
            end, alone = common_end(self.history)
            warnings = _with(warnings, alone)
            if end is not None and self.asked_until is not None and self.asked_until > end:
                warnings = _with(warnings, _no_value(end, self.asked_until))
                end = self.asked_until
            as_of = from_micros(end) if end is not None else self._last_said(clock) or clock
        if as_of is None:
            raise InputError(f"{self.name}: no sample, alert or event at all; a time to judge at is needed (as_of)")
        micros = to_micros(as_of)
        if start is not None and micros < start:
            first = from_micros(start).isoformat()
            raise InputError(f"as-of {as_of.isoformat()} is before the first sample; allowed: {first} or later")
        known = self.history.until(micros)
        events = tuple(event for event in self.events if event.timestamp <= as_of)
        alerts = tuple(
            alert
            for alert in self.reported_alerts
            if not is_given or alert.timestamp is None or alert.timestamp <= as_of
        )
        if start is None:
            warnings = _with(warnings, NO_SAMPLE)
        is_all = len(events) == len(self.events) and len(alerts) == len(self.reported_alerts)
        if known is self.history and is_all and warnings is self.warnings:
            return self, as_of
        return replace(self, history=known, events=events, reported_alerts=alerts, warnings=warnings), as_of

    def _last_said(self, clock: datetime | None) -> datetime | None:
        """The last time up to the clock that anybody reported an alert or an event."""
        times = [alert.timestamp for alert in self.reported_alerts if alert.timestamp is not None]
        times += [event.timestamp for event in self.events]
        return max((time for time in times if clock is None or time <= clock), default=None)

    def told(self) -> Told:
        """Say what is known of the organisation, and how to ask on."""
        start, end = self.history.start, self.history.end
        span = (
            "no sample at all"
            if start is None or end is None
            else f"{len(self.history):,} samples from {from_micros(start):%Y-%m-%d %H:%M} to "
            f"{from_micros(end):{MINUTES}}"
        )
        kinds = Counter(event.kind for event in self.events)
        happened = ", ".join(f"{number} {kind}" for kind, number in kinds.most_common()) or "none"
        units = (f"{name} ({self.metric(name).unit or 'no unit'})" for name in self.history.metrics)
        slas = ", ".join(f"{policy.sla_id} ({policy.sla_name})" for policy in self.policies)
        first = self.repos[0].repo if self.repos else "web"
        return Told.of(
            (
                f"{self.name}: {plural(len(self.repos), 'service')}, {span}.",
                f"Services: {', '.join(repo.repo for repo in self.repos[:20])}{', ...' if len(self.repos) > 20 else ''}.",
                f"Metrics: {', '.join(units) or 'none'}.",
                f"SLAs, from {self.policies_from}: {slas or 'none'}.",
                f"Events: {happened}.",
                f"{plural(len(self.warnings), 'warning')}: see .warnings." if self.warnings else "",
                f"Next: .repo({first!r}), .frame(metric), tars.analyze(org).",
            )
        )

    def maintenance(self) -> Iterator[tuple[Event, datetime]]:
        """Maintenance windows with their ends."""
        for event in self.events:
            if event.kind == MAINTENANCE and event.until is not None:
                yield event, event.until

    def changes(self) -> tuple[Event, ...]:
        """Events that may be a cause: deploys, configuration changes and the like."""
        return tuple(event for event in self.events if event.kind in CHANGE_KINDS)


def _with(warnings: tuple[str, ...], sentence: str) -> tuple[str, ...]:
    return (*warnings, sentence) if sentence and sentence not in warnings else warnings


def _no_value(end: int, until: int) -> str:
    return (
        f"no row after {from_micros(end):{MINUTES}} has a value, up to {from_micros(until):{MINUTES}}, which is judged as the "
        "present: nothing is known of the time between"
    )


def duration_text(length: timedelta) -> str:
    """A duration for a reader, in its two largest units; seconds only below an hour.

    The one text of a duration on pages and in commands. It is cut to the unit shown, not rounded: a time that has not
    fully passed is never claimed, and 59 s never turn into a minute which the clock of the incident has not seen.

    Examples
    --------
    >>> duration_text(timedelta(minutes=95)), duration_text(timedelta(seconds=111)), duration_text(timedelta(hours=26))
    ('1 h 35 min', '1 min 51 s', '1 d 2 h')
    >>> duration_text(timedelta(days=21, minutes=30, seconds=59)), duration_text(timedelta(0))
    ('21 d 30 min', '0 s')
    """
    if length < timedelta(0):
        return f"-{duration_text(-length)}"
    minutes, seconds = divmod(length // timedelta(seconds=1), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (0 if days or hours else seconds, "s")]
    return " ".join([f"{number} {unit}" for number, unit in parts if number][:2]) or "0 s"
