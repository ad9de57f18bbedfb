"""Both forms of the all-pairs search give the figures of exact loops, within the rounding that they state."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tars_lib.stats.pairs.screening as screening
import tars_lib.stats.pairs.streamed as stream
from tars_lib.stats.pairs.discovery import discovered_pairs
from tars_lib.stats.pairs.lagged_correlation import measured_tests
from tars_lib.stats.pairs.screening import cheapest, screened_pairs
from tars_lib.stats.pairs.spectral import LENGTHS, Spectral
from tars_lib.stats.pairs.streamed import Stream
from tars_lib.stats.series.prewhitening import whitened_panel
from tests.naive import largest_product


def whole(form, count):
    out = np.full((count, count), np.nan)
    for start in range(0, count, form.tile):
        for other in range(start, count, form.tile):
            tile = form.largest(start, other)
            out[start : start + len(tile), other : other + tile.shape[1]] = tile
    return out


@given(
    st.integers(0, 2**32 - 1),
    st.integers(16, 120),
    st.integers(0, 15),
    st.sampled_from([None, *LENGTHS[2:6]]),
    st.floats(-3.0, 3.0),
)
def test_both_forms_agree_with_exact_sums_within_their_stated_rounding(seed, samples, lags, length, magnitude):
    rng = np.random.default_rng(seed)
    rows = (10.0**magnitude * rng.standard_normal((5, samples))).astype(np.float32)
    rows[1, rng.random(samples) < 0.5] = 0.0
    rows[2] = rows[0] if seed % 2 else -rows[0]
    norms = np.sqrt((rows.astype(np.float64) ** 2).sum(axis=1))
    forms = [Stream(rows, lags), Spectral(rows, lags, length if length and length > 2 * lags else None)]
    for form in forms:
        figures = whole(form, 5)
        for i in range(5):
            for j in range(i + 1, 5):
                exact = largest_product(rows[i], rows[j], lags)
                assert abs(figures[i, j] - exact) <= form.rounding * norms[i] * norms[j]


@pytest.mark.parametrize("length", [16, 32, 96])
def test_tiles_cover_every_pair_of_many_rows(length, monkeypatch):
    rows = np.random.default_rng(1).standard_normal((150, 700)).astype(np.float32)
    monkeypatch.setattr(stream, "TILE", 64)
    spectral = Spectral(rows, 7, length)
    assert spectral.tile < 150
    upper = np.triu_indices(150, 1)
    assert np.allclose(whole(spectral, 150)[upper], whole(Stream(rows, 7), 150)[upper], atol=700 * spectral.rounding)


def test_a_relation_at_the_largest_lag_is_seen_and_one_beyond_it_is_not():
    noise = np.random.default_rng(2).standard_normal(400).astype(np.float32)
    rows = np.zeros((3, 400), dtype=np.float32)
    rows[0], rows[1, 14:], rows[2, 15:] = noise, noise[:-14], noise[:-15]
    figures = whole(Spectral(rows, 14), 3)
    assert figures[0, 1] == pytest.approx(float((noise[:-14] ** 2).sum()), rel=1e-4)
    assert figures[0, 2] < 120.0


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_the_form_chosen_changes_no_discovery(missing, monkeypatch):
    rng = np.random.default_rng(3)
    values = rng.standard_normal((200, 60))
    for pair in range(8):
        values[4:, 2 * pair + 1] += 1.0 * values[:-4, 2 * pair]
    values[rng.random(values.shape) < missing] = np.nan
    panel = whitened_panel(values, (7,))
    monkeypatch.setattr("tars_lib.stats.pairs.discovery.DENSE_COLUMNS", 10)
    results = []
    for form in (Stream, Spectral):
        monkeypatch.setattr(screening, "cheapest", form)
        results.append(discovered_pairs([panel], 10, 0.1))
    assert len(results[0].q_value) >= 6
    for name in ("first", "second", "lag", "correlation", "p_value"):
        assert np.array_equal(getattr(results[0].tests, name), getattr(results[1].tests, name))


def test_columns_that_miss_much_are_screened_beside_complete_ones_and_nothing_is_lost():
    rng = np.random.default_rng(4)
    values = rng.standard_normal((120, 24))
    values[2:, 5] += 0.5 * values[:-2, 4]
    values[:, ::6][rng.random((120, 4)) < 0.45] = np.nan
    values[rng.random(values.shape) < 0.03] = np.nan
    panel = whitened_panel(values, (7,))
    assert panel.usable.all()
    first, second = (part.astype(np.int64) for part in np.triu_indices(24, 1))
    exact = measured_tests(panel, first, second, 6).p_value
    found = screened_pairs(panel, 6, 0.5)
    bound = {(i, j): p for i, j, p in zip(found.first, found.second, found.p_bound, strict=True)}
    assert len(bound) == len(found.first)
    for i, j, p_value in zip(first, second, exact, strict=True):
        if p_value <= 0.5:
            assert bound[i, j] <= p_value * (1 + 1e-9)


@pytest.mark.parametrize(
    ("samples", "lags", "form"), [(365, 0, Stream), (2000, 0, Stream), (365, 14, Spectral), (2000, 14, Spectral)]
)
def test_the_same_moment_is_one_product_and_two_weeks_of_lags_go_by_frequencies(samples, lags, form):
    assert isinstance(cheapest(np.zeros((3, samples), dtype=np.float32), lags), form)


def test_so_many_lags_that_no_transform_is_long_enough_are_streamed():
    assert isinstance(cheapest(np.zeros((3, 2000), dtype=np.float32), 600), Stream)
