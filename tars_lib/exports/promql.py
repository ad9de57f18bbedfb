"""A metric of the history as it stands in Prometheus: a selector or a query, over any window.

Queries are not parsed; their texts, braces and ranges are found, and what cannot be changed with certainty is refused.

References
----------
PromQL, https://prometheus.io/docs/prometheus/latest/querying/basics/
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from unicodedata import category

from tars_lib.errors import ConfigError
from tars_lib.text.visible import HIDDEN_CATEGORIES

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`')
_SELECTOR = re.compile(r"(?:[a-zA-Z_:][\w:]*\s*(?:\{[^{}]*\})?|\{[^{}]+\})")
_RANGED = re.compile(r"([a-zA-Z_:][\w:]*)?\s*(\{[^{}]*\})?\s*\[([^\]]*)\]")
_FUNCTION = re.compile(r"([a-z_]+)\s*\(\s*[^()\[\]]*\[")
_AGGREGATES = re.compile(r"\b(?:sum|avg|min|max|count|topk|bottomk|quantile|group|stddev|stdvar)\b\s*(?:\(|by|without)")
_GROUPED = re.compile(r"\bby\s*\(([^)]*)\)")
_DURATION = re.compile(r"(?:\d+(?:ms|[smhdwy]))+")
_PLACEHOLDER = re.compile(r"\{\{\s*\.window\s*\}\}|\$\{?\w+\}?|window")
_ADDITIVE = frozenset({"rate", "increase", "sum_over_time", "count_over_time"})
"""Functions whose ratio over a longer window is that of the window: irate looks at two samples, delta at the ends."""
_SHOWN = 120
"""Characters of a query that a message shows; judgement: enough to find it."""


@dataclass(frozen=True, slots=True)
class Query:
    """A metric as it is asked of Prometheus.

    Attributes
    ----------
    metric : str
        Its name in the history.
    text : str
        A selector, or a query.
    """

    metric: str
    text: str

    @property
    def is_selector(self) -> bool:
        """Return whether it names series and nothing is done with them yet."""
        return _SELECTOR.fullmatch(_masked(self.text)) is not None

    @property
    def has_placeholder(self) -> bool:
        """Return whether its window is left to whoever asks, such as `[{{.window}}]`."""
        return any(_PLACEHOLDER.fullmatch(span) for span in self._ranges)

    @property
    def function(self) -> str:
        """Return what is done with the range, for counts; a selector's running total is asked by `rate`.

        Raises
        ------
        ConfigError
            If the query has no window that could be changed.
        """
        if self.is_selector:
            return "rate"
        functions: list[str] = sorted(set(_FUNCTION.findall(_masked(self.text))))
        if not self._ranges:
            raise self._refused("it has no range such as [5m], so it cannot be asked over other windows")
        if any(not (_DURATION.fullmatch(span) or _PLACEHOLDER.fullmatch(span)) for span in self._ranges):
            raise self._refused("a range other than a plain duration cannot be replaced")
        if len(set(self._ranges)) > 1:
            raise self._refused(f"it has several ranges ({', '.join(sorted(set(self._ranges)))})")
        if len(functions) != 1 or functions[0] not in _ADDITIVE:
            raise self._refused(f"one of {', '.join(sorted(_ADDITIVE))} is needed to count over other windows")
        return functions[0]

    def counted(self, window: str, label: str, repos: Sequence[str]) -> str:
        """Return what counts the events of a window, of these repos; all where none is named."""
        function, text = self.function, self._of(label, repos)
        return f"{function}({text}[{window}])" if self.is_selector else _with_range(text, window)

    def level(self, label: str, repos: Sequence[str], window: str) -> str:
        """Return what asks for the present level of each repo, the mean of its series; `window` fills an open range."""
        text = self._of(label, repos)
        return f"avg by ({label}) ({_with_range(text, window) if self.has_placeholder else text})"

    def keeps(self, label: str) -> bool:
        """Return whether its answer can tell repos apart."""
        masked = _masked(self.text)
        if not _AGGREGATES.search(masked):
            return True
        return any(label in re.split(r"\s*,\s*", names.strip()) for names in _GROUPED.findall(masked))

    @property
    def _ranges(self) -> list[str]:
        return [match[3].strip() for match in _RANGED.finditer(_masked(self.text))]

    def _of(self, label: str, repos: Sequence[str]) -> str:
        """Return the text with its series narrowed to the repos; a query that has one answer is about them as it stands."""
        if not repos or not self.keeps(label):
            return self.text
        masked = _masked(self.text)
        matcher = matcher_of(label, repos)
        if self.is_selector:
            return _narrowed(self.text, matcher, 0, len(masked), masked)
        text = self.text
        for match in reversed(list(_RANGED.finditer(masked))):
            text = _narrowed(text, matcher, match.start(), match.start(3) - 1, masked)
        return text

    def _refused(self, why: str) -> ConfigError:
        shown = self.text if len(self.text) <= _SHOWN else f"{self.text[:_SHOWN]}..."
        return ConfigError(f"{self.metric}: {shown!r}: {why}; name the series by --selector '{self.metric}=SELECTOR'")


def matcher_of(label: str, names: Sequence[str]) -> str:
    r"""Return a matcher of one name, or of any of several.

    Examples
    --------
    >>> matcher_of("service", ["web"]), matcher_of("service", ["a.b", "c"])
    ('service="web"', 'service=~"a\\\\.b|c"')
    """
    if len(names) == 1:
        return f"{label}={text_of(names[0])}"
    return f"{label}=~{text_of('|'.join(re.escape(name) for name in names))}"


def text_of(text: str) -> str:
    r"""Return a text as a literal of PromQL, with what a reader could not see as its number.

    Examples
    --------
    >>> text_of('a"b\u202e')
    '"a\\"b\\u202e"'
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(_escape(char) if category(char) in HIDDEN_CATEGORIES else char for char in escaped) + '"'


def _escape(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


def queries_of(
    metrics: Sequence[str], selectors: Mapping[str, str], query_map: Mapping[str, str]
) -> tuple[dict[str, Query], list[str]]:
    """Return how each metric is asked of Prometheus, and why others cannot be.

    Parameters
    ----------
    metrics : sequence of str
        Names in the history.
    selectors : mapping of str to str
        Metric to selector or query: goes first.
    query_map : mapping of str to str
        `slo-metrics.yaml`, query to metric. A metric that neither has is the series of its own name.
    """
    by_metric: dict[str, Query] = {}
    faults: list[str] = []
    for metric in dict.fromkeys(metrics):
        mapped = [query for query, name in query_map.items() if name == metric]
        settle = f"name its series by --selector '{metric}=SELECTOR'"
        if metric in selectors:
            by_metric[metric] = Query(metric, selectors[metric])
        elif len(mapped) > 1:
            faults.append(f"{metric}: {len(mapped)} queries of slo-metrics.yaml are this metric; {settle}")
        elif mapped:
            by_metric[metric] = Query(metric, mapped[0])
        elif NAME.fullmatch(metric):
            by_metric[metric] = Query(metric, metric)
        else:
            faults.append(f"{metric}: no name of a series in Prometheus, and slo-metrics.yaml has no query; {settle}")
    return by_metric, faults


def _masked(text: str) -> str:
    """Return the text with every quoted part blanked, in its length, so that no brace or bracket in it counts."""
    return _QUOTED.sub(lambda match: '"' + "_" * (len(match[0]) - 2) + '"', text)


def _with_range(text: str, window: str) -> str:
    for match in reversed(list(_RANGED.finditer(_masked(text)))):
        text = f"{text[: match.start(3)]}{window}{text[match.end(3) :]}"
    return text


def _narrowed(text: str, matcher: str, start: int, end: int, masked: str) -> str:
    """Add a matcher to the selector that stands between two positions."""
    brace = masked.find("{", start, end)
    if brace < 0:
        name_end = start + len(masked[start:end].rstrip())
        return f"{text[:name_end]}{{{matcher}}}{text[name_end:]}"
    is_empty = not masked[brace + 1 : masked.index("}", brace)].strip()
    return f"{text[: brace + 1]}{matcher}{'' if is_empty else ','}{text[brace + 1 :]}"
