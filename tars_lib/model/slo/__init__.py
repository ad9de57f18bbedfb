"""Kinds of SLA."""

from tars_lib.model.slo.measured import counted_together, definitions_with
from tars_lib.model.slo.policy import Policy, Window
from tars_lib.model.slo.ratio import RatioPolicy
from tars_lib.model.slo.slices import Slices
from tars_lib.model.slo.threshold import AGGREGATES, ThresholdPolicy
from tars_lib.model.slo.track import Bounds, Half, Observation, Track, Traffic

AnyPolicy = RatioPolicy | ThresholdPolicy
"""Every kind of SLA; a further kind joins this union and `KINDS`."""

KINDS: dict[str, type[RatioPolicy] | type[ThresholdPolicy]] = {
    "ratio": RatioPolicy,
    "threshold": ThresholdPolicy,
}
"""Name of each kind, as reports carry it."""

__all__ = [
    "AGGREGATES",
    "KINDS",
    "AnyPolicy",
    "Bounds",
    "Half",
    "Observation",
    "Policy",
    "RatioPolicy",
    "Slices",
    "ThresholdPolicy",
    "Track",
    "Traffic",
    "Window",
    "counted_together",
    "definitions_with",
]
