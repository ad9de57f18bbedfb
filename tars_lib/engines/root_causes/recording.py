"""The two tables of a root-cause question, cut at the onset.

Which samples are the incident, and which stand just before it? The time at which a breach was noticed is
later than the time at which it began, and a baseline may have been recorded on another day; both are settled
here, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tars_lib.errors import InputError
from tars_lib.stats.series.robust import Floats, centre_and_scale, column_mean, reference_level

if TYPE_CHECKING:
    import pandas as pd

LOOK_BACK = 3
"""A breach is noticed at most this many samples after it began; judgement."""

LOCAL_SAMPLES = (3, 60)
"""The local reference is as long as the incident, within these bounds; judgement: three samples for a median
that one outlier cannot move, an hour of minutes so that it stays local."""

ADJACENT_INTERVALS = 3.0
"""A baseline that ends at most this many sampling intervals before the incident frame is its immediate
past."""

CUSUM_ALLOWANCE = 0.5
"""Half the shift, in sigma, that the onset search is tuned to: Page (1954),
https://doi.org/10.1093/biomet/41.1-2.100"""


@dataclass(frozen=True)
class Table:
    """Samples of several repos.

    Attributes
    ----------
    times : ndarray of int64, shape (T,)
        Microseconds since 1970 (UTC), increasing.
    labels : tuple of (str, str), length C
        Repo and metric of each column.
    values : ndarray, shape (T, C)
        NaN where missing; no infinities.
    """

    times: NDArray[np.int64]
    labels: tuple[tuple[str, str], ...]
    values: Floats

    def __len__(self) -> int:
        return len(self.times)

    def rows(self, kept: NDArray[np.bool_]) -> Table:
        """Some of the rows."""
        return Table(self.times[kept], self.labels, self.values[kept])


@dataclass(frozen=True)
class Recording:
    """Both tables, in order.

    Attributes
    ----------
    baseline, incident : Table
    repos : tuple of str
        Every repo in either table, in order of appearance.
    is_adjacent : bool
        Whether the baseline runs up to the incident.
    """

    baseline: Table
    incident: Table
    repos: tuple[str, ...]
    is_adjacent: bool

    def values(self, metric: str) -> tuple[Floats, Floats]:
        """One metric of all repos: baseline (Tb, R) and incident (Ti, R); NaN where a repo does not report
        it.
        """
        return _matrix(self.baseline, metric, self.repos), _matrix(self.incident, metric, self.repos)

    @property
    def near(self) -> float:
        """Distance in microseconds within which one sample follows the other."""
        times = self.baseline.times if len(self.baseline) > 1 else self.incident.times
        return ADJACENT_INTERVALS * float(np.median(np.diff(times))) if len(times) > 1 else np.inf

    @property
    def counts_requests(self) -> bool:
        """Whether any repo reports how many requests it had."""
        return any(metric == "requests_total" for _, metric in self.baseline.labels)

    def has(self, repo: str, metric: str) -> bool:
        """Whether the incident holds a finite value of this metric for this repo."""
        label = (repo, metric)
        if label not in self.incident.labels:
            return False
        return bool(np.isfinite(self.incident.values[:, self.incident.labels.index(label)]).any())


@dataclass(frozen=True)
class Cut:
    """Where the incident begins.

    Attributes
    ----------
    first : int
        Row of the incident frame with which the incident begins.
    looks : int
        How many places were tried, for the correction of p-values.
    local : int
        Samples of the local reference.
    """

    first: int
    looks: int
    local: int


def recording_of(incident: Table, baseline: Table) -> Recording:
    """Put two tables together.

    Rows of the baseline that fall within the time of the incident are left out: an incident is not its own
    past.

    Raises
    ------
    InputError
        If the incident has no row.
    """
    if len(incident) == 0:
        raise InputError("incident has no row; allowed is at least one sample")
    start, end = incident.times[0], incident.times[-1]
    baseline = baseline.rows((baseline.times < start) | (baseline.times > end))
    repos = tuple(dict.fromkeys(repo for repo, _ in (*incident.labels, *baseline.labels)))
    is_adjacent = False
    if len(baseline) > 1:
        distance = int(start - baseline.times[-1])
        is_adjacent = bool(0 < distance <= ADJACENT_INTERVALS * np.median(np.diff(baseline.times)))
    return Recording(baseline, incident, repos, is_adjacent)


def find_cut(before: Floats, during: Floats, noticed: int | None, is_adjacent: bool) -> Cut:
    """First sample of the incident, from the target's own series with harm counted upwards.

    With `noticed`, the onset moves back from there, at most three samples, while the sample before already
    shows at least half the excess seen afterwards. Without it, the onset is where the largest sum of
    standardised excess begins (Page's CUSUM read backwards).

    Parameters
    ----------
    before : ndarray, shape (Tb,)
        Baseline of the target.
    during : ndarray, shape (Ti,)
        Incident frame of the target.
    noticed : int, optional
        First row of the incident frame at or after the time the breach was noticed.
    is_adjacent : bool
        Whether `before` ends just before `during`.

    Examples
    --------
    >>> import numpy as np
    >>> find_cut(np.ones(50), np.array([1.0, 1.0, 3.0, 3.1, 3.0]), noticed=3, is_adjacent=False).first
    2
    """
    centre, scale = centre_and_scale(before[:, None])
    if noticed is None:
        level = float(centre[0]) if np.isfinite(centre[0]) else float(np.nanmin(during, initial=np.inf))
        unit = float(scale[0]) if np.isfinite(scale[0]) and scale[0] > 0 else max(abs(level) * 0.01, 1e-12)
        score = np.nan_to_num(np.clip((during - level) / unit, -5.0, 10.0), nan=0.0) - CUSUM_ALLOWANCE
        # without a baseline there is nothing to tell the incident from what was before it
        first = _largest_sum_start(score) if before.size else 0
        looks = 1 + int(np.log2(during.size))
    else:
        first, looks = min(noticed, during.size - 1), 1
        after = column_mean(during[first:, None])
        for _ in range(LOOK_BACK):
            if first == 0 or not np.isfinite(during[first - 1]):
                break
            rest = during[: first - 1][-LOCAL_SAMPLES[0] :, None]
            level = float(reference_level(rest, centre)[0])
            if not during[first - 1] - level >= 0.5 * (float(after[0]) - level) > 0.0:
                break
            first, looks = first - 1, looks + 1
    wanted = int(np.clip(during.size - first, *LOCAL_SAMPLES))
    return Cut(first, looks, min(wanted, first + (before.size if is_adjacent else 0)))


def _largest_sum_start(score: Floats) -> int:
    """Start of the contiguous stretch with the largest sum (Kadane)."""
    best, best_start, running, start = -np.inf, 0, 0.0, 0
    for i, value in enumerate(score):
        if running <= 0.0:
            running, start = 0.0, i
        running += float(value)
        if running > best:
            best, best_start = running, start
    return best_start


def _matrix(table: Table, metric: str, repos: tuple[str, ...]) -> Floats:
    columns = {repo: i for i, (repo, name) in enumerate(table.labels) if name == metric}
    result = np.full((len(table), len(repos)), np.nan)
    have = [j for j, repo in enumerate(repos) if repo in columns]
    if have and len(table):
        result[:, have] = table.values[:, [columns[repos[j]] for j in have]]
    return result


def read_recording(incident: pd.DataFrame, baseline: pd.DataFrame) -> Recording:
    """Check both frames and put them in order.

    Rows of the baseline that fall within the time of the incident frame are left out: an incident is not its
    own past. Rows with the same time become their mean.

    Raises
    ------
    InputError
        If an index is not a DatetimeIndex with a time zone, if columns are not (repo, metric), if a column
        occurs twice or is not numeric, or if the incident frame has no row.
    """
    return recording_of(_table(_checked(incident, "incident")), _table(_checked(baseline, "baseline")))


def _table(frame: pd.DataFrame) -> Table:
    import pandas as pd

    times = pd.DatetimeIndex(frame.index).as_unit("us").asi8
    labels = tuple((str(label[0]), str(label[1])) for label in frame.columns.tolist())
    return Table(times, labels, frame.to_numpy(dtype=float, na_value=np.nan))


def _checked(frame: pd.DataFrame, what: str) -> pd.DataFrame:
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"{what} is a {type(frame).__name__}; allowed is a DataFrame")
    if frame.columns.nlevels != 2 and len(frame.columns):
        raise InputError(f"{what}: columns have {frame.columns.nlevels} level; allowed is a MultiIndex (repo, metric)")
    if len(frame.columns) == 0:
        frame = pd.DataFrame(index=frame.index, columns=pd.MultiIndex.from_tuples([], names=["repo", "metric"]))
    if len(frame) == 0:
        empty = pd.DatetimeIndex([], tz="UTC")
        return pd.DataFrame(np.empty((0, frame.shape[1])), index=empty, columns=frame.columns)
    index = frame.index
    if not isinstance(index, pd.DatetimeIndex):
        raise InputError(f"{what}: the index is a {type(index).__name__}; allowed is a DatetimeIndex in UTC")
    if index.tz is None:
        raise InputError(f"{what}: the index has no time zone (first time {index[0]}); allowed is UTC")
    if index.hasnans:
        raise InputError(f"{what}: the index holds NaT; allowed are times only")
    if frame.columns.has_duplicates:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise InputError(
            f"{what}: column {tuple(twice)} occurs more than once; allowed is one column a repo and metric"
        )
    wrong = [tuple(c) for c, kind in zip(frame.columns, frame.dtypes, strict=True) if kind.kind not in "fiub"]
    if wrong:
        raise InputError(f"{what}: column {wrong[0]} is not numeric; allowed are numbers, NaN where missing")
    values = frame.to_numpy(dtype=float, na_value=np.nan)
    clean = pd.DataFrame(
        np.where(np.isfinite(values), values, np.nan), index=index.tz_convert("UTC"), columns=frame.columns
    )
    if not clean.index.is_unique:
        clean = clean.groupby(level=0).mean()
    return clean.sort_index()
