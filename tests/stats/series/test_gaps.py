"""What a gap leaves to be known, and what it costs."""

from __future__ import annotations

import numpy as np
import pytest

from tars_lib.stats.pairs.lagged_correlation import dense_tests
from tars_lib.stats.series.gaps import DEPTH, shared_out
from tars_lib.stats.series.prewhitening import prediction_errors, whitened_panel
from tests.naive import expected_innovations


def with_gaps(seed: int, share: float = 0.3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    errors = rng.standard_normal((60, 4))
    errors[rng.random(errors.shape) < share] = np.nan
    errors[20:29, 1] = np.nan
    errors[:3, 2] = np.nan
    return errors


def test_shares_and_bands_are_those_of_the_projection():
    errors, phi = with_gaps(1), np.array([0.9, 1.0, 0.4, -0.5])
    known = shared_out(errors, phi)
    assert len(known.bands) == DEPTH
    for column in range(4):
        expected, projection = expected_innovations(errors[:, column], float(phi[column]))
        assert known.values[:, column] == pytest.approx(expected, abs=1e-12)
        for band in range(DEPTH):
            assert known.bands[band, band:, column] == pytest.approx(np.diagonal(projection, -band), abs=1e-12)


def test_what_is_complete_stays_as_it_is():
    errors = np.random.default_rng(2).standard_normal((30, 3))
    known = shared_out(errors, np.full(3, 0.9))
    assert known.complete
    assert known.values is errors
    assert (known.bands == 1.0).all()


def test_products_of_unrelated_series_vary_as_the_bands_say():
    """Gaps that both series share at the same rows count the most; their variance is the trace, to 10 %."""
    rng = np.random.default_rng(3)
    shocks = rng.standard_normal((200, 4000))
    levels = np.zeros_like(shocks)
    for row in range(1, len(levels)):
        levels[row] = 0.9 * levels[row - 1] + shocks[row]
    levels[rng.random(200) < 0.35] = np.nan
    phi = np.full(4000, 0.9)
    known = shared_out(prediction_errors(levels, phi), phi)
    for lag in (0, 1, 3):
        x, y = known.values[: 200 - lag, ::2], known.values[lag:, 1::2]
        bands = [(band[: 200 - lag, 0] * band[lag:, 1]).sum() for band in known.bands]
        assert (x * y).sum(axis=0).var() == pytest.approx(bands[0] + 2 * sum(bands[1:]), rel=0.1)


def test_shocks_that_travel_are_found_through_gaps_of_either_series():
    found = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        shocks = rng.standard_normal((90, 2))
        shocks[4:, 1] += shocks[:-4, 0]
        walks = shocks.cumsum(axis=0)
        walks[rng.random(walks.shape) < 0.2] = np.nan
        tests = dense_tests(whitened_panel(walks), 7)
        found += (int(tests.lag[0]), int(tests.first[0])) == (4, 0) and bool(tests.p_value[0] < 0.001)
    assert found >= 32
