"""Evidence for a cause as sentences with numbers and units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tars_lib.engines.root_causes.excess import ALPHA, Excess
from tars_lib.engines.root_causes.finding import REAL_ALPHA, Finding
from tars_lib.engines.root_causes.flow import CallGraph
from tars_lib.engines.root_causes.other_kinds import Sign
from tars_lib.engines.root_causes.own_past import PastWindows, count_past
from tars_lib.engines.root_causes.recording import Cut, Recording
from tars_lib.engines.root_causes.requests import callers_of
from tars_lib.engines.root_causes.series import FAILURES, harm_series, own_series
from tars_lib.engines.root_causes.unmeasured import may_stem_from_below, unseen_callees
from tars_lib.model.history import from_micros
from tars_lib.model.metrics import is_time, known_metric
from tars_lib.stats.series.robust import Floats
from tars_lib.text.counts import listed, plural, verb
from tars_lib.text.quantities import value_text


@dataclass(frozen=True)
class Wording:
    """What the sentences speak about.

    Attributes
    ----------
    recording : Recording
    cut : Cut
    target : (str, str)
        Repo and metric.
    finding : Finding
    is_turned : bool
        Whether the target's metric is better when higher, so that harm was counted downwards.
    unit : str
        Of the target's metric, as it is declared.
    higher_is_better : mapping, optional
        Direction of metrics beyond the known ones.
    """

    recording: Recording
    cut: Cut
    target: tuple[str, str]
    finding: Finding
    is_turned: bool
    unit: str
    higher_is_better: Mapping[str, bool] | None = None

    @cached_property
    def series(self) -> tuple[Floats, Floats]:
        """What is compared between repos, baseline (Tb, R) and incident (Ti, R)."""
        base, now, _, _ = harm_series(self.recording, self.target[1], self.higher_is_better)
        return base, now

    @property
    def excess(self) -> Excess:
        """What was measured of every repo."""
        return self.finding.excess

    def is_out_of_reach(self, j: int) -> bool:
        """Whether requests to a repo were lost while it does not fail by itself."""
        lost = self.finding.lost
        return lost is not None and bool(lost.lost[j]) and float(self.excess.p_value[j]) > REAL_ALPHA

    def by_other_form(self, j: int) -> Wording | None:
        """The same in the other form of harm, where most of what a repo is given comes from it."""
        form = self.finding.form
        if form is None or not self.finding.in_other_form[j]:
            return None
        finding = replace(self.finding, excess=form.excess, lost=None, load=None, form=None)
        unit = known_metric(form.metric).unit
        return replace(self, target=(self.target[0], form.metric), finding=finding, is_turned=False, unit=unit)

    def metric(self, j: int) -> str:
        """The metric a repo is judged by: the target's own where the repo reports it, else what stood in; requests
        where it is they that did not arrive, and the other form of harm where it is that.
        """
        other = self.by_other_form(j)
        if other is not None:
            return other.metric(j)
        if self.is_out_of_reach(j):
            return "requests_total"
        if self.target[1] in FAILURES:
            names = [self.target[1], "availability", "error_rate", "requests_failed"]
        else:
            names = [self.target[1], *self.excess.metric[j].split("+")]
        return next((name for name in names if self.recording.has(self.recording.repos[j], name)), names[0])

    def past(self, j: int, *, own: bool = False) -> PastWindows:
        """Count the windows of a repo's past that were as bad; `own`: in exactly the target's metric."""
        series = own_series(self.recording, self.target[1], self.higher_is_better) if own else self.series
        return count_past(self.recording, self.cut, series[0][:, j], series[1][:, j])

    def change(self, j: int) -> str:
        """Level before and during of what is compared between repos, with unit and factor."""
        return self.level_change(float(self.excess.reference[j]), float(self.excess.level[j]), self.excess.metric[j])

    def level_change(self, before: float, during: float, name: str | None = None) -> str:
        """Two levels of a metric, by default the target's, with unit and factor; harm is upwards."""
        if self.target[1] in FAILURES:
            return f"failed requests went from {before:.2%} to {during:.2%}"
        name = name or self.target[1]
        if "+" in name:
            name = "mean latency (from quantiles)"
        if self.is_turned:
            before, during = -before, -during
        factor = f" ({during / before:.2g}x)" if before > 0.0 and during / before >= 1.1 else ""
        return f"{name} went from {self._level(before)} to {self._level(during)}{factor}"

    def _level(self, value: float) -> str:
        if self.unit == "ratio":
            return value_text(value, self.unit)
        return _short(value) if self.unit in ("", "score", "count") else f"{_short(value)} {self.unit}"


def cause_sentences(wording: Wording, j: int, contribution: float, dependencies: CallGraph | None) -> tuple[str, ...]:
    """Sentences for one repo: what changed and when, how much of it is its own, and what is peculiar."""
    other = wording.by_other_form(j)
    if wording.finding.is_shared[j]:
        return _shared_sentences(other or wording, j, contribution, dependencies)
    if other is not None:
        return _form_sentences(wording, other, j, contribution)
    excess = wording.excess
    sentences = _request_sentences(wording, j)
    if not wording.is_out_of_reach(j):
        sentences.insert(0, _change_sentence(wording, j))
    over = f"{excess.samples} sample{'s' if excess.samples > 1 else ''}"
    if wording.target[1] in FAILURES and excess.adds_up:
        total = f"{excess.harm[j]:,.0f} more failed requests than before over {over}"
    elif excess.adds_up and is_time(wording.unit):
        total = f"{_short(float(excess.harm[j]))} {wording.unit} of extra request time over {over}"
    else:
        total = f"excess over {over}"
    target = wording.target[0]
    what = (
        "net of the services it calls"
        if dependencies is not None
        else "judged by size and time order, without a call graph"
    )
    load = wording.finding.load
    if load is not None and load.begins[j]:
        what = "with the slowdown its load caused downstream"
    if wording.is_out_of_reach(j):
        sentences.append(f"{contribution:.0%} of the impact on {target} comes from callers that could not reach it")
    elif contribution >= 0.005:
        sentences.append(f"{total}; {contribution:.0%} of the impact on {target} begins here, {what}")
    else:
        sentences.append(f"{total}; the services it calls explain it, none of the impact on {target} begins here")
    repo = wording.recording.repos[j]
    if dependencies is not None and repo in dependencies:
        new = {wording.recording.repos[i] for i in np.flatnonzero(excess.is_new)}
        called = [callee for callee in dependencies.successors(repo) if callee in new]
        sentences.extend(f"began to call {callee}, which reported nothing before" for callee in called)
    labels = (*wording.recording.incident.labels, *wording.recording.baseline.labels)
    if contribution >= 0.005:
        unseen = unseen_callees(dependencies, repo, labels)
        sentences.extend(
            f"it calls {callee}, which reports nothing: {callee} may be the cause" for callee in unseen[:1]
        )
        if repo == target and not unseen and may_stem_from_below(dependencies, repo, wording.target[1]):
            sentences.append(
                f"no measured service that {repo} calls explains this part; it may lie outside what is measured"
            )
    unknown = wording.finding.unknown_call
    if unknown is not None and j == unknown[1]:
        caller = wording.recording.repos[unknown[0]]
        sentences.append(f"no call from {caller} to {repo} is declared; one would explain the impact left in {caller}")
    return tuple(sentences)


def _change_sentence(wording: Wording, j: int) -> str:
    """What changed at one repo, when, and how rare that is in its past."""
    row = int(np.clip(wording.cut.first + wording.excess.onset[j], 0, len(wording.recording.incident) - 1))
    when = from_micros(int(wording.recording.incident.times[row]))
    return f"{wording.change(j)} at {when:%Y-%m-%d %H:%M} UTC, {past_text(wording.past(j))}"


def _form_sentences(wording: Wording, other: Wording, j: int, contribution: float) -> tuple[str, ...]:
    """Sentences for a repo whose harm shows at its callers in another form."""
    form = wording.finding.form
    callers = sorted({wording.recording.repos[i] for i, _ in form.calls}) if form is not None else []
    call = f"{listed(callers)} {verb(len(callers), 'calls', 'call')} it, directly or not, and"
    if wording.target[1] in FAILURES:
        why = f"{call} {verb(len(callers), 'fails', 'fail')} as where nobody waits longer"
    else:
        why = f"{call} {verb(len(callers))} slow as where failed calls are made again"
    return (
        _change_sentence(other, j),
        f"{why}; {contribution:.0%} of the impact on {wording.target[0]} begins here",
    )


def _shared_sentences(wording: Wording, j: int, contribution: float, dependencies: CallGraph | None) -> tuple[str, ...]:
    """Sentences for a repo on the way to which the harm lies."""
    repos, excess = wording.recording.repos, wording.excess
    above = callers_of(repos, dependencies)[j] if dependencies is not None else []
    callers = [repos[i] for i in above if excess.p_value[i] <= ALPHA]
    return (
        f"{listed(callers)} began at the same time, and have no measured cause but that they all call {repos[j]}",
        f"{repos[j]} itself is within its usual range, so look at the way to it (network, proxy, name server): "
        f"{contribution:.0%} of the impact on {wording.target[0]} begins there",
    )


def _request_sentences(wording: Wording, j: int) -> list[str]:
    """What requests say of one repo: lost on the way, or risen."""
    lost, load = wording.finding.lost, wording.finding.load
    if lost is not None and lost.lost[j]:
        expected = float(lost.calls[:, j].sum())
        return [f"{lost.missing[j]:.0f} of the {expected:.0f} requests expected from its callers did not arrive"]
    if load is None or load.surge[j] == 1.0:
        return []
    rise = f"requests rose {load.surge[j]:.2g}x"
    outside = float(load.from_outside[j])
    if load.begins[j]:
        return [f"{rise}; its callers account for {1.0 - outside:.0%} of that, so the load entered here"]
    return [f"{rise}, {1.0 - outside:.0%} of that from its callers"]


def kind_sentences(sign: Sign, target: str, metric: str) -> tuple[str, ...]:
    """Sentences for a repo to which a metric of another kind leads."""
    size = (
        f"{_short(sign.sigmas)} standard deviations of its past" if not sign.is_steady else "never anything else before"
    )
    return (
        f"{_changed(sign)}, {size}; "
        f"by chance one of the metrics asked changes as much with probability {_percent(sign.chance)}",
        f"{metric} is not reported there, so that nothing says how much of the impact on {target} begins here",
        *(["something that it calls changed too, for which it may only wait"] if sign.is_effect else []),
    )


def hint_text(repo: str, sign: Sign) -> str:
    """A change that may well be chance, in a few words."""
    return f"{repo} ({_changed(sign)}, chance {_percent(sign.chance)})"


def _changed(sign: Sign) -> str:
    return f"{sign.metric} went from {_short(sign.before)} to {_short(sign.during)}"


def quiet_sentence(wording: Wording, position: int, chance: float) -> str:
    """Say why no cause is claimed, of the target's own metric."""
    past = wording.past(position, own=True)
    change = f"{wording.target[0]}: {wording.level_change(*past.levels)}"
    if past.windows and past.reaching > ALPHA * past.windows:
        return f"{change}, within its usual range: {past_text(past)}"
    return (
        f"{change}, possibly by chance: {past_text(past)}; a model of its history puts the chance at {_percent(chance)}"
    )


def past_text(past: PastWindows) -> str:
    """Tell a count of past windows, and how far back the past lies where that is not just before.

    Examples
    --------
    >>> past_text(PastWindows(3, 235, 5, 1, 240, (0.0, 0.1), None))
    '5 of 235 earlier windows of 3 samples were as bad (2.1%), all in one episode'
    >>> past_text(PastWindows(1, 60, 0, 0, 62, (0.0, 0.1), None))
    'worse than any of the 60 earlier windows of 1 sample'
    """
    over = plural(past.length, "sample")
    if past.windows == 0:
        text = f"its history of {plural(past.samples, 'sample')} has no window of {over} to compare with"
    elif past.reaching == 0 and past.windows == 1:
        text = f"worse than the one earlier window of {over}"
    elif past.reaching == 0:
        text = f"worse than any of the {past.windows} earlier windows of {over}"
    else:
        verb = "was" if past.reaching == 1 else "were"
        text = f"{past.reaching} of {past.windows} earlier windows of {over} {verb} as bad"
        text += f" ({_percent(past.reaching / past.windows)})"
        if past.stretches == 1 and past.reaching > 1:
            text += ", all in one episode"
    return text if past.gap is None else f"{text}; its history ends {past.gap} earlier"


def _percent(share: float) -> str:
    """Two significant digits, or a bound."""
    if share < 1e-4:
        return "less than 0.01%"
    return f"{100.0 * share:.0f}%" if share >= 0.0995 else f"{100.0 * share:.2g}%"


def _short(value: float) -> str:
    """Three significant digits without an exponent."""
    if value == 0.0 or not np.isfinite(value):
        return f"{value:g}"
    digits = max(0, 2 - int(np.floor(np.log10(abs(value)))))
    return f"{value:.{min(digits, 9)}f}"
