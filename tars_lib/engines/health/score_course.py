"""The course of the repos' health scores: for those who draw it beside the change points found in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.health.assess import SHIFT_SAMPLES, score_grid
from tars_lib.engines.health.scores import SCORE, level
from tars_lib.model.organisation import OrgData


@dataclass(frozen=True, slots=True, eq=False)
class ScoreCourse:
    """Scores on one grid of times.

    `times` (T,) microseconds since the epoch; `by_repo` holds (T,) scores 0-100 for each repo, NaN where none is known.
    """

    times: NDArray[np.int64]
    by_repo: dict[str, NDArray[np.float64]]


def score_course(org: OrgData, as_of: datetime) -> ScoreCourse | None:
    """Scores over the samples in which change points are looked for; None where no score can be made."""
    grid = score_grid(org, level(org.history, SCORE, as_of).reported)
    if grid is None:
        return None
    tail = grid.values[-SHIFT_SAMPLES:]
    return ScoreCourse(
        grid.times[-SHIFT_SAMPLES:],
        {repo.repo: tail[:, column] for column, repo in enumerate(org.repos) if np.isfinite(tail[:, column]).any()},
    )
