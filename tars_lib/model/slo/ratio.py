"""Ratio SLAs: good events out of all events, from counts."""

from __future__ import annotations

from dataclasses import dataclass

from tars_lib.model.slo.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioPolicy(Policy):
    """At least `objective` of all events are good.

    Attributes
    ----------
    total : str
        Metric that counts all events.
    part : str
        Metric that counts the bad events, or the good ones where `part_is_good`.
    """

    total: str
    part: str
    part_is_good: bool = False

    @property
    def needs(self) -> tuple[str, ...]:
        """Metrics without which the SLA cannot be judged."""
        return (self.total, self.part)
