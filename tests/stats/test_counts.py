"""Count tests agree with hand-computed values and with slow, obviously right sums."""

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from tars_lib.stats import counts


def test_wilson_interval_of_no_failure_is_not_a_point():
    low, high = counts.wilson_interval(0, 10)
    assert low == pytest.approx(0.0, abs=1e-12)
    assert high == pytest.approx(0.2775, abs=1e-4)  # z^2 / (n + z^2)


def test_wilson_interval_without_trials_is_unknown():
    assert np.isnan(counts.wilson_interval(0, 0)).all()


@pytest.mark.parametrize(("successes", "trials", "confidence"), [(3, 2, 0.95), (-1, 2, 0.95), (1, 2, 1.0)])
def test_wilson_interval_refuses_impossible_counts(successes, trials, confidence):
    with pytest.raises(ValueError, match="allowed"):
        counts.wilson_interval(successes, trials, confidence)


@given(st.integers(1, 40), st.data())
def test_wilson_interval_holds_the_share_and_narrows_with_confidence(trials, data):
    successes = data.draw(st.integers(0, trials))
    low, high = counts.wilson_interval(successes, trials)
    inner = counts.wilson_interval(successes, trials, 0.5)
    assert 0.0 <= low <= inner[0] <= successes / trials + 1e-12
    assert successes / trials - 1e-12 <= inner[1] <= high <= 1.0


@given(st.integers(0, 15), st.integers(0, 15), st.floats(0.01, 0.99))
def test_binomial_tail_is_the_sum_of_its_terms(k, n, rate):
    naive = sum(comb(n, i) * rate**i * (1 - rate) ** (n - i) for i in range(k, n + 1))
    assert counts.binomial_tail(k, n, rate) == pytest.approx(naive, abs=1e-9)


@given(st.integers(0, 12), st.integers(0, 12), st.floats(0.1, 20.0), st.floats(0.1, 200.0))
def test_beta_binomial_tail_is_the_sum_of_its_terms(k, n, a, b):
    naive = sum(comb(n, i) * float(special.beta(i + a, n - i + b) / special.beta(a, b)) for i in range(k, n + 1))
    assert counts.beta_binomial_tail(k, n, a, b) == pytest.approx(naive, abs=1e-8)


def test_beta_binomial_tail_keeps_the_digits_of_a_tiny_tail():
    assert 0.0 < counts.beta_binomial_tail(60, 300, 0.5, 1e6) < 1e-100


def test_one_failure_after_a_spotless_past_is_rare_but_possible():
    a, b = counts.fit_beta(np.zeros(100), np.full(100, 100.0))
    p = counts.beta_binomial_tail(1, 100, a, b)
    assert 0.001 < p < 0.02  # about 100 x 0.5 / 10000


def test_bursts_in_the_past_make_a_burst_less_surprising():
    trials = np.full(200, 100.0)
    even = np.ones(200)
    bursts = np.where(np.arange(200) % 20 == 0, 20.0, 0.0)  # as many failures, in ten bursts
    p_even = counts.beta_binomial_tail(15, 100, *counts.fit_beta(even, trials))
    p_bursts = counts.beta_binomial_tail(15, 100, *counts.fit_beta(bursts, trials))
    assert p_even < 1e-6 < 1e-3 < p_bursts


def test_no_past_is_jeffreys_prior():
    assert counts.fit_beta(np.array([]), np.array([])) == (0.5, 0.5)
    assert counts.fit_beta(np.array([np.nan]), np.array([10.0])) == (0.5, 0.5)


def test_predictive_tail_is_calibrated_on_overdispersed_counts():
    rng = np.random.default_rng(3)
    trials = np.full(300, 200.0)
    hits = 0
    for _ in range(200):
        rates = rng.beta(2.0, 98.0, 301)
        events = rng.binomial(200, rates)
        a, b = counts.fit_beta(events[:300].astype(float), trials)
        hits += counts.beta_binomial_tail(int(events[300]), 200, a, b) <= 0.05
    assert hits <= 18  # 10 expected at a nominal 5 %; 18 is exceeded with probability 0.4 %
