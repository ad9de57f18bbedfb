"""Units and kinds of what a file holds, against what `org.yaml` and the names of the metrics say.

What the file says is carried, and converted where `org.yaml` or a known metric has another unit of the same dimension. A time
or a share of which nobody says the unit is refused, because a wrong guess would be off by a thousand or a hundred.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tars_lib.errors import InputError
from tars_lib.model.counters import is_running
from tars_lib.model.metrics import COUNTER, COUNTS, GAUGE, Metric, known_metric
from tars_lib.model.samples import Origin, Samples
from tars_lib.model.units import COUNT, SHARE, TIME, factor_between, times, unit_in_name, unit_of, units_like
from tars_lib.sources.exported.shapes import Choices, SampledSeries


@dataclass(frozen=True, slots=True)
class SettledMetric:
    """Knowledge about a metric of a file.

    Attributes
    ----------
    unit : str
        In which its samples are kept; empty where nobody says one.
    why : str
        How the unit is known, and what was converted.
    kind : str
        gauge, count or counter.
    declared : mapping of str to str
        What `org.yaml` has to say so that the samples are read right; empty where the name says it.
    """

    metric: str
    unit: str
    why: str
    kind: str
    declared: Mapping[str, str]

    def definition(self, definitions: Mapping[str, Metric]) -> Metric:
        """Return the definition that the samples are checked by."""
        base = definitions.get(self.metric) or known_metric(self.metric)
        unit, kind = self.declared.get("unit", base.unit), self.declared.get("kind", base.kind)
        least = 0.0 if kind in (COUNTS, COUNTER) and base.minimum is None else base.minimum
        return replace(base, metric=self.metric, unit=unit, kind=kind, minimum=least)


def settle(
    series: Sequence[SampledSeries], choices: Choices, definitions: Mapping[str, Metric], label: str
) -> tuple[tuple[SampledSeries, ...], tuple[SettledMetric, ...]]:
    """Bring the series of a file into the units in which their metrics are kept.

    Parameters
    ----------
    choices : Choices
        Its `unit` is that of values that name none.

    Raises
    ------
    InputError
        If a unit is not told and matters, does not convert to the metric's, or two kinds of one metric are told.
    """
    by_metric: dict[str, list[SampledSeries]] = {}
    for sampled in series:
        by_metric.setdefault(sampled.metric, []).append(sampled)
    kind_for = _chosen_kinds(by_metric, choices.kind, definitions)
    in_unit: list[SampledSeries] = []
    settled: list[SettledMetric] = []
    for metric, members in by_metric.items():
        kind = _kind(metric, members, definitions.get(metric), kind_for.get(metric, ""), label)
        declared: dict[str, str] = {}
        known = definitions.get(metric) or known_metric(metric)
        if kind[1]:
            declared["kind"] = kind[0]
        units = dict.fromkeys(sampled.unit for sampled in members)
        target, reasons = "", []
        for unit in units:
            unit_read, why = _unit(metric, unit, choices.unit, definitions.get(metric), label)
            target = target or _target(metric, unit_read, definitions.get(metric))
            factor = _factor(metric, unit_read, target, label)
            reasons.append(why if factor == 1 else f"converted from {unit_read}, {why}")
            in_unit += [
                replace(sampled, unit=target, value=_converted(sampled.value, factor))
                for sampled in members
                if sampled.unit == unit
            ]
        converted = [reason for reason in reasons if reason.startswith("converted")]
        if metric not in definitions and target != known.unit:
            declared = {"unit": target, **declared}
        settled.append(SettledMetric(metric, target, "; ".join(dict.fromkeys(converted or reasons)), kind[0], declared))
    return tuple(in_unit), tuple(settled)


def _unit(metric: str, unit: str, chosen: str, declared: Metric | None, label: str) -> tuple[str, str]:
    """Return the unit of values, and how it is known."""
    if unit:
        return unit, "as the file says"
    if chosen:
        return unit_of(chosen).symbol, "as --unit says"
    if declared is not None and declared.unit:
        return declared.unit, "as org.yaml says"
    named = unit_in_name(metric)[1]
    if named:
        return named, "as the name says"
    known = known_metric(metric).unit
    if known and unit_of(known).dimension in (TIME, SHARE):
        raise InputError(
            f"{label}: {metric} has no unit in the file; --unit says it: {units_like(known)} (a map file says it by metric)"
        )
    return known, "as the name says" if known else "not told; --unit says it"


def _target(metric: str, unit: str, declared: Metric | None) -> str:
    """Return the unit in which a metric is kept: that of `org.yaml`, else that of its name, else its own."""
    if declared is not None and declared.unit:
        return declared.unit
    return known_metric(metric).unit or unit


def _factor(metric: str, unit: str, target: str, label: str) -> Fraction:
    if unit == target or not unit:
        return Fraction(1)
    factor = factor_between(unit, target)
    if factor is not None:
        return factor
    if unit_of(target).dimension == COUNT and not unit_of(unit).dimension:
        return Fraction(1)  # a word for what is counted, such as requests
    rate = ". A rate is no count: export the sum of each interval, or name the metric otherwise" if "/" in unit else ""
    raise InputError(
        f"{label}: {metric} is in {unit}, which does not convert to {target}; allowed: {units_like(target)}{rate}"
    )


def _converted(values: NDArray[np.float64], factor: Fraction) -> NDArray[np.float64]:
    """Return the values times a factor, exact in decimals; each different value is computed once."""
    if factor == 1:
        return values
    distinct, back = np.unique(values, return_inverse=True)
    shift = _power_of_ten(factor)
    products = [_moved(number, factor, shift) for number in distinct.tolist()]
    return np.array(products, dtype=np.float64)[back]


def _power_of_ten(factor: Fraction) -> int | None:
    """Return the exponent of a factor such as 1/1000; None where it is no power of ten."""
    power = len(str(max(factor.numerator, factor.denominator))) - 1
    exponent = power if factor >= 1 else -power
    return exponent if Fraction(10) ** exponent == factor else None


def _moved(number: float, factor: Fraction, shift: int | None) -> float:
    if not math.isfinite(number):
        return number
    text = repr(number)
    # the decimal point is moved in the text, which is as exact as a fraction and ten times as fast
    return times(number, factor) if shift is None or "e" in text else float(f"{text}e{shift}")


def _chosen_kinds(metrics: Collection[str], kind: str, definitions: Mapping[str, Metric]) -> Mapping[str, str]:
    """Return the metrics that `--kind` speaks of: those that are counts by name where there are some, else all of the file."""
    if not kind:
        return {}
    counts = [name for name in metrics if (definitions.get(name) or known_metric(name)).is_count]
    return dict.fromkeys(counts or metrics, kind)


def _kind(
    metric: str, members: Sequence[SampledSeries], declared: Metric | None, chosen: str, label: str
) -> tuple[str, bool]:
    """Return the kind of a metric, and whether `org.yaml` has to say it."""
    kinds = sorted({sampled.kind for sampled in members if sampled.kind} or ({chosen} - {""}))
    by_name = COUNTS if (declared or known_metric(metric)).is_count else GAUGE
    if declared is not None and declared.kind:
        if kinds and kinds != [declared.kind]:
            raise InputError(f"{label}: {metric} is a {kinds[0]} in the file and a {declared.kind} in org.yaml")
        return declared.kind, False
    if len(kinds) > 1:
        raise InputError(f"{label}: {metric} is a {kinds[0]} and a {kinds[1]} in one file; name them apart (--map)")
    if kinds:
        return kinds[0], kinds[0] != GAUGE or by_name != GAUGE
    if by_name == COUNTS:
        _refuse_doubtful(metric, members, label)
    return by_name, False


def _refuse_doubtful(metric: str, members: Sequence[SampledSeries], label: str) -> None:
    """Refuse counts that may be a running total: nobody said that they are one, and nobody that they are none."""
    for sampled in members:
        kept = np.flatnonzero(~np.isnan(sampled.value))
        order = kept[np.argsort(sampled.time[kept], kind="stable")]
        value = sampled.value[order]
        if value.size and is_running(sampled.time[order], value) is not False:
            raise InputError(
                f"{label}: {metric} of {sampled.repo} only grows, from {value[0]:,.12g} to {value[-1]:,.12g}: a running total, "
                "or counts of intervals that grow? --kind counter or --kind count says it (a map file by metric)"
            )


def samples_of_series(series: Sequence[SampledSeries], label: str) -> Samples:
    """Return the series as samples before the gate, each of which knows its row; those without a value are left out."""
    repos = tuple(dict.fromkeys(sampled.repo for sampled in series))
    metrics = tuple(dict.fromkeys(sampled.metric for sampled in series))
    kept = [np.flatnonzero(~np.isnan(sampled.value)) for sampled in series]
    origins = tuple(_origin(sampled, rows, label) for sampled, rows in zip(series, kept, strict=True))
    counts = [rows.size for rows in kept]

    def codes(names: Sequence[str], of: Sequence[str]) -> NDArray[np.int32]:
        at = {name: position for position, name in enumerate(names)}
        return np.repeat(np.array([at[name] for name in of], dtype=np.int32), counts)

    return Samples(
        repos,
        metrics,
        codes(repos, [sampled.repo for sampled in series]),
        codes(metrics, [sampled.metric for sampled in series]),
        np.concatenate(
            [sampled.time[rows] for sampled, rows in zip(series, kept, strict=True)] or [np.zeros(0, dtype=np.int64)]
        ),
        np.concatenate([sampled.value[rows] for sampled, rows in zip(series, kept, strict=True)] or [np.zeros(0)]),
        origins,
    )


def _origin(sampled: SampledSeries, kept: NDArray[np.int64], label: str) -> Origin:
    if sampled.row is None:
        return Origin(label, int(kept.size), 0)
    lines = sampled.row[kept]
    return Origin(label, int(kept.size), 1, lambda position: int(lines[position]))
