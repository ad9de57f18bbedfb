"""When a value meets an objective."""

from __future__ import annotations

import math

import pytest
from org_samples import ratio, threshold

from tars_lib.model.slo import KINDS, RatioPolicy, ThresholdPolicy


@pytest.mark.parametrize(
    ("higher", "value", "is_met"),
    [
        (True, 0.5, True),
        # one rounding step is no difference in what was measured; a billionth is
        (True, math.nextafter(0.5, 0), True),
        (True, 0.5 - 1e-9, False),
        (False, 0.5, True),
        (False, math.nextafter(0.5, 1), True),
        (False, 0.5 + 1e-9, False),
    ],
)
def test_equality_meets_the_objective_and_a_number_beyond_does_not(higher: bool, value: float, is_met: bool) -> None:
    assert threshold(objective=0.5, higher_is_better=higher).is_met_by(value) is is_met


def test_a_policy_needs_the_metrics_that_it_measures() -> None:
    assert ratio(total="all", part="bad").needs == ("all", "bad")
    assert threshold("lead_time").needs == ("lead_time",)


def test_each_kind_has_its_name() -> None:
    assert {"ratio": RatioPolicy, "threshold": ThresholdPolicy} == KINDS
