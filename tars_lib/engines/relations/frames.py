"""Which repos move together, and which repo leads which, with the error rate held?

Calendar, trend, lasting changes and each series' own past are taken out first, so that weekends, growth, wandering and a
step of each are not called propagation; what is left is tested over all lags and pairs. Series that changed together, closer
than chance, are compared with their changes too. `docs/methods/correlation-and-lead-lag.md` has the
method, its measured error rates and its known failure cases.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tars_lib.engines.relations.aligned_metrics import Movement
from tars_lib.engines.relations.calendar import CALENDAR_DAYS
from tars_lib.engines.relations.joint_changes import JointChange, joint_changes, metric_changes, repo_changes
from tars_lib.engines.relations.pair_evidence import beside_changes, with_joint
from tars_lib.errors import InputError
from tars_lib.stats.pairs.direct_edges import direct_edges
from tars_lib.stats.pairs.discovery import Discoveries, discovered_pairs
from tars_lib.stats.scheduler import using
from tars_lib.stats.series.prewhitening import MIN_SAMPLES, Panel, whitened_panel

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd


SECONDS_PER_DAY = 86_400.0
CHANGE_LEVEL = 0.001
"""Chance that a column without any lasting change shows one. Judgement: stricter than for an organisation's own changes, for a
slow leader that was taken for a step loses what its followers copied."""

EDGE_COLUMNS = ("leader", "follower", "lag", "correlation", "n_effective", "p_value", "q_value", "is_direct")
PAIR_COLUMNS = ("repo_a", "repo_b", "correlation", "n_effective", "p_value", "q_value")


def lead_lag(
    frame: pd.DataFrame,
    max_lag: int = 14,
    alpha: float = 0.05,
    progress: Callable[[float], None] | None = None,
    *,
    scheduler: object | None = None,
) -> pd.DataFrame:
    """Repos that lead other repos, significant ones only.

    Parameters
    ----------
    frame : DataFrame, shape (T, N)
        One column a repo, one row a sample at equal steps, NaN where missing. The index holds times with a zone, or
        numbers; without times a row counts as a day.
    max_lag : int
        Largest lag in samples, at least 1. Lags that leave fewer than 10 effective samples are not tried.
    alpha : float
        False discovery rate over the pairs, within (0, 1).
    progress : callable, optional
        Called with the share of the work done.
    scheduler : str or distributed.Client, optional
        Where pairs are compared: ``threads`` (default), ``processes:N``, ``tcp://HOST:PORT`` of a Dask scheduler, or a client
        of one. The result is the same.

    Returns
    -------
    DataFrame
        `leader`, `follower`, `lag` (samples, 1..max_lag), `correlation` (-1..1, of innovations or of levels,
        whichever decided), `n_effective` (samples), `p_value`, `q_value` (0..1), `is_direct`; one row a pair,
        strongest first. `attrs` holds `n` (samples), `expected_false_discoveries`, and `reason` where the test was
        refused. Constant, all-missing and spike-only columns never appear.

    Raises
    ------
    InputError
        Duplicated columns or times, times without a zone, values that are no numbers, or an option out of range.
    ConfigError, SchedulerError
        If the scheduler has no such form, cannot be reached, or loses its workers.

    Examples
    --------
    >>> import pandas as pd
    >>> noise = np.random.default_rng(0).standard_normal((90, 3))
    >>> noise[4:, 2] += 1.5 * noise[:-4, 1]
    >>> edges = lead_lag(pd.DataFrame(noise, columns=["web", "api", "db"]))
    >>> edges[["leader", "follower", "lag", "is_direct"]].to_numpy().tolist()
    [['api', 'db', 4, True]]
    """
    if not isinstance(max_lag, int | np.integer) or isinstance(max_lag, bool) or max_lag < 1:
        raise InputError(f"max_lag is {max_lag!r}; it must be a whole number of samples, at least 1")
    courses, reason = _courses(frame, alpha)
    n = len(frame)
    if courses is None:
        return _edges(frame, None, np.zeros(0, dtype=bool), n, reason)
    direct = np.zeros(0, dtype=bool)
    with using(scheduler):
        courses, found = _search(courses, int(max_lag), alpha, progress)
        if len(found.tests.first):
            direct = direct_edges(courses.panels, found, courses.discovered(0, alpha))
    return _edges(frame, found, direct, n, reason)


def correlate(
    frame: pd.DataFrame,
    alpha: float = 0.05,
    progress: Callable[[float], None] | None = None,
    *,
    scheduler: object | None = None,
) -> pd.DataFrame:
    """Pairs of repos that move together at the same moment, significant ones only.

    Parameters
    ----------
    frame : DataFrame, shape (T, N)
        As for `lead_lag`.
    alpha : float
        False discovery rate over the pairs, within (0, 1).
    progress : callable, optional
        Called with the share of the work done.
    scheduler : str or distributed.Client, optional
        As for `lead_lag`.

    Returns
    -------
    DataFrame
        `repo_a`, `repo_b` (in the order of the columns), `correlation`, `n_effective`, `p_value`, `q_value`,
        strongest first; `attrs` as for `lead_lag`.

    Raises
    ------
    InputError
        As for `lead_lag`.

    Examples
    --------
    >>> import pandas as pd
    >>> noise = np.random.default_rng(0).standard_normal((90, 3))
    >>> noise[:, 2] += 1.5 * noise[:, 1]
    >>> correlate(pd.DataFrame(noise, columns=["web", "api", "db"]))[["repo_a", "repo_b"]].to_numpy().tolist()
    [['api', 'db']]
    """
    import pandas as pd

    courses, reason = _courses(frame, alpha)
    columns = {name: pd.Series(dtype=np.float64) for name in PAIR_COLUMNS}
    columns["repo_a"] = columns["repo_b"] = pd.Series(dtype=object)
    out = pd.DataFrame(columns)
    found = None
    if courses is not None:
        with using(scheduler):
            found = _search(courses, 0, alpha, progress)[1]
        names, tests = frame.columns.to_numpy(), found.tests
        out = pd.DataFrame(
            {
                "repo_a": names[np.minimum(tests.first, tests.second)],
                "repo_b": names[np.maximum(tests.first, tests.second)],
                "correlation": tests.correlation,
                "n_effective": tests.n_effective,
                "p_value": tests.p_value,
                "q_value": found.q_value,
            }
        )
    return _noted(out, found, len(frame), reason)


def seasons_of(index: pd.Index) -> tuple[int, ...]:
    """Lengths, in samples, of the calendar cycles that this index can show.

    Parameters
    ----------
    index : Index
        Times at equal steps (the median step counts), or numbers, which count as days.

    Returns
    -------
    tuple of int
        A day and a week in samples, where they are whole numbers of at least two.

    Examples
    --------
    >>> import pandas as pd
    >>> seasons_of(pd.date_range("2025-01-01", periods=100, freq="h", tz="UTC"))
    (24, 168)
    >>> seasons_of(pd.RangeIndex(100))
    (7,)
    """
    import pandas as pd

    step = SECONDS_PER_DAY
    if isinstance(index, pd.DatetimeIndex) and len(index) > 1:
        seconds = index.as_unit("ns").asi8 / 1e9
        step = float(np.median(np.diff(np.sort(seconds))))
    lengths = [days * SECONDS_PER_DAY / step for days in CALENDAR_DAYS]
    return tuple(round(length) for length in lengths if length >= 1.5 and abs(length - round(length)) < 1e-6)


@dataclass(frozen=True, slots=True, eq=False)
class _Courses:
    """The series of a frame: as they are, whitened whole, and once they were searched beside their lasting changes."""

    movement: Movement
    whole: Panel
    steady: Panel | None = None
    groups: tuple[JointChange, ...] = ()

    @property
    def panels(self) -> tuple[Panel, ...]:
        """What `Discoveries.panel` counts."""
        return (self.whole,) if self.steady is None else (self.whole, self.steady)

    def beside_changes(self, found: Discoveries) -> _Courses:
        """Return the courses with lasting changes taken out; the same where no series that was found has any."""
        columns = np.unique(np.concatenate([found.tests.first, found.tests.second]))
        related = replace(self.movement, values=(self.movement.values[0][:, columns],))
        if not metric_changes(related, (replace(self.whole, phi=self.whole.phi[columns]),), CHANGE_LEVEL):
            return self
        # how often others change tells whether changes came together by chance
        changes = metric_changes(self.movement, (self.whole,), CHANGE_LEVEL)
        groups = joint_changes(repo_changes(changes), int(self.whole.usable.sum()), self.movement.rows, {})
        return replace(self, steady=beside_changes(self.movement, (self.whole,), changes)[0], groups=groups)

    def discovered(self, max_lag: int, alpha: float, whole: Discoveries | None = None) -> Discoveries:
        """Return significant pairs beside the changes, and of the whole courses where series changed together."""
        if self.steady is None:
            return whole or discovered_pairs([self.whole], max_lag, alpha)
        found = discovered_pairs([self.steady], max_lag, alpha)
        found = replace(found, panel=found.panel + 1)
        if not self.groups:
            return found
        return with_joint(found, whole or discovered_pairs([self.whole], max_lag, alpha), self.groups)


def _search(
    courses: _Courses, max_lag: int, alpha: float, progress: Callable[[float], None] | None
) -> tuple[_Courses, Discoveries]:
    whole = discovered_pairs([courses.whole], max_lag, alpha, progress)
    if not len(whole.tests.first):
        return courses, whole
    # two series with a step each go together at some lag, whatever they have to do with each other
    courses = courses.beside_changes(whole)
    return courses, courses.discovered(max_lag, alpha, whole)


def _courses(frame: pd.DataFrame, alpha: float) -> tuple[_Courses | None, str | None]:
    """Return the whitened series of a checked frame, or why there are none."""
    import pandas as pd

    if not 0.0 < alpha < 1.0:
        raise InputError(f"alpha is {alpha!r}; it must lie between 0 and 1")
    if frame.columns.has_duplicates:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise InputError(f"column {twice!r} appears more than once; each service needs one column")
    if frame.index.has_duplicates:
        twice = frame.index[frame.index.duplicated()][0]
        raise InputError(f"index value {twice} appears more than once; each sample needs its own time")
    index = frame.index
    if isinstance(index, pd.DatetimeIndex):
        if index.tz is None:
            raise InputError("the index holds times without a zone; localise it, for example tz_localize('UTC')")
        if index.hasnans:
            raise InputError("the index holds a missing time; each sample needs its own time")
    ordered = frame if index.is_monotonic_increasing else frame.sort_index()
    try:
        values = ordered.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(f"the frame holds a value that is no number: {error}") from error
    if len(values) < MIN_SAMPLES:
        return None, f"{len(values)} samples are too few: at least {MIN_SAMPLES} are needed"
    seasons = seasons_of(ordered.index)
    whole = whitened_panel(values, seasons, only_shown=True)
    usable = int(whole.usable.sum())
    if usable < 2:
        return None, f"{usable} of {values.shape[1]} repos vary enough to be compared: at least 2 are needed"
    names = tuple(map(str, ordered.columns))
    return _Courses(Movement(names, ("",), (values,), np.arange(len(values)), 1, seasons, ()), whole), None


def _edges(
    frame: pd.DataFrame, found: Discoveries | None, direct: np.ndarray, n: int, reason: str | None
) -> pd.DataFrame:
    import pandas as pd

    if found is None:
        types = (object, object, np.int64, np.float64, np.float64, np.float64, np.float64, np.bool_)
        empty = {name: pd.Series(dtype=kind) for name, kind in zip(EDGE_COLUMNS, types, strict=True)}
        return _noted(pd.DataFrame(empty), None, n, reason)
    names, tests = frame.columns.to_numpy(), found.tests
    out = pd.DataFrame(
        {
            "leader": names[tests.first],
            "follower": names[tests.second],
            "lag": tests.lag,
            "correlation": tests.correlation,
            "n_effective": tests.n_effective,
            "p_value": tests.p_value,
            "q_value": found.q_value,
            "is_direct": direct,
        }
    )
    return _noted(out, found, n, reason)


def _noted(out: pd.DataFrame, found: Discoveries | None, n: int, reason: str | None) -> pd.DataFrame:
    out.attrs["n"] = n
    out.attrs["expected_false_discoveries"] = found.expected_false if found is not None else 0.0
    if reason is not None:
        out.attrs["reason"] = reason
    return out
