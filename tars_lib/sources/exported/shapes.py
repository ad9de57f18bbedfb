"""Input and output of a reader of an exported file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tars_lib.config.import_map import ColumnChoice, MetricChoice
from tars_lib.model.names import Dependency, Event, PastIncident, Repo


@dataclass(frozen=True, slots=True)
class Choices:
    """Choices of the user where a file does not say.

    Attributes
    ----------
    unit : str
        Of values that name none.
    repo_from : str
        Label, dimension, field or column that holds the repo.
    repo, metric : str
        Of everything in the file.
    kind : str
        gauge, count or counter, of everything in the file.
    epoch : str
        What numbers in the column of times count since 1970: s, ms, us or ns.
    time_format : str
        Of times that are not ISO 8601, in the letters of `strptime`.
    decimal : str
        ``,`` or ``.``, where numbers can be read both ways.
    columns, repos, metrics : mapping
        A map file's: by the column, repo and metric as the file names them.
    environments : tuple of str
        A map file's: those whose deployments are wanted.
    """

    unit: str = ""
    zone: ZoneInfo | None = None
    repo_from: str = ""
    repo: str = ""
    metric: str = ""
    kind: str = ""
    epoch: str = ""
    time_format: str = ""
    decimal: str = ""
    columns: Mapping[str, ColumnChoice] = field(default_factory=dict)
    repos: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, MetricChoice] = field(default_factory=dict)
    environments: tuple[str, ...] = ()

    def repo_of(self, name: str) -> str:
        """Return the repo that a name of the file stands for."""
        return self.repos.get(name, name)


NO_CHOICES = Choices()


@dataclass(frozen=True, slots=True, eq=False)
class SampledSeries:
    """The samples of one repo and metric, as a file has them.

    Attributes
    ----------
    time : ndarray of int64, shape (n,)
        Microseconds since 1970, UTC.
    value : ndarray of float64, shape (n,)
        NaN where the file has none.
    unit, kind : str
        As the file or the user says; empty where nobody does.
    row : ndarray of int64, shape (n,), optional
        Line of each sample; None where the file has no lines that matter.
    column : str
        How messages name the place in a row.
    """

    repo: str
    metric: str
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    unit: str = ""
    kind: str = ""
    row: NDArray[np.int64] | None = None
    column: str = "value"


@dataclass(frozen=True, slots=True)
class Exported:
    """Data read from a file.

    Attributes
    ----------
    columns : str
        Where in the file it was found, for the reader.
    zone : str
        Of its times, and how that is known.
    stamp_at_end : bool
        Whether a count stands for the interval that ends at its time stamp; else for the one that begins there.
    is_rounded : bool
        Whether values were written for people, so that digits are lost.
    notes : tuple of str
        What was read in a particular way or left out.
    """

    series: tuple[SampledSeries, ...] = ()
    events: tuple[Event, ...] = ()
    incidents: tuple[PastIncident, ...] = ()
    repos: tuple[Repo, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    columns: str = ""
    zone: str = ""
    stamp_at_end: bool = False
    is_rounded: bool = False
    notes: tuple[str, ...] = ()
