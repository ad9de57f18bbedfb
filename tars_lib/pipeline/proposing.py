"""Proposals for a root from its own past: names, metrics, and objectives at percentiles of what was."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tars_lib.config.org_additions import HEADER, yaml_scalar
from tars_lib.config.sla_policies import read_policy_set
from tars_lib.errors import InputError
from tars_lib.files.reading import is_there
from tars_lib.model.history import SECOND, from_micros
from tars_lib.model.metrics import KNOWN_METRICS, Metric
from tars_lib.model.organisation import OrgData
from tars_lib.model.units import SCORE, SHARE, unit_of
from tars_lib.text.counts import plural
from tars_lib.text.times import MINUTES

WINDOWS = {"30d": 30 * 86_400, "7d": 7 * 86_400, "1d": 86_400, "6h": 21_600, "1h": 3_600, "15m": 900}
"""Windows that may be proposed, in seconds, longest first."""
PASTS = 20
"""So many windows the past must hold: of fewer, the 95th percentile is hardly more than the largest."""
EACH = 6
"""Up to so many services get an objective each; judgement: of more, some miss theirs by chance."""
LATE, EARLY = 95.0, 5.0
"""Percentile of past windows that becomes the objective where less is better, and where more is; judgement."""
_STEPS = 4
_MOST = 400
_FEWEST_EVENTS = 10
_FEWEST_WINDOWS = 20
_HAIR = 1e-9
_SHARES = (0.9999, 0.9995, 0.999, 0.998, 0.995, 0.99, 0.98, 0.95, 0.9, 0.8, 0.5)
_ROUND = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_POLICIES = "sla-policies.yaml"

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Proposal:
    """Files that a root lacks, and what was left as it is or could not be proposed.

    Attributes
    ----------
    said : tuple of str
        What each new file holds.
    kept : tuple of str
        Files that are there, which are not touched, and what they lack.
    lacking : tuple of str
        Metrics without a proposal, each with the reason.
    """

    files: dict[Path, bytes]
    said: tuple[str, ...]
    kept: tuple[str, ...]
    lacking: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Past:
    """A percentile of the values of past windows, of the repo where it is worst."""

    value: float
    repo: str
    windows: int
    repos: int


def propose(org: OrgData, root: Path) -> Proposal:
    """Propose `org.yaml` and `sla-policies.yaml` of what a root holds; files that are there are never touched.

    Raises
    ------
    InputError
        If there is no sample to propose anything from.
    """
    if org.history.start is None or org.history.end is None:
        raise InputError(f"{root}: no sample in any file; tars import brings some")
    files: dict[Path, bytes] = {}
    said: list[str] = []
    kept: list[str] = []
    if is_there(root / "org.yaml", "org.yaml"):
        named = org.metrics.keys()
        lacks = [f"metric {name}" for name in org.history.metrics if name not in named and name not in KNOWN_METRICS]
        more = f"; it says nothing of {', '.join(lacks[:5])}" if lacks else ""
        kept.append(f"org.yaml is there and is left as it is{more}")
    else:
        files[root / "org.yaml"] = _org_text(org).encode("utf-8")
        said.append(f"org.yaml: {plural(len(org.repos), 'service')}, {plural(len(org.history.metrics), 'metric')}")
    entries, lacking = [], []
    for entry, reason in _policies(org):
        if entry:
            entries.append(entry)
        if reason:
            lacking.append(reason)
    there = [name for name in (_POLICIES, "sla-policies") if is_there(root / name, name)]
    if there:
        kept.append(f"{there[0]} is there and is left as it is")
    elif entries:
        text = _policies_text(org, entries)
        _refuse_invalid(text, org)
        files[root / _POLICIES] = text.encode("utf-8")
        said.append(f"{_POLICIES}: {plural(len(entries), 'objective')} proposed from percentiles of the past")
    return Proposal(files, tuple(said), tuple(kept), tuple(lacking))


def _refuse_invalid(text: str, org: OrgData) -> None:
    """Read what would be written as every other command will."""
    with tempfile.TemporaryDirectory() as folder:
        staged = Path(folder) / _POLICIES
        staged.write_text(text, encoding="utf-8")
        read_policy_set([(staged, _POLICIES)], metrics=org.metrics)


def _org_text(org: OrgData) -> str:
    lines = [
        HEADER.rstrip("\n"),
        "# Proposed by tars init from the data; change what is wrong.",
        f"name: {yaml_scalar(org.name)}",
    ]
    lines += [
        "repos:",
        "  # proposal: add team, tier (1 is the most important) and customer_facing: true where they fit",
    ]
    for repo in org.repos:
        name = f"name: {yaml_scalar(repo.name)}"
        lines.append(f"  {yaml_scalar(repo.repo)}: {{{name}}}")
    lines.append("metrics:" if org.history.metrics else "metrics: {}")
    for name in org.history.metrics:
        metric = org.metric(name)
        fields = {}
        if metric.unit:
            fields["unit"] = yaml_scalar(metric.unit)
        if metric.higher_is_better is not None:
            fields["higher_is_better"] = yaml_scalar(metric.higher_is_better)
        if metric.kind:
            fields["kind"] = metric.kind
        inner = ", ".join(f"{key}: {value}" for key, value in fields.items())
        hint = (
            ""
            if metric.higher_is_better is not None or metric.is_count
            else "  # add higher_is_better to have it judged"
        )
        lines.append(f"  {yaml_scalar(name)}: {{{inner}}}{hint}")
    return "\n".join(lines) + "\n"


def _policies_text(org: OrgData, entries: list[str]) -> str:
    assert org.history.start is not None  # noqa: S101 - asked before
    assert org.history.end is not None  # noqa: S101 - asked before
    first, last = from_micros(org.history.start), from_micros(org.history.end)
    return (
        "# Proposed by tars init. Each objective is what this organisation mostly reached itself, and no promise to anybody:\n"
        f"# put in what your users need. From the samples of {first:%Y-%m-%d %H:%M} to {last:{MINUTES}}.\n"
        "policies:\n" + "".join(entries)
    )


def _policies(org: OrgData) -> Iterator[tuple[str, str]]:
    """Yield a policy, or the reason why there is none, for each metric."""
    history = org.history
    requests = {"requests_total", "requests_failed"}
    if requests <= set(history.metrics):
        yield _ratio(org)
    for name in history.metrics:
        metric = org.metric(name)
        if name in requests or (metric.is_count and name not in KNOWN_METRICS):
            continue
        if metric.higher_is_better is None:
            yield (
                "",
                f"{name}: whether more is better is not known; org.yaml needs metrics: {{{name}: {{higher_is_better: false}}}}",
            )
            continue
        reporting = [repo for repo in history.repos if history.series(name, repo)[0].size]
        for repos in [(repo,) for repo in reporting] if len(reporting) <= EACH else [tuple(reporting)]:
            yield _threshold(org, name, metric, repos, is_one_of_many=1 < len(reporting) <= EACH)


def _ratio(org: OrgData) -> tuple[str, str]:
    window_and_past = _window_of(org, "requests_total")
    if window_and_past is None:
        return "", "requests_failed of requests_total: too few samples for a window and its past"
    window, past = window_and_past, None
    for repo in org.history.repos:
        times, total = org.history.series("requests_total", repo)
        failed_at, failed = org.history.series("requests_failed", repo)
        both, at_total, at_failed = np.intersect1d(times, failed_at, assume_unique=True, return_indices=True)
        sums = [_sums(org, both, values, WINDOWS[window]) for values in (total[at_total], failed[at_failed])]
        all_of, bad = sums[0][0], sums[1][0]
        enough = all_of >= _FEWEST_EVENTS
        if enough.sum() >= _FEWEST_WINDOWS:
            past = _worse(past, 1.0 - bad[enough] / all_of[enough], repo, higher=True)
    if past is None:
        return "", "requests_failed of requests_total: too few past windows with requests"
    objective = next((share for share in _SHARES if share <= past.value), 0.0)
    if not objective:
        return "", f"requests_failed of requests_total: only {past.value:.1%} of the requests succeeded"
    lines = [
        _comment(past, EARLY, f"the share of good requests in {window}", f"{past.value:.6g}"),
        "  - sla_id: availability",
        "    sla_name: Availability",
        "    sla_type: availability",
        "    good: {total: requests_total, bad: requests_failed}",
        f"    objective: {np.format_float_positional(objective, trim='-')}",
        *_window_lines(window),
    ]
    return "\n".join(lines) + "\n", ""


def _threshold(
    org: OrgData, name: str, metric: Metric, repos: tuple[str, ...], *, is_one_of_many: bool
) -> tuple[str, str]:
    window = _window_of(org, name)
    subject = f"{name} of {repos[0]}" if is_one_of_many else name
    if window is None:
        return "", f"{subject}: too few samples for a window and its past"
    higher = bool(metric.higher_is_better)
    past = None
    for repo in repos:
        times, values = org.history.series(name, repo)
        total, number = _sums(org, times, values, WINDOWS[window])
        enough = number >= 3
        if enough.sum() >= _FEWEST_WINDOWS:
            past = _worse(past, total[enough] / number[enough], repo, higher=higher)
    if past is None:
        return "", f"{subject}: too few past windows with samples"
    objective = _rounded(past.value, metric, higher=higher)
    if not objective:
        return "", f"{subject}: its past is 0, which is no objective to propose"
    unit = f" {metric.unit}" if metric.unit else ""
    lines = [
        _comment(past, EARLY if higher else LATE, f"the mean over {window}", f"{past.value:.4g}{unit}"),
        f"  - sla_id: {yaml_scalar(_id_of(f'{name}-{repos[0]}' if is_one_of_many else name))}",
        f"    sla_name: {yaml_scalar(subject)}",
        f"    sla_type: {yaml_scalar(name)}",
        f"    metric: {yaml_scalar(name)}",
        f"    objective: {np.format_float_positional(objective, trim='-')}",
        f"    higher_is_better: {yaml_scalar(higher)}",
        *([f"    unit: {yaml_scalar(metric.unit)}"] if metric.unit else []),
        *([f"    repos: [{yaml_scalar(repos[0])}]"] if is_one_of_many else []),
        "    aggregate: mean",
        *_window_lines(window),
    ]
    return "\n".join(lines) + "\n", ""


def _comment(past: _Past, percentile: float, what: str, value: str) -> str:
    worst = f", in {past.repo}, the worst of {past.repos} services" if past.repos > 1 else ""
    return (
        f"  # proposal: the {percentile:g}th percentile of {what} was {value}{worst}\n"
        f"  # ({past.windows} overlapping windows before the last one)"
    )


def _window_lines(window: str) -> list[str]:
    days = WINDOWS[window] // 86_400
    return [f"    window: {window}", f"    period_days: {max(days, 1)}"]


def _id_of(name: str) -> str:
    return "".join(char if char.isalnum() else "-" for char in name.lower()).strip("-") or "metric"


def _window_of(org: OrgData, name: str) -> str | None:
    """Return the longest window of which the past holds enough, and that holds three samples."""
    interval = org.history.interval(name)
    assert org.history.start is not None  # noqa: S101 - asked before
    assert org.history.end is not None  # noqa: S101 - asked before
    if interval is None:
        return None
    span = org.history.end - org.history.start + interval
    fitting = [window for window, seconds in WINDOWS.items() if seconds * SECOND >= 3 * interval]
    return next((window for window in fitting if PASTS * WINDOWS[window] * SECOND <= span), None)


def _sums(org: OrgData, times: NDArray[np.int64], values: Floats, seconds: int) -> tuple[Floats, Floats]:
    """Return the sum and number of the samples in each past window; the last window, which is to be judged, is none of them."""
    length = seconds * SECOND
    assert org.history.start is not None  # noqa: S101 - asked before
    assert org.history.end is not None  # noqa: S101 - asked before
    ends = np.arange(org.history.end - length, org.history.start + length - 1, -length // _STEPS)[:_MOST]
    before = np.concatenate(([0.0], np.cumsum(values)))
    first = np.searchsorted(times, ends - length, side="right")
    last = np.searchsorted(times, ends, side="right")
    return before[last] - before[first], (last - first).astype(np.float64)


def _worse(past: _Past | None, values: Floats, repo: str, *, higher: bool) -> _Past:
    """Return the percentile of a repo's windows, where it is worse than those of the repos before."""
    value = float(np.percentile(values, EARLY if higher else LATE))
    repos = 1 if past is None else past.repos + 1
    is_worse = past is None or (value < past.value if higher else value > past.value)
    if past is not None and not is_worse:
        return _Past(past.value, past.repo, past.windows, repos)
    return _Past(value, repo, int(values.size), repos)


def _rounded(value: float, metric: Metric, *, higher: bool) -> float:
    """The next round number on the side that is not better: people promise round ones, and the past was met by a hair."""
    if value <= 0.0 or not math.isfinite(value):
        return 0.0
    if higher and unit_of(metric.unit).dimension == SHARE:
        whole = 1.0 if metric.unit == "ratio" else 100.0
        return next((round(share * whole, 6) for share in _SHARES if share * whole <= value + _HAIR), 0.0)
    if higher and unit_of(metric.unit).dimension == SCORE:
        return 5.0 * math.floor(value / 5.0 + _HAIR)
    exponent = math.floor(math.log10(value))
    steps = [round(step * 10.0**exponent, 12 - exponent) for step in _ROUND]
    # sums of floats miss a round number by a hair
    within = value * (1.0 + _HAIR) if higher else value * (1.0 - _HAIR)
    made = max(step for step in steps if step <= within) if higher else min(step for step in steps if step >= within)
    return made if metric.maximum is None else min(made, metric.maximum)
