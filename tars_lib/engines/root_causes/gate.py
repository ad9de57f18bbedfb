"""Does the target deviate at all, by itself or together with a repo that accounts for much of it?

The target deviates where its own past shows as much in at most 1 % of windows. A weaker deviation is believed
where a repo that accounts for a quarter of it deviates with it, and both together are that rare: by Fisher's
combination of the two p-values, or by counting the windows of the past in which both showed as much.

References
----------
Fisher (1932), Statistical Methods for Research Workers, section 21.1: -2 ln q of the product q of two p-values is
chi-squared with 4 degrees of freedom, so that the combination is q (1 - ln q)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.root_causes.excess import Excess, joint_chance
from tars_lib.engines.root_causes.seen_by_callers import OtherForm
from tars_lib.engines.root_causes.series import FAILURES
from tars_lib.stats.pairs.significance import sidak
from tars_lib.stats.series.robust import Floats

if TYPE_CHECKING:
    from tars_lib.engines.root_causes.finding import Question

ALPHA = 0.01
"""Level of the gate; the 1 % at which a cluster of repos is called anomalous, too."""

JOINT_TARGET_ALPHA = 0.35
"""For the joint test the target itself must still be among the worst third of its past; judgement. A handful
of failures at a busy entry point is nothing by itself, and unmistakable at the one callee that never failed
before."""

JOINT_SHARE = 0.25
"""For the joint test the cause must account for at least a quarter of the target's deviation; judgement."""

UNHEARD = 2.5
"""For the joint test, harm in units of the target's above which nobody waits for a repo; calls side by side add some."""

EARLIEST_ONSET = 1
"""Samples by which a repo may deviate before the target and still deviate with it, for the joint test: clocks are off by one.
What was bad for longer before was bad without the target."""


def together(
    question: Question, excess: Excess, follow: tuple[NDArray[np.bool_], Floats], own: float, among: int
) -> float:
    """How often chance shows as much as the target and a repo that it is due to.

    Parameters
    ----------
    question : Question
    excess : Excess
    follow : (ndarray of bool, shape (R,); ndarray, shape (R,))
        The repos that may explain the target, and the share that each keeps.
    own : float
        How often the target's past shows as much.
    among : int
        Repos that it could have been.
    """
    within, shares = follow
    candidates = within & (shares >= JOINT_SHARE) & (excess.onset >= -EARLIEST_ONSET)
    candidates[question.position] = False
    if excess.adds_up and question.metric not in FAILURES:
        candidates &= excess.harm <= UNHEARD * excess.harm[question.position]
    best = 1.0
    for j in np.flatnonzero(candidates).tolist():
        counted = joint_chance(
            question.recording,
            question.metric,
            question.cut,
            (question.position, j),
            question.higher_is_better,
        )
        best = min(best, _both(own, excess.p_value[j], among), counted * int(candidates.sum()))
    return float(best)


def in_another_form(form: OtherForm | None, own: float, among: int) -> float:
    """The same of a repo that deviates in another form, to which a quarter of what the target's callers keep was given."""
    if form is None:
        return 1.0
    likely = np.flatnonzero(form.given >= JOINT_SHARE)
    return min((_both(own, form.excess.p_value[j], among) for j in likely.tolist()), default=1.0)


def _both(own: float, other: float, among: int) -> float:
    """Fisher's combination of the target's p-value and that of one of so many repos."""
    product = max(own * float(sidak(other, among)), 1e-300)
    return float(product * (1.0 - np.log(product)))
