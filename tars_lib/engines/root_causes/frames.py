"""The DataFrames of a root-cause question, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tars_lib.engines.root_causes.recording import Recording, Table, recording_of
from tars_lib.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


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
