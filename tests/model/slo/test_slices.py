"""Samples are gathered into slices before they are judged; a slice is one event, good or bad as a whole."""

from __future__ import annotations

from datetime import timedelta

import pytest
from org_samples import T0, counts, days, org_of, ratio, series, threshold

from tars_lib.engines.sla.report import ComplianceResult
from tars_lib.engines.sla.verdict import judge
from tars_lib.errors import ConfigError
from tars_lib.model.names import SlaStatus
from tars_lib.model.slo import AnyPolicy, Slices

MINUTE = timedelta(minutes=1)


def verdict(rows: list[tuple[object, ...]], policy: AnyPolicy) -> ComplianceResult:
    return judge(org_of(rows, policy), policy, max(row[0] for row in rows)).result  # type: ignore[type-var, arg-type]


def shares(objective: float, slices: Slices, limit: float = 0.5) -> AnyPolicy:
    return threshold(
        "latency_p95", objective, aggregate="good_share", threshold=limit, threshold_is_floor=False,
        unit="ratio", higher_is_better=True, window=days(1), slices=slices,
    )  # fmt: skip


def test_a_slice_is_judged_by_the_share_of_its_samples() -> None:
    # in each slice of five minutes four samples of five are within 0.5 s
    rows = series("web", "latency_p95", [0.1, 0.1, 0.1, 0.1, 2.0] * 288, step=MINUTE)
    assert verdict(rows, shares(0.7, Slices(5, 0.9))).value == 0.0
    assert verdict(rows, shares(0.7, Slices(5, 0.9))).status is SlaStatus.BREACHED
    assert verdict(rows, shares(0.95, Slices(5, 0.8))).value == 1.0


def test_a_slice_of_counts_is_judged_by_its_sums() -> None:
    # every second slice of five minutes loses 60 of 5,000 requests, 1.2 %
    failed = ([0.0] * 5 + [60.0, 0.0, 0.0, 0.0, 0.0]) * 144
    rows = counts("web", [1000.0] * 1440, failed, step=MINUTE)
    by_target = verdict(rows, ratio(0.9, window=days(1), slices=Slices(5, 0.99)))
    assert (by_target.value, by_target.status) == (pytest.approx(0.5, abs=0.002), SlaStatus.BREACHED)
    mean = verdict(rows, ratio(0.9, window=days(1), slices=Slices(5)))
    assert mean.value == pytest.approx(0.994, abs=1e-4)


def test_the_mean_over_slices_weighs_a_quiet_slice_like_a_busy_one() -> None:
    total = ([10.0] * 5 + [1000.0] * 5) * 144
    failed = ([5.0] * 5 + [0.0] * 5) * 144
    rows = counts("web", total, failed, step=MINUTE)
    assert verdict(rows, ratio(0.9, window=days(1), slices=Slices(5))).value == pytest.approx(0.75, abs=0.002)
    assert verdict(rows, ratio(0.9, window=days(1))).value == pytest.approx(1 - 25 / 5050, abs=1e-4)


def test_a_slice_in_which_one_count_is_absent_may_be_good_or_bad() -> None:
    rows = counts("web", [1000.0] * 1440, [0.0] * 1440, step=MINUTE)
    lost = [row for row in rows if not (row[2] == "requests_failed" and row[0] >= T0 + 1200 * MINUTE)]
    result = verdict(lost, ratio(0.9, window=days(1), slices=Slices(5, 0.99)))
    assert result.status is SlaStatus.UNKNOWN
    assert result.value_low == pytest.approx(240 / 288, abs=0.01)
    assert result.value_high == 1.0


def test_sampling_coarser_than_the_slice_is_refused() -> None:
    rows = series("web", "latency_p95", [0.1] * 144, step=10 * MINUTE)
    with pytest.raises(ConfigError, match=r"samples every 10 min cannot be gathered into slices of 5 min"):
        verdict(rows, shares(0.7, Slices(5, 0.9)))
