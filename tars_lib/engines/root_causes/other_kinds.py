"""Where the metric that deviates is not reported, do other kinds of metric say where something happened?

Processor, memory, queues or threads of a repo do not travel along calls, and nothing says in which direction they go when it
fails. So either direction counts, each repo and metric asked is corrected for, and what is left says that something changed
there when the target's trouble began, not that it was the cause: confidence stays below that of a cause that was followed along
the calls. What the correction does not let pass is a hint and no claim.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.root_causes.excess import Departure, departure
from tars_lib.engines.root_causes.series import travels
from tars_lib.model.metrics import KNOWN_METRICS
from tars_lib.stats.pairs.significance import sidak
from tars_lib.stats.series.robust import centre_and_scale

if TYPE_CHECKING:
    from tars_lib.engines.root_causes.recording import Cut, Recording

CLAIM_ALPHA = 0.01
"""How rare the largest change of all repos and metrics must be by chance; the level of the gate."""

SURE = 0.6
"""Confidence in the one repo that changed most: judgement, well below what counts as sure."""

CLOSE = 2.0
"""Factor within which two changes, in standard deviations of each repo's past, are as large; judgement."""

HINT_ALPHA = 0.5
"""Chance up to which a change is worth a hint: chance is the less likely of the two."""

MOST_HINTS = 3
"""Repos that are told as a hint, and that may share a claim; judgement: a longer list is no place to begin."""


@dataclass(frozen=True, slots=True)
class Sign:
    """The largest change of one repo in a metric of another kind.

    Attributes
    ----------
    repo : int
    metric : str
    before, during : float
    sigmas : float
        Size of the change in robust standard deviations of the past.
    chance : float
        How often the past changes as much in either direction, corrected for the series asked.
    """

    repo: int
    metric: str
    before: float
    during: float
    sigmas: float
    chance: float

    @property
    def is_claim(self) -> bool:
        """Whether chance would not show it among all that was asked."""
        return self.chance <= CLAIM_ALPHA


def signs(recording: Recording, cut: Cut, among: NDArray[np.bool_]) -> list[Sign]:
    """Each repo's largest change in a metric of another kind, largest first; those that chance does not show come first.

    Parameters
    ----------
    recording : Recording
    cut : Cut
    among : ndarray of bool, shape (R,)
        The repos asked.
    """
    found: list[Sign] = []
    asked = 0
    for metric in sorted({name for _, name in recording.incident.labels}):
        if metric in KNOWN_METRICS or travels(metric):
            continue
        base, now = (np.where(among, values, np.nan) for values in recording.values(metric))
        asked += int((np.isfinite(base).any(axis=0) & np.isfinite(now[cut.first :]).any(axis=0)).sum())
        _, scale = centre_and_scale(base)
        for sign in (1.0, -1.0):
            change = departure(recording, cut, sign * base, sign * now, 1.0)
            found += _of_metric(metric, sign, change, scale)
    # each series was asked in two directions
    found = [replace(one, chance=float(sidak(one.chance, 2 * asked))) for one in found]
    best: dict[int, Sign] = {}
    for one in sorted(found, key=lambda one: (not one.is_claim, -one.sigmas, one.chance)):
        best.setdefault(one.repo, one)
    return list(best.values())


def hinted(changes: list[Sign]) -> list[Sign]:
    """The changes worth looking at, although they name nobody."""
    return [one for one in changes if one.chance <= HINT_ALPHA][:MOST_HINTS]


def claimed(changes: list[Sign]) -> list[Sign]:
    """The changes that name a repo: none where so many are as large that a load or a deployment is the likelier reason."""
    claims = [one for one in changes if one.is_claim]
    return claims if claims and _alike(claims) <= MOST_HINTS else []


def _alike(claims: list[Sign]) -> int:
    return sum(one.sigmas * CLOSE >= claims[0].sigmas for one in claims)


def confidences(claims: list[Sign]) -> list[float]:
    """Confidence in each claim: shared among those as large as the first, and what is left among the others."""
    alike = _alike(claims)
    first = min(SURE, 1.0 / alike)
    left = (1.0 - first * alike) / (len(claims) - alike + 1.0)
    return [first if i < alike else min(first, left) for i in range(len(claims))]


def _of_metric(metric: str, sign: float, change: Departure, scale: NDArray[np.float64]) -> list[Sign]:
    size = change.level - change.reference
    return [
        Sign(
            j,
            metric,
            sign * float(change.reference[j]),
            sign * float(change.level[j]),
            float(size[j] / scale[j]) if scale[j] > 0.0 else np.inf,
            float(change.p_value[j]),
        )
        for j in np.flatnonzero(size > 0.0).tolist()
    ]
