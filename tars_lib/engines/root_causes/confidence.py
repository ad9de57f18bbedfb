"""How often is a cause right that looks like this one?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tars_lib.stats.series.robust import Floats

LARGEST_STRENGTH = 6.0
"""-log10 of the chance that there is no incident counts up to here: one in a million is not made surer by
more."""

WEIGHTS = (-2.72, 1.88, 2.19, 0.66, 0.46, -2.04)
"""Logistic regression (constant, share, lead, strength, no calls, the target itself) on the causes that are listed for the 26
PetShop incidents and for simulated applications, each as they are and in the ways in which telemetry goes wrong, with healthy
windows; each application and each way weighs the same. Printed by ``python benchmarks/petshop.py calibrate``, with what it is
worth on applications that the fit did not see."""


def features(contribution: Floats, claim_chance: float, itself: NDArray[np.bool_], *, has_calls: bool) -> Floats:
    """What confidence is a function of.

    Parameters
    ----------
    contribution : ndarray, shape (n,)
        Shares of the target's deviation of all causes of one incident.
    claim_chance : float
        P-value of the claim that there is an incident.
    itself : ndarray of bool, shape (n,)
        Which of them is the target where it calls others: what nobody measures or declares below it ends up there.
    has_calls : bool
        Whether a call graph was known.

    Returns
    -------
    ndarray, shape (n, 6)
        Constant, share, lead over the best other cause, strength of the claim (0-1), 1 without a call graph, 1 for the target.
    """
    n = len(contribution)
    lead = np.empty(n)
    for i in range(n):
        lead[i] = contribution[i] - np.delete(contribution, i).max(initial=0.0)
    strength = min(-np.log10(max(claim_chance, 1e-300)), LARGEST_STRENGTH) / LARGEST_STRENGTH
    return np.column_stack(
        [np.ones(n), contribution, lead, np.full(n, strength), np.full(n, 0.0 if has_calls else 1.0), itself]
    )


def calibrated(contribution: Floats, claim_chance: float, itself: NDArray[np.bool_], *, has_calls: bool) -> Floats:
    """Probability that each of the causes of one incident is the true one; shape as `contribution`."""
    x = features(contribution, claim_chance, itself, has_calls=has_calls)
    result: Floats = special.expit(x @ np.array(WEIGHTS))
    return result


def without_reservation(confidence: float) -> float:
    """Return the confidence in the target itself where more than its share speaks for it: that in any other repo.

    Examples
    --------
    >>> round(without_reservation(0.495), 2)
    0.88
    """
    return float(special.expit(special.logit(confidence) - WEIGHTS[-1]))


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
