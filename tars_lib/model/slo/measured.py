"""Statements of policies on the metrics that they measure, beside `org.yaml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tars_lib.errors import ConfigError
from tars_lib.model.metrics import COUNTER, GAUGE, Metric, known_metric, of_unit
from tars_lib.model.slo.ratio import RatioPolicy
from tars_lib.model.slo.threshold import ThresholdPolicy


def counted_together(policies: Iterable[RatioPolicy | ThresholdPolicy]) -> tuple[tuple[str, ...], ...]:
    """Metrics that SLAs count against each other: the total and the part of each."""
    return tuple(dict.fromkeys(policy.counts for policy in policies if policy.counts))


def definitions_with(
    metrics: Mapping[str, Metric],
    policies: Iterable[RatioPolicy | ThresholdPolicy],
    counters: Mapping[str, str] | None = None,
) -> dict[str, Metric]:
    """Definitions of the user's own, and what policies add to them.

    A count is not negative, a policy may declare its counts as running totals, and a metric without any definition that
    a policy measures as a share lies within 0 to 1.

    Parameters
    ----------
    metrics : mapping of str to Metric
        Of `org.yaml`.
    policies : iterable of Policy
    counters : mapping of str to str, optional
        Metrics that a policy's document declares to be running totals, and the document.

    Raises
    ------
    ConfigError
        If a policy counts what `org.yaml` declares to be no count, or a counter what is none there.
    """
    defined = dict(metrics)
    for policy in policies:
        if policy.counts:
            for name in policy.counts:
                metric = defined.get(name) or known_metric(name)
                is_counter = name in (counters or {})
                if metric.kind == GAUGE or (is_counter and metric.kind not in ("", COUNTER)):
                    wanted = "a counter" if is_counter else "a count"
                    raise ConfigError(
                        f"{policy.sla_id}: {name} is used as {wanted}, but org.yaml declares kind: {metric.kind}; "
                        "one of the two is wrong"
                    )
                least = 0.0 if metric.minimum is None else metric.minimum
                kind = COUNTER if is_counter else metric.kind
                if (least, kind) != (metric.minimum, metric.kind):
                    defined[name] = replace(metric, minimum=least, kind=kind)
        elif policy.is_level and policy.unit == "ratio":
            metric = defined.get(policy.subject) or known_metric(policy.subject)
            if not metric.unit:
                share = of_unit("ratio")
                defined[policy.subject] = replace(metric, unit="ratio", minimum=share.minimum, maximum=share.maximum)
    return defined
