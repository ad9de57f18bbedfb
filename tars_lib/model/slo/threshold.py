"""Threshold SLAs: an aggregate of a metric over the window stays within the objective."""

from __future__ import annotations

from dataclasses import dataclass

from tars_lib.model.slo.policy import Policy

AGGREGATES = ("mean", "median", "max", "last", "good_share")


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdPolicy(Policy):
    """The aggregate of a metric is within the objective.

    Attributes
    ----------
    metric : str
        What is measured.
    aggregate : str
        One of `AGGREGATES`. ``max`` is the worst sample: the smallest where higher is better.
    threshold : float or None
        For ``good_share``: a sample is good while it is within this value; the objective is then a share of samples.
    threshold_is_floor : bool
        For ``good_share``: a good sample is at or above the threshold.
    warning : float or None
        Value beyond which the SLA is at risk though it is met (the predecessor's `warning_threshold`).
    """

    metric: str
    aggregate: str = "mean"
    threshold: float | None = None
    threshold_is_floor: bool = False
    warning: float | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """Metrics without which the SLA cannot be judged."""
        return (self.metric,)
