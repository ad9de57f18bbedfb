"""Are so many failures among so many requests chance?

References
----------
Wilson (1927), Probable inference, the law of succession, and statistical inference,
https://doi.org/10.1080/01621459.1927.10502953
Skellam (1948), A probability distribution derived from the binomial distribution by regarding the
probability of success as variable between the sets of trials,
https://doi.org/10.1111/j.2517-6161.1948.tb00014.x
Gelman et al. (2013), Bayesian Data Analysis, section 2.4 (posterior predictive distribution),
https://doi.org/10.1201/b16018
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

Floats = NDArray[np.float64]

JEFFREYS = 0.5
"""Prior count of Jeffreys' rule for a proportion; what remains to be said after a past without a failure."""


def wilson_interval(successes: float, trials: float, confidence: float = 0.95) -> tuple[float, float]:
    """Score interval of a proportion.

    Parameters
    ----------
    successes, trials : float
        0 <= successes <= trials.
    confidence : float
        Coverage, strictly between 0 and 1.

    Returns
    -------
    low, high : float
        Within [0, 1]; both NaN without a trial.

    Raises
    ------
    ValueError
        If the counts or the confidence are out of range.

    Examples
    --------
    >>> low, high = wilson_interval(8, 10)
    >>> round(low, 4), round(high, 4)
    (0.4902, 0.9433)
    """
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence is {confidence}; allowed is a number between 0 and 1, both excluded")
    if not 0.0 <= successes <= trials:
        raise ValueError(f"{successes} of {trials}; allowed is 0 <= successes <= trials")
    if trials == 0:
        return float("nan"), float("nan")
    z = float(scipy.special.ndtri(0.5 + confidence / 2.0))
    share = successes / trials
    centre = (share + z * z / (2.0 * trials)) / (1.0 + z * z / trials)
    half = z / (1.0 + z * z / trials) * np.sqrt(share * (1.0 - share) / trials + z * z / (4.0 * trials**2))
    # at the ends the formula gives 0 and 1 but for rounding
    low = 0.0 if successes == 0 else max(0.0, float(centre - half))
    return low, 1.0 if successes == trials else min(1.0, float(centre + half))


def binomial_tail(k: int, n: int, rate: float) -> float:
    """P(at least `k` of `n`) at a known rate.

    Examples
    --------
    >>> round(binomial_tail(1, 3, 0.5), 3)
    0.875
    """
    if k <= 0:
        return 1.0
    if k > n:
        return 0.0
    return float(scipy.special.betainc(k, n - k + 1, rate))


def could_be_chance(bad: float, events: float, allowed: float, confidence: float = 0.95) -> bool:
    """Return whether a service that just keeps within the allowed share may show so many bad events.

    It may where Wilson's interval holds the allowed share, or where the exact binomial chance of so many or more is at
    least that of one tail: with few events Wilson's interval is too short on that side.

    Examples
    --------
    One failure in 10 where 1 % is allowed has a chance of 9.6 %; five in 100 one of 0.3 %.

    >>> could_be_chance(1, 10, 0.01), could_be_chance(5, 100, 0.01)
    (True, False)
    """
    if not events > 0 or allowed <= 0:
        return False
    low, high = wilson_interval(min(bad, events), events, confidence)
    # what maintenance excuses by share leaves no whole numbers; fewer failures in more events are likelier
    exact = binomial_tail(int(bad), int(np.ceil(events)), allowed)
    return low <= allowed <= high or exact > (1.0 - confidence) / 2.0


def beta_binomial_tail(k: int, n: int, a: float, b: float) -> float:
    """P(at least `k` of `n`) where the rate itself is Beta(a, b).

    Parameters
    ----------
    k, n : int
        Events and trials.
    a, b : float
        Positive; mean rate a / (a + b).

    Returns
    -------
    float
        In [0, 1].

    Examples
    --------
    A rate that may be anything makes each count equally likely:

    >>> round(beta_binomial_tail(3, 9, 1.0, 1.0), 6)
    0.7
    """
    if k <= 0:
        return 1.0
    if k > n:
        return 0.0
    # the shorter side is summed: its terms are positive, so a tiny tail keeps its digits
    if n - k < k or a / (a + b) * n < k:
        return min(1.0, _upper_sum(k, n, a, b))
    return max(0.0, 1.0 - float(_beta_binomial_terms(np.arange(k), n, a, b).sum()))


def _upper_sum(k: int, n: int, a: float, b: float) -> float:
    """Sum of the terms from `k` to `n`, in growing pieces until a piece adds nothing that a float can hold.

    With b >= 1 and k beyond the mean the terms fall from `k` on, so the rest is less than what was left out.
    """
    total, start, size = 0.0, k, 256
    while start <= n:
        piece = _beta_binomial_terms(np.arange(start, min(start + size, n + 1)), n, a, b)
        total += float(piece.sum())
        start, size = start + size, 2 * size
        is_falling = b >= 1.0 and piece[-1] <= piece[0] and start > a / (a + b) * n
        if is_falling and piece[-1] * max(n - start, 0) <= 1e-16 * total:
            break
    return total


def _beta_binomial_terms(i: NDArray[np.int64], n: int, a: float, b: float) -> Floats:
    """P(exactly `i` of `n`)."""
    log_pmf = (
        scipy.special.gammaln(n + 1)
        - scipy.special.gammaln(i + 1)
        - scipy.special.gammaln(n - i + 1)
        + scipy.special.betaln(i + a, n - i + b)
        - scipy.special.betaln(a, b)
    )
    return np.asarray(np.exp(log_pmf), dtype=np.float64)


def fit_beta(events: Floats, trials: Floats) -> tuple[float, float]:
    """Beta distribution of the rate over past windows, by moments, no narrower than the past can tell.

    The variance between windows beyond the binomial one gives the precision a + b = (1 - rho) / rho with rho
    = (X2 / (w - 1) - 1) / (mean n - 1), X2 the chi-squared of homogeneity over w windows. It is capped at the
    number of all trials: a past without a failure leaves Beta(1/2, N + 1/2), not certainty.

    Parameters
    ----------
    events, trials : ndarray, shape (w,)
        Per window, disjoint; NaN and windows without a trial are left out.

    Returns
    -------
    a, b : float
        Jeffreys' (1/2, 1/2) where there is no past.

    Examples
    --------
    >>> import numpy as np
    >>> fit_beta(np.zeros(10), np.full(10, 100.0))
    (0.5, 1000.5)
    """
    known = np.isfinite(events) & np.isfinite(trials) & (trials > 0)
    events, trials = events[known], trials[known]
    total = float(trials.sum())
    if total == 0.0:
        return JEFFREYS, JEFFREYS
    hits = float(events.sum())
    precision = total
    rate = hits / total
    if events.size > 2 and 0.0 < rate < 1.0:
        chi2 = float(np.sum((events - trials * rate) ** 2 / (trials * rate * (1.0 - rate))))
        rho = (chi2 / (events.size - 1) - 1.0) / max(float(trials.mean()) - 1.0, 1.0)
        if rho > 0.0:
            precision = min(total, max(1.0 / min(rho, 0.5) - 1.0, 1.0))
    mean = (hits + JEFFREYS) / (total + 2.0 * JEFFREYS)
    return mean * (precision + 1.0), (1.0 - mean) * (precision + 1.0)
