"""Kinds of SLA."""

from typing import Annotated

from tars_lib.files.json_records import OneOf
from tars_lib.model.slo.measured import counted_together, definitions_with
from tars_lib.model.slo.policy import Policy, Window
from tars_lib.model.slo.ratio import RatioPolicy
from tars_lib.model.slo.slices import Slices
from tars_lib.model.slo.threshold import AGGREGATES, ThresholdPolicy
from tars_lib.model.slo.track import Bounds, Excused, Half, Observation, Track, Traffic, summed_by_time

KINDS: dict[str, type[RatioPolicy] | type[ThresholdPolicy]] = {"ratio": RatioPolicy, "threshold": ThresholdPolicy}
"""Name of each kind, as reports carry it. A further kind extends one of these two, as it counts events or looks at samples."""

AnyPolicy = Annotated[RatioPolicy | ThresholdPolicy, OneOf(KINDS)]
"""An SLA of any kind."""

__all__ = [
    "AGGREGATES",
    "KINDS",
    "AnyPolicy",
    "Bounds",
    "Excused",
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
    "summed_by_time",
]
