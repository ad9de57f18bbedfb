"""OpenSLO documents as SLA policies.

What a document says is honoured exactly or refused with a sentence that names document and field; what changes no verdict
(labels, alert policies, data sources) is left out, and a note says so where a reader could expect more.

References
----------
OpenSLO specification v1, https://github.com/OpenSLO/OpenSLO
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from tars_lib.config.policies.documents import Document
from tars_lib.config.policies.openslo_annotations import named_repos, own_annotations, with_annotations
from tars_lib.config.policies.openslo_form import (
    OTHER_KINDS,
    Metadata,
    Metric,
    Objective,
    Ratio,
    Sli,
    SliSpec,
    Slo,
    SloSpec,
)
from tars_lib.config.policies.openslo_versions import READ, as_v1
from tars_lib.config.policies.queries import Reading
from tars_lib.config.policies.shares import rest, share, share_of_percent
from tars_lib.config.yaml_file import validate
from tars_lib.errors import ConfigError, TarsError
from tars_lib.model.slo import AnyPolicy, RatioPolicy, Slices, ThresholdPolicy, Window
from tars_lib.model.times import read_zone

NAMES = ("metric", "metricName", "query", "promql")
"""Fields of a metric source's `spec` that may hold the name of a metric, or a query that `slo-metrics.yaml` turns into one."""
_ADJUSTMENT = "BudgetAdjustment"
_SLICE = re.compile(r"([1-9]\d{0,4})([mhdw])")
_MINUTES = {"m": 1, "h": 60, "d": 1440, "w": 10_080}
_SLICED = ("Timeslices", "RatioTimeslices")


@dataclass(frozen=True, slots=True)
class _Goal:
    """One objective of an SLO with all that its policy is made from; `where` begins each message."""

    where: str
    objective: Objective
    slices: Slices | None
    common: Mapping[str, Any]
    reading: Reading

    def refuse(self, field: str, why: str) -> ConfigError:
        return ConfigError(f"{self.where}: {field}: {why}")


def is_openslo(document: Document) -> bool:
    """Return whether a document is OpenSLO, in a version that is read."""
    return document.version in READ


def openslo_policies(documents: Sequence[Document], reading: Reading) -> list[tuple[AnyPolicy, str]]:
    """Return the SLA policies of the OpenSLO documents of all files, an objective each, with the file of each.

    Parameters
    ----------
    documents : sequence of Document
        An SLO may refer to an SLI of another file.
    reading : Reading
        Told what was read in a particular way or not at all, and which metrics are counters.

    Raises
    ------
    ConfigError
        If a document is not valid, or says what cannot be honoured exactly; the message names document and field.
    """
    slos: list[tuple[Slo, str]] = []
    slis: dict[str, Sli] = {}
    left: Counter[tuple[str, str]] = Counter()
    for document in documents:
        where, kind = _named(document), str(document.content["kind"])
        if kind in OTHER_KINDS:
            left[document.file, kind] += 1
        elif kind == "SLI":
            sli = validate(Sli, as_v1(document.content), where)
            if sli.metadata.name in slis:
                raise ConfigError(f"{where}: metadata.name stands twice; each SLI needs its own")
            slis[sli.metadata.name] = sli
        else:
            slos.append((validate(Slo, as_v1(document.content), where), document.file))
    if not slos:
        raise ConfigError(f"{documents[0].file}: no document of kind SLO; at least one is needed")
    reading.notes += [f"{file}: {count} of kind {kind} not read" for (file, kind), count in sorted(left.items())]
    return [(policy, file) for slo, file in slos for policy in _policies(slo, slis, file, reading)]


def _named(document: Document) -> str:
    """Return file and document for messages; refuse what no later step could name."""
    where, kind = document.where, document.content.get("kind")
    if kind == _ADJUSTMENT:
        raise ConfigError(
            f"{where}: kind: {_ADJUSTMENT} is not supported, as it has no effect on samples; write the time as "
            "maintenance in events.csv"
        )
    if kind not in ("SLO", "SLI", *OTHER_KINDS):
        allowed = ", ".join(("SLO", "SLI", *OTHER_KINDS))
        raise ConfigError(f"{where}: kind: {kind!r} was given; allowed: {allowed}")
    return where


def _policies(slo: Slo, slis: Mapping[str, Sli], file: str, reading: Reading) -> list[AnyPolicy]:
    where, spec, name = f"{file}: SLO {slo.metadata.name}", slo.spec, slo.metadata.name
    if spec.alertPolicies:
        reading.notes.append(f"{where}: alertPolicies are not evaluated; burn rates are judged as documented")
    for field in ("namespace", "project"):
        if (given := getattr(slo.metadata, field)) is not None:
            reading.notes.append(
                f"{where}: metadata.{field} {given!r} is not read; the service alone says what is judged"
            )
    if spec.objectives[0].has_indicator:
        reading.notes.append(
            f"{where}: a composite: each of its {len(spec.objectives)} objectives is an SLA of its own, as OpenSLO states no "
            "arithmetic for their common budget"
        )
    window, zone = _window(spec, where, reading)
    own = own_annotations(slo.metadata.annotations, where)
    made: list[AnyPolicy] = []
    for number, objective in enumerate(spec.objectives):
        alone = len(spec.objectives) == 1
        label = objective.displayName or str(number + 1)
        at = f"{where}: spec.objectives.{number}"
        metadata, sli, sli_at = _indicator(objective if objective.has_indicator else spec, slis, where, at)
        common = {
            "sla_id": name if alone else f"{name}:{label}",
            "sla_name": (slo.metadata.displayName or name) + ("" if alone else f", {label}"),
            "sla_type": name if metadata is None else metadata.name,
            "objective": _share(objective, at),
            "window": window,
            "period_days": max(window.days, 1),
            "time_zone": zone,
            "repos": (slo.spec.service,) if own.repos is None else named_repos(own.repos),
        }
        goal = _Goal(at, objective, _slices(objective, spec.budgetingMethod, at, window), common, reading)
        policy = _policy(goal, sli, sli_at, spec.budgetingMethod)
        made.append(with_annotations(policy, own, is_alone=alone, where=where, reading=reading))
    return made


def _indicator(
    holder: SloSpec | Objective, slis: Mapping[str, Sli], where: str, at: str
) -> tuple[Metadata | None, SliSpec, str]:
    """Return the metadata and the spec of an indicator, and how messages name it."""
    field = f"{where}: spec" if isinstance(holder, SloSpec) else at
    named = f"{where}: indicator" if isinstance(holder, SloSpec) else f"{at}.indicator"
    if holder.indicator is not None:
        return holder.indicator.metadata, holder.indicator.spec, named
    sli = slis.get(holder.indicatorRef or "")
    if sli is None:
        known = ", ".join(sorted(slis)) or "none"
        raise ConfigError(
            f"{field}.indicatorRef: no SLI {holder.indicatorRef!r} in the policy files; there are: {known}"
        )
    return sli.metadata, sli.spec, named


def _share(objective: Objective, where: str) -> float:
    if objective.target is not None:
        return share(objective.target, f"{where}.target")
    return share_of_percent(objective.targetPercent, f"{where}.targetPercent")


def _window(spec: SloSpec, where: str, reading: Reading) -> tuple[Window, str]:
    """Return the window and the zone that its days are cut in."""
    if not spec.timeWindow:
        reading.notes.append(f"{where}: no timeWindow: 30 days, rolling, are taken")
        return Window(days=30), "UTC"
    given, field = spec.timeWindow[0], f"{where}: spec.timeWindow.0"
    try:
        if given.calendar is not None:
            start = given.calendar.startTime
            if isinstance(start, date) and not isinstance(start, datetime):
                start = datetime.combine(start, time())
            text = start.isoformat() if isinstance(start, datetime) else start
            read_zone(given.calendar.timeZone)
            return Window.aligned(given.duration, text), given.calendar.timeZone
    except TarsError as error:
        raise ConfigError(f"{field}: {error}") from error
    if not re.fullmatch(r"[1-9]\d{0,4}[mhdwMQY]", given.duration):
        raise ConfigError(
            f"{field}.duration: {given.duration!r} was given; for a rolling window a number with m, h, d, w, M, Q or Y is "
            "allowed, such as 28d"
        )
    try:
        return Window.rolling(given.duration), "UTC"
    except ConfigError as error:
        raise ConfigError(f"{field}.duration: {error}") from error


def _slices(objective: Objective, method: str, where: str, period: Window) -> Slices | None:
    """Return how long a slice is and what makes it good; refuse fields that would be without effect."""
    window, wanted = objective.timeSliceWindow, objective.timeSliceTarget
    if method not in _SLICED:
        for field in ("timeSliceTarget", "timeSliceWindow"):
            if getattr(objective, field) is not None:
                raise ConfigError(f"{where}: {field}: without effect for budgetingMethod {method}; leave it out")
        return None
    if window is None:
        raise ConfigError(f"{where}: timeSliceWindow: needed for budgetingMethod {method}")
    if method == "Timeslices" and wanted is None:
        raise ConfigError(f"{where}: timeSliceTarget: needed for budgetingMethod Timeslices")
    if method == "RatioTimeslices" and wanted is not None:
        raise ConfigError(f"{where}: timeSliceTarget: without effect for budgetingMethod RatioTimeslices; leave it out")
    text = str(window)
    match = _SLICE.fullmatch(text + "m" if text.isdigit() else text)
    if match is None:
        raise ConfigError(
            f"{where}: timeSliceWindow: {text!r} was given; minutes, or a number with m, h, d or w, are allowed"
        )
    minutes = int(match[1]) * _MINUTES[match[2]]
    if timedelta(minutes=minutes) > period.length:
        raise ConfigError(
            f"{where}: timeSliceWindow: {text!r} is longer than the window, {period}; a shorter one is allowed"
        )
    return Slices(minutes, wanted)


def _policy(goal: _Goal, sli: SliSpec, where: str, method: str) -> AnyPolicy:
    objective = goal.objective
    if sli.thresholdMetric is not None:
        if objective.op is None or objective.value is None:
            raise goal.refuse("op" if objective.op is None else "value", "needed for a thresholdMetric")
        is_floor = objective.op in ("gt", "gte")
        bound = objective.value
        if objective.op in ("gt", "lt"):
            # strictly beyond a number is at or beyond its neighbour, exactly
            bound = math.nextafter(bound, math.inf if is_floor else -math.inf)
        return ThresholdPolicy(
            **goal.common,
            metric=_metric(sli.thresholdMetric, f"{where}.thresholdMetric", goal.reading),
            aggregate="good_share",
            threshold=bound,
            threshold_is_floor=is_floor,
            slices=goal.slices,
        )
    ratio = sli.ratioMetric
    if ratio is None:
        raise ConfigError(f"{where}: one of thresholdMetric and ratioMetric is needed")
    if objective.op in ("lt", "lte"):
        raise goal.refuse(
            "op", f"{objective.op} for a ratioMetric: the share of good events is at least target; leave it out"
        )
    if objective.value is not None:
        raise goal.refuse("value", "without effect for a ratioMetric; leave it out")
    if objective.op is not None:
        goal.reading.notes.append(
            f"{goal.where}: op {objective.op} has no effect for a ratioMetric: at target it is met"
        )
    if ratio.raw is not None:
        return _from_raw(goal, ratio, _metric(ratio.raw, f"{where}.ratioMetric.raw", goal.reading), method)
    part, total = ratio.good or ratio.bad, ratio.total
    if part is None or total is None:
        raise ConfigError(f"{where}.ratioMetric: good or bad, and total, are needed")
    part_name = "good" if ratio.good else "bad"
    names = [
        _metric(metric, f"{where}.ratioMetric.{field}", goal.reading, is_counter=ratio.counter is True)
        for field, metric in ((part_name, part), ("total", total))
    ]
    if names[0] == names[1]:
        always = "100%" if ratio.good else "0%"
        raise ConfigError(
            f"{where}.ratioMetric: {part_name} and total are the same metric, {names[0]}: {always} for ever"
        )
    return RatioPolicy(
        **goal.common, total=names[1], part=names[0], part_is_good=ratio.good is not None, slices=goal.slices
    )


def _from_raw(goal: _Goal, ratio: Ratio, metric: str, method: str) -> ThresholdPolicy:
    """Return the policy of a ratio that is a metric already: slices of it can be judged, single events cannot."""
    is_success = ratio.rawType == "success"
    if goal.slices is None:
        raise ConfigError(
            f"{goal.where}: budgetingMethod {method} needs counts, and a raw ratio has none; give good or bad and total, "
            "or use Timeslices or RatioTimeslices"
        )
    wanted, common = goal.slices.target, dict(goal.common)
    if wanted is None:
        common["objective"] = common["objective"] if is_success else rest(common["objective"])
        slices = goal.slices
    else:
        slices = Slices(goal.slices.minutes, wanted if is_success else rest(wanted), target_is_floor=is_success)
    return ThresholdPolicy(
        **common,
        metric=metric,
        aggregate="mean",
        unit="ratio",
        higher_is_better=is_success or wanted is not None,
        slices=slices,
    )


def _metric(given: Metric, where: str, reading: Reading, *, is_counter: bool = False) -> str:
    """Return the name of the metric in the history."""
    spec, field = given.metricSource.spec, f"{where}.metricSource.spec"
    keys = [key for key in NAMES if key in spec]
    if len(keys) != 1:
        named = ", ".join(sorted(map(str, spec))) or "nothing"
        raise ConfigError(f"{field}: {named} was given; exactly one of {', '.join(NAMES)} is allowed")
    query = spec[keys[0]]
    name = reading.metric(query, f"{field}.{keys[0]}", is_exact=len(spec) == 1)
    if is_counter and name == str(query).strip():
        # what a query returns was counted over intervals by whoever ran it
        reading.counters.setdefault(name, where)
    return name
