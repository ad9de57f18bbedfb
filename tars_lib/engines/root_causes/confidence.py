"""How often is a cause right that looks like this one?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from tars_lib.stats.series.robust import Floats

LARGEST_STRENGTH = 6.0
"""-log10 of the chance that there is no incident counts up to here: one in a million is not made surer by
more."""

WEIGHTS = (-3.71, 2.30, 3.41, 1.78, 0.37)
"""Logistic regression (constant, share, lead, strength, no calls) on the causes listed for the 26 PetShop
incidents of low traffic, for healthy windows of their baseline, and for copies of the incidents from which
something was taken away (graph, times, counts, repos, the cause itself); intact and degraded weigh the same.
Expected calibration error with one fault left out at a time: 0.03 on intact cases, 0.02 on degraded copies,
over all causes listed. Printed by ``python benchmarks/petshop.py calibrate``."""


def features(contribution: Floats, claim_chance: float, *, has_calls: bool) -> Floats:
    """What confidence is a function of.

    Parameters
    ----------
    contribution : ndarray, shape (n,)
        Shares of the target's deviation of all causes of one incident.
    claim_chance : float
        P-value of the claim that there is an incident.
    has_calls : bool
        Whether a call graph was known.

    Returns
    -------
    ndarray, shape (n, 5)
        Constant, share, lead over the best other cause, strength of the claim (0-1), 1 without a call graph.
    """
    n = len(contribution)
    lead = np.empty(n)
    for i in range(n):
        lead[i] = contribution[i] - np.delete(contribution, i).max(initial=0.0)
    strength = min(-np.log10(max(claim_chance, 1e-300)), LARGEST_STRENGTH) / LARGEST_STRENGTH
    return np.column_stack(
        [np.ones(n), contribution, lead, np.full(n, strength), np.full(n, 0.0 if has_calls else 1.0)]
    )


def calibrated(contribution: Floats, claim_chance: float, *, has_calls: bool) -> Floats:
    """Probability that each of the causes of one incident is the true one; shape as `contribution`."""
    result: Floats = special.expit(features(contribution, claim_chance, has_calls=has_calls) @ np.array(WEIGHTS))
    return result


def shared(confidence: Floats, alternatives: Floats) -> Floats:
    """Confidence that others equal to a cause leave it: of n that nothing tells apart each is right once in n times.

    Examples
    --------
    >>> import numpy as np
    >>> shared(np.array([0.98, 0.10]), np.array([2.0, 2.0])).tolist()
    [0.5, 0.1]
    """
    result: Floats = np.minimum(confidence, 1.0 / np.maximum(alternatives, 1.0))
    return result
