"""OpenMetrics text, and the older text format of Prometheus, with a time at each sample.

References
----------
https://prometheus.io/docs/specs/om/open_metrics_spec/
https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from tars_lib.errors import MAX_FAULTS, InputError, listed, place
from tars_lib.model.metrics import COUNTER, GAUGE
from tars_lib.model.units import unit_in_name, unit_of
from tars_lib.sources.exported.clock import read_times
from tars_lib.sources.exported.content import Content
from tars_lib.sources.exported.samples.points import WrittenSeries, point_values
from tars_lib.sources.exported.shapes import Choices, Exported, SampledSeries
from tars_lib.sources.exported.whose import owners, series_name
from tars_lib.text.counts import plural

_SAMPLE = re.compile(r'([A-Za-z_:][\w:.]*)(\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?[ \t]+(\S+)(?:[ \t]+(\S+))?(?:[ \t]+#.*)?')
_ABOUT = re.compile(r"#[ \t]+(TYPE|UNIT|HELP)[ \t]+(\S+)(?:[ \t]+(.*))?")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?([eE][+-]?\d+)?|[Ii]nf|NaN)")
_KINDS = {"counter": COUNTER, "gauge": GAUGE}
_PASSED = ("_bucket", "_sum", "_count", "_created", "_info", "_gsum", "_gcount")


@dataclass(slots=True)
class _Raw(WrittenSeries):
    """`base` is the name under which the text tells type and unit."""

    base: str = ""


def is_one(content: Content) -> bool:
    """Return whether a text begins as an exposition does."""
    if content.document is not None:
        return False
    lines = [line for line in content.text[:20_000].splitlines()[:50] if line.strip()]
    samples = [_SAMPLE.fullmatch(line) for line in lines if not line.startswith("#")]
    first = samples[0] if samples else None
    return any(_ABOUT.fullmatch(line) for line in lines) or (
        first is not None and _NUMBER.fullmatch(first[3]) is not None
    )


def read(content: Content, choices: Choices) -> Exported:
    """Read gauges and counters; histograms and summaries are passed over, which a note says.

    Times are in seconds where the text ends with ``# EOF``, as OpenMetrics asks, else in milliseconds, as the older format has
    them; the magnitude has to agree.

    Raises
    ------
    InputError
        If a line cannot be read, a sample has no time, or repo or metric cannot be told.
    """
    label = content.label
    kinds, units, raw, passed = _collect(content.text, label)
    if not raw:
        raise InputError(
            f"{label}: no sample of a gauge or counter"
            + (f"; passed over: {plural(sum(passed.values()), 'sample')}" if passed else "")
        )
    is_open = content.text.rstrip().endswith("# EOF")
    epoch = choices.epoch or ("s" if is_open else "ms")
    whose = owners([raw_series.name for raw_series in raw], choices, label)
    series = []
    for owner, raw_series in zip(whose, raw, strict=True):
        where = raw_series.place_in(label)
        by_size = read_times(raw_series.times, where, epoch=choices.epoch)
        if not choices.epoch and f"counted in {epoch} " not in by_size.zone:
            raise InputError(
                f"{where(0)}: {raw_series.times[0]} is {by_size.zone.removeprefix('UTC, ')} by its magnitude, but a text "
                f"{'with' if is_open else 'without'} # EOF counts in {epoch}; --epoch settles it"
            )
        kind = owner.kind or _KINDS.get(
            kinds.get(raw_series.base, ""), COUNTER if raw_series.name.name.endswith("_total") else ""
        )
        unit = owner.unit or units.get(raw_series.base, "") or unit_in_name(raw_series.name.name)[1]
        values = point_values(raw_series.values, label)
        series.append(SampledSeries(owner.repo, owner.metric, by_size.micros, values, unit, kind, raw_series.rows))
    notes = (
        [f"{label}: {plural(sum(passed.values()), 'sample')} of histograms and summaries are passed over"]
        if passed
        else []
    )
    keys = f"repo {choices.repo}" if choices.repo else f"repo from label {choices.repo_from or 'service'}"
    return Exported(
        series=tuple(series),
        columns=f"names, labels, values; {keys}",
        zone=f"UTC, counted in {epoch} since 1970",
        notes=tuple(notes),
    )


def _collect(text: str, label: str) -> tuple[dict[str, str], dict[str, str], list[_Raw], Counter[str]]:
    kinds: dict[str, str] = {}
    units: dict[str, str] = {}
    raw: dict[str, _Raw] = {}
    passed: Counter[str] = Counter()
    faults: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("# EOF"):
            continue
        about = _ABOUT.fullmatch(line)
        if about is not None:
            if about[1] == "TYPE":
                kinds[about[2]] = (about[3] or "").strip()
            elif about[1] == "UNIT":
                units[about[2]] = unit_of((about[3] or "").strip()).symbol
            continue
        if line.startswith("#"):
            continue
        sample = _SAMPLE.fullmatch(line.strip())
        if sample is None or sample[4] is None or sample[4].startswith("#"):
            what = "not a sample" if sample is None else "a sample without a time; a scrape has none: export a range"
            faults.append(f"{place(label, row=number)}: {what}")
            continue
        name, key = sample[1], f"{sample[1]}{sample[2] or ''}"
        base = name.removesuffix("_total")
        base = base if base in kinds else name
        kind = kinds.get(base, "")
        if (kind not in ("", "counter", "gauge", "unknown", "untyped")) or _is_part(name, kinds):
            passed[name] += 1
            continue
        raw.setdefault(key, _Raw(series_name(key), base=base)).add(sample[4], sample[3], number)
    if faults:
        raise InputError(listed(faults[:MAX_FAULTS], len(faults)))
    return kinds, units, list(raw.values()), passed


def _is_part(name: str, kinds: dict[str, str]) -> bool:
    """Return whether a name is that of a part of a histogram, a summary or a counter."""
    end = next((end for end in _PASSED if name.endswith(end)), "")
    return bool(end) and name not in kinds and kinds.get(name.removesuffix(end), "") != ""
