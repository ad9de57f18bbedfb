"""SLA policies as Prometheus rules: recorded error ratios, and alerts on burn rates over several windows.

A ratio records the share of bad events over each window, of each repo and of the organisation. A threshold records its level
and means of it. What has an error budget alerts by the workbook's pairs of windows, scaled to the SLA's period; what has none
alerts while the measured value is beyond the objective. Series that vanish are an alert of their own, never silence.

References
----------
Beyer et al. (2018), The Site Reliability Workbook, chapter 5, https://sre.google/workbook/alerting-on-slos/
Recording and alerting rules, https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tars_lib.config.policies.shares import rest
from tars_lib.config.yaml_writing import yaml_text
from tars_lib.engines.sla.burn_rate import BASE_DAYS, PAIRS, Pair, window_text
from tars_lib.errors import ConfigError, listed
from tars_lib.exports.promql import LABEL, Query, queries_of, text_of
from tars_lib.model.history import SECOND
from tars_lib.model.slo import AnyPolicy, RatioPolicy, ThresholdPolicy
from tars_lib.model.units import times
from tars_lib.text.visible import visible

RATIO, BAD, VALUE = "tars:sli_error:ratio", "tars:sli_bad", "tars:sli_value"
"""How the names of recorded series begin: bad share over a window, bad share now, value now."""
SHORTEST = 300 * SECOND
"""Shortest window; judgement: a rate needs several scrapes, and Prometheus scrapes once a minute by default."""
SILENT_FOR = "15m"
"""How long nothing is reported before that is an alert; judgement: longer than a restart."""
DEFAULT_LABEL = "service"
_PAGE = 6.0
"""Burn rate from which the workbook pages somebody; slower ones are a ticket."""
_OVER_TIME = {"mean": "avg_over_time({})", "median": "quantile_over_time(0.5, {})", "last": "last_over_time({})"}


@dataclass(frozen=True, slots=True)
class RuleFile:
    """Rules as YAML, and what is not in them.

    Attributes
    ----------
    text : str
    left_out : tuple of str
        What cannot be expressed, one sentence each that begins with the SLA's id.
    """

    text: str
    left_out: tuple[str, ...]


@dataclass(slots=True)
class _Made:
    """The rules of one SLA while they are made."""

    policy: AnyPolicy
    label: str
    left_out: list[str]
    rules: list[dict[str, Any]] = field(default_factory=list)

    def record(self, name: str, expr: str, **labels: str) -> None:
        self.rules.append({"record": name, "expr": expr, "labels": {"sla_id": visible(self.policy.sla_id), **labels}})

    def alert(self, name: str, expr: str, severity: str, said: str, wait: str | None = None, **labels: str) -> None:
        shown = f"{_inert(visible(self.policy.sla_name))}{{{{ with $labels.{self.label} }}}}, {{{{ . }}}}{{{{ end }}}}"
        self.rules.append(
            {
                "alert": name,
                "expr": expr,
                **({} if wait is None else {"for": wait}),
                "labels": {"sla_id": _inert(visible(self.policy.sla_id)), "severity": severity, **labels},
                "annotations": {"summary": f"{shown}: {said}"},
            }
        )

    def lack(self, why: str) -> None:
        self.left_out.append(f"{self.policy.sla_id}: {why}")

    def of(self, name: str) -> str:
        """A recorded series of this SLA."""
        return f"{name}{{sla_id={text_of(visible(self.policy.sla_id))}}}"


def prometheus_rules(
    policies: Sequence[AnyPolicy],
    *,
    selectors: Mapping[str, str],
    query_map: Mapping[str, str],
    label: str = DEFAULT_LABEL,
) -> RuleFile:
    """Return recording and alerting rules for SLA policies.

    Parameters
    ----------
    policies : sequence of AnyPolicy
    selectors : mapping of str to str
        Metric of the history to its selector or query in Prometheus.
    query_map : mapping of str to str
        `slo-metrics.yaml`: query to metric.
    label : str
        Label that names the repo.

    Raises
    ------
    ConfigError
        If a metric cannot be mapped, `selectors` names one that no policy measures, or nothing can be expressed.
    """
    if LABEL.fullmatch(label) is None:
        raise ConfigError(f"--label repo={label}: letters, digits and _ are allowed in a label, no digit first")
    needed = [metric for policy in policies for metric in policy.needs]
    unknown = sorted(set(selectors) - set(needed))
    if unknown:
        known = ", ".join(sorted(set(needed))) or "none"
        raise ConfigError(f"--selector {unknown[0]}=...: no SLA measures {unknown[0]!r}; allowed: {known}")
    queries, faults = queries_of(needed, selectors, query_map)
    left_out: list[str] = []
    groups = []
    for policy in policies:
        made = _Made(policy, label, left_out)
        try:
            if all(metric in queries for metric in policy.needs):
                _rules_of(made, queries)
        except ConfigError as error:
            faults.append(str(error))
        if made.rules:
            groups.append({"name": f"tars-{visible(policy.sla_id)}", "rules": made.rules})
    if faults:
        raise ConfigError(listed(list(dict.fromkeys(faults))))
    if not groups:
        raise ConfigError(listed(left_out or ["no SLA policies, so there are no rules"]))
    comment = [
        "Made by `tars export prometheus-rules`. Prometheus knows no maintenance of events.csv: silence it there.",
        *(f"left out: {visible(sentence)}" for sentence in left_out),
    ]
    return RuleFile(yaml_text([{"groups": groups}], comment), tuple(left_out))


def _rules_of(made: _Made, queries: Mapping[str, Query]) -> None:
    policy = made.policy
    if policy.slices is not None:
        made.lack(f"slices of {policy.slices.minutes} min have no rule; no alert is made")
    elif type(policy) not in (RatioPolicy, ThresholdPolicy):
        made.lack(f"a {policy.kind} SLA has no rule; no alert is made")
    elif isinstance(policy, RatioPolicy):
        _ratio(made, policy, queries)
    elif policy.is_share and policy.is_mean:
        _share(made, policy, queries[policy.metric])
    else:
        _value(made, policy, queries[policy.metric])


def _ratio(made: _Made, policy: RatioPolicy, queries: Mapping[str, Query]) -> None:
    total, part = queries[policy.total], queries[policy.part]
    if total.function != part.function:
        raise ConfigError(
            f"{policy.sla_id}: {policy.total} is counted by {total.function} and {policy.part} by {part.function}; one "
            "function is needed"
        )
    scopes = {"repo": f"sum by ({made.label})"}
    if len(policy.repos) != 1 and total.keeps(made.label):
        scopes["organisation"] = "sum"
    windows = _windows(made, _allowed(policy))
    for window in windows:
        counts = [query.counted(window, made.label, policy.repos) for query in (part, total)]
        for scope, by in scopes.items():
            some, all_ = (f"{by} ({count})" for count in counts)
            if policy.missing_is_zero:
                some = f"({some} or {all_} * 0)"
            share = f"{some} / {all_}"
            made.record(f"{RATIO}_rate{window}", f"1 - {share}" if policy.part_is_good else share, scope=scope)
    _burns(made, _allowed(policy))


def _share(made: _Made, policy: ThresholdPolicy, query: Query) -> None:
    """Rules of a mean of shares: of a metric that is one, or of samples within a threshold."""
    allowed = _allowed(policy)
    windows = _windows(made, allowed)
    if policy.aggregate != "good_share" and query.has_placeholder:
        for window in windows:
            level = _as_share(policy, query.level(made.label, policy.repos, window))
            made.record(f"{RATIO}_rate{window}", f"1 - {level}" if policy.higher_is_better else level, scope="repo")
    elif windows:
        level = query.level(made.label, policy.repos, window_text(SHORTEST))
        if policy.aggregate == "good_share":
            beyond = "<" if policy.threshold_is_floor else ">"
            bad = f"{level} {beyond} bool {_number(policy.threshold or 0.0)}"
        else:
            level = _as_share(policy, level)
            bad = f"1 - {level}" if policy.higher_is_better else level
        made.record(BAD, bad, scope="repo")
        for window in windows:
            made.record(f"{RATIO}_rate{window}", f"avg_over_time({made.of(BAD)}[{window}])", scope="repo")
    _burns(made, allowed)


def _as_share(policy: ThresholdPolicy, level: str) -> str:
    return level if policy.whole == 1.0 else f"{level} / {_number(policy.whole)}"


def _value(made: _Made, policy: ThresholdPolicy, query: Query) -> None:
    """Rules of an SLA without an error budget: its value over its window, and an alert while it is beyond the objective."""
    if policy.window.anchor:
        made.lack(f"{policy.aggregate} over a {policy.window} window has no rule; no alert is made")
        return
    window = window_text(round(policy.window.length.total_seconds()) * SECOND)
    made.record(VALUE, query.level(made.label, policy.repos, window_text(SHORTEST)), scope="repo")
    worst = "min_over_time({})" if policy.higher_is_better else "max_over_time({})"
    over = _OVER_TIME.get(policy.aggregate, worst).format(f"{made.of(VALUE)}[{window}]")
    made.record(f"{VALUE}:{window}", over, scope="repo")
    beyond = "<" if policy.higher_is_better else ">"
    bound = f"{made.of(f'{VALUE}:{window}')} {beyond} {_number(policy.objective)}"
    made.alert("TarsSlaBreached", bound, _severity(policy), f"{policy.aggregate} over {window} is beyond the objective")
    _silence(made, VALUE)


def _allowed(policy: AnyPolicy) -> float:
    """Share that may be bad, exact in decimals."""
    share = times(policy.objective, 1 / Fraction(policy.whole))
    return rest(share) if policy.higher_is_better else share


def _pairs(made: _Made) -> Iterator[tuple[Pair, str, str]]:
    """The pairs with their windows in the SLA's period; of pairs whose windows have become the same the lowest."""
    factor = made.policy.period_days / BASE_DAYS
    windows = {}
    for pair in PAIRS:
        lengths = (max(round(length * factor / SECOND) * SECOND, SHORTEST) for length in (pair.long, pair.short))
        windows[tuple(window_text(length) for length in lengths)] = pair
    for (long, short), pair in windows.items():
        yield pair, long, short


def _windows(made: _Made, allowed: float) -> list[str]:
    """Windows that an alert needs, each once."""
    used = [window for pair, *both in _pairs(made) if 0 < pair.threshold * allowed < 1 for window in both]
    return list(dict.fromkeys(used))


def _burns(made: _Made, allowed: float) -> None:
    if allowed <= 0:
        made.lack("an objective of 100% has no error budget to burn; no alert is made")
        return
    shortest = ""
    for pair, long, short in _pairs(made):
        if pair.threshold * allowed >= 1:
            most = f"even if everything is bad the burn rate is {1 / allowed:.3g}"
            made.lack(f"{most}, not above {pair.threshold:g}; no alert over {long} and {short} is made")
            continue
        bound = f"({pair.threshold:g} * {_number(allowed)})"
        rates = (f"{made.of(f'{RATIO}_rate{window}')} > {bound}" for window in (long, short))
        said = f"burn rate over {pair.threshold:g}, where 1 spends the error budget of {made.policy.period_days} days"
        severity = "page" if pair.threshold >= _PAGE else "ticket"
        made.alert("TarsSlaBurnRate", " and ".join(rates), severity, said, long_window=long, short_window=short)
        shortest = shortest or short
    if shortest:
        _silence(made, f"{RATIO}_rate{shortest}")


def _silence(made: _Made, name: str) -> None:
    """Alert where a recorded series is not there: missing is unknown, never compliant."""
    silent = f"absent({made.of(name)})"
    made.alert("TarsSlaUnknown", silent, "ticket", "nothing is reported, so the SLA is unknown", SILENT_FOR)


def _severity(policy: AnyPolicy) -> str:
    """Return who hears of a breach: the most important SLAs page somebody, as in the playbook."""
    return "page" if policy.priority == 1 else "ticket"


def _inert(text: str) -> str:
    """Return a text that Prometheus' templates print as it stands."""
    return text.replace("{{", '{{ "{{" }}')


def _number(value: float) -> str:
    """Return a number of PromQL that reads back to the same value."""
    return repr(value) if value >= 0 else f"({value!r})"
