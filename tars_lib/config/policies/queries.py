"""`slo-metrics.yaml`: which metric of the history answers which query of a policy file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tars_lib.config.yaml_file import read_yaml
from tars_lib.errors import ConfigError
from tars_lib.files.limits import MAX_NAME
from tars_lib.model.metrics import Metric

MAP_NAME = "slo-metrics.yaml"
_PLAIN = re.compile(r"[A-Za-z_][\w.:/-]*")
_SHOWN = 120
"""Characters of a query that a message shows; judgement: enough to find it."""
_MORE = 3
"""Further queries that a message shows; judgement."""


@dataclass(slots=True)
class Reading:
    """Context that the readers of all forms share, and what they add to while they read.

    Attributes
    ----------
    queries : mapping of str to str
        Query to metric, with each run of blanks as one blank.
    notes : list of str
        What was read in a particular way or not at all, for the report's warnings.
    counters : dict of str to str
        Metrics that a document declares to be running totals, and the document.
    lacking : list
        Queries without a metric, each with its place.
    """

    queries: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    counters: dict[str, str] = field(default_factory=dict)
    lacking: list[tuple[str, str]] = field(default_factory=list)
    metrics: Mapping[str, Metric] = field(default_factory=dict)

    def metric(self, query: object, where: str, *, is_exact: bool = True) -> str:
        """Return the metric that answers a query: as the map says, else the query itself where it is a plain name.

        A query that has none is remembered, and `refuse_lacking` names it; its text is returned until then.

        Parameters
        ----------
        is_exact : bool
            Whether the query alone says all; without that the map is needed even for a plain name.

        Raises
        ------
        ConfigError
            If it is no text.
        """
        if not isinstance(query, str) or not query.strip():
            raise ConfigError(f"{where}: {str(query)[:60]!r} was given; a query or the name of a metric is needed")
        text = _blanks(query)
        if text in self.queries:
            return self.queries[text]
        if not is_exact or not _PLAIN.fullmatch(text) or len(text) > MAX_NAME:
            self.lacking.append((text, where))
        return text

    def refuse_lacking(self) -> None:
        """Refuse the queries that no metric answers.

        Raises
        ------
        ConfigError
            If there is one; the message names it with its place, and the others.
        """
        if not self.lacking:
            return
        places = dict(reversed(self.lacking))
        others = list(dict.fromkeys(query for query, _ in self.lacking))[1:]
        faults = [
            f"{places[query]}: no metric for {_short(query)}: queries are not evaluated; add the line "
            f"{_quoted(query)}: NAME-OF-THE-METRIC to {MAP_NAME}"
            for query in (self.lacking[0][0], *others)
        ]
        message = faults[0]
        if others:
            shown = ", ".join(_short(other) for other in others[:_MORE])
            message += f" (and {len(others)} more: {shown}{', ...' if len(others) > _MORE else ''})"
        raise ConfigError(message, faults=faults)


def read_query_map(files: Sequence[tuple[Path, str]]) -> dict[str, str]:
    """Read maps of queries to metrics, as one.

    Raises
    ------
    ConfigError
        If a file is no mapping of text to names, or two of them give a query different metrics.
    """
    merged: dict[str, str] = {}
    for path, label in files:
        content = read_yaml(path, label)
        if not isinstance(content, dict):
            raise ConfigError(f"{label}: lines such as 'sum(rate(errors[5m]))': requests_failed are needed")
        for query, metric in content.items():
            if not isinstance(metric, str) or not 0 < len(metric) <= MAX_NAME:
                raise ConfigError(
                    f"{label}: {_short(str(query))}: the name of a metric is needed ({metric!r} was given)"
                )
            text = _blanks(str(query))
            if merged.setdefault(text, metric) != metric:
                raise ConfigError(f"{label}: {_short(text)} is {metric} here and {merged[text]} before; one is allowed")
    return merged


def _blanks(text: str) -> str:
    return " ".join(text.split())


def _short(query: str) -> str:
    return repr(query if len(query) <= _SHOWN else f"{query[:_SHOWN]}...")


def _quoted(query: str) -> str:
    """Return the query as a key of YAML, in single quotes."""
    shown = query if len(query) <= _SHOWN else f"{query[:_SHOWN]}..."
    return "'" + shown.replace("'", "''") + "'"
