"""Owner of a series: repo, metric and unit by its name, its labels and what the user says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tars_lib.errors import InputError
from tars_lib.files.limits import MAX_NAME
from tars_lib.model.spelling import trimmed
from tars_lib.model.units import unit_of
from tars_lib.sources.exported.shapes import Choices

REPO_LABEL = "service"
"""Label that holds the repo unless `--repo-from` names another one; judgement: the name that most alert rules use."""
_LABELLED = re.compile(r"([^{}]*)\{(.*)\}", re.DOTALL)
_PAIR = re.compile(r'\s*([A-Za-z_][\w.]*)\s*=~?\s*(?:"((?:[^"\\]|\\.)*)"|\'([^\']*)\'|([^,"\']*))\s*(?:,|$)')
_TAG = re.compile(r"([^\s:,{}]+):([^\s,{}]+)")
_TAGGED = re.compile(
    r"(?:(?:avg|sum|min|max|count|p\d+):)?([\w.]+)\{((?:[^\s:,={}]+:[^\s,{}]+(?:,\s*|(?=\})))+)\}"
    r"(?: by \{[^{}]*\})?(?:\.\w+\([^()]*\))*"
)
"""A query of Datadog, such as ``avg:trace.http.request{service:web} by {service}.as_count()``."""
_UNIT_BEHIND = re.compile(r"(.+?)\s*[(\[]\s*([^()\[\]]+?)\s*[)\]]")
_UNNAMED = re.compile(r"value(?: ?#?[A-Z])?", re.IGNORECASE)
"""What Grafana calls a series that has no name."""


@dataclass(frozen=True, slots=True)
class SeriesName:
    """A series as a file names it: the text, and its parts where it has some."""

    text: str
    name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Owner:
    """Owner of a series; unit and kind are empty where nobody says."""

    repo: str
    metric: str
    unit: str = ""
    kind: str = ""


def series_name(text: str) -> SeriesName:
    """Return the parts of a name such as ``up{service="web"}``, ``web/latency_p95``, ``web (ms)`` or ``latency_p95``.

    Examples
    --------
    >>> series_name('up{service="web"}').labels, series_name("web [ms]").unit, series_name("web (beta)").name
    ({'service': 'web'}, 'ms', 'web (beta)')
    """
    tagged = _TAGGED.fullmatch(text.strip())
    if tagged is not None:
        return SeriesName(text, tagged[1], dict(_TAG.findall(tagged[2])))
    labelled = _LABELLED.fullmatch(text.strip())
    if labelled is not None:
        labels = {
            pair[1]: _plain(pair[2]) if pair[2] is not None else pair[3] or pair[4] or ""
            for pair in _PAIR.finditer(labelled[2])
        }
        if labels or not labelled[2].strip():
            return SeriesName(text, labelled[1].strip() or labels.get("__name__", ""), labels)
    bare, unit = text.strip(), ""
    behind = _UNIT_BEHIND.fullmatch(bare)
    if behind is not None and unit_of(behind[2]).dimension:
        bare, unit = behind[1], unit_of(behind[2]).symbol
    return SeriesName(text, bare, {}, unit)


def _plain(text: str) -> str:
    return text.replace('\\"', '"').replace("\\\\", "\\")


def owners(names: Sequence[SeriesName], choices: Choices, label: str) -> list[Owner]:
    """Find whose samples each of the series of a file is.

    Raises
    ------
    InputError
        If repo or metric cannot be told, or several series are of one; the message names the option.
    """
    owned = [_owner(name, names, choices, label) for name in names]
    seen: dict[tuple[str, str], int] = {}
    for position, owner in enumerate(owned):
        first = seen.setdefault((owner.repo, owner.metric), position)
        if first != position:
            differ = _difference(names[first], names[position])
            raise InputError(
                f"{label}: several series would be {owner.metric} of {owner.repo}: {names[first].text[:100]} and "
                f"{names[position].text[:100]}{differ}; sum them in the query, or name them apart in a map file (--map)"
            )
    return owned


def _difference(first: SeriesName, second: SeriesName) -> str:
    keys = sorted(key for key in {*first.labels, *second.labels} if first.labels.get(key) != second.labels.get(key))
    return f" (they differ in {', '.join(keys[:5])})" if keys else ""


def _owner(series: SeriesName, names: Sequence[SeriesName], choices: Choices, label: str) -> Owner:
    mapped = choices.columns.get(series.text)
    if mapped is not None and (mapped.repo or mapped.metric):
        repo, metric = mapped.repo or choices.repo, mapped.metric or choices.metric
        if not repo or not metric:
            raise InputError(
                f"{label}: the map file gives column {series.text[:100]!r} no {'metric' if repo else 'repo'}"
            )
        return _settled(repo, metric, mapped.unit or series.unit, mapped.kind, choices)
    repo, metric = _parts(series, names, choices, label)
    unit = series.unit or ("" if mapped is None else mapped.unit)
    return _settled(choices.repo_of(repo), metric, unit, "" if mapped is None else mapped.kind, choices)


def _settled(repo: str, metric: str, unit: str, kind: str, choices: Choices) -> Owner:
    said = choices.metrics.get(metric)
    if said is not None:
        metric, unit, kind = said.metric or metric, said.unit or unit, said.kind or kind
    repo, metric = trimmed(repo), trimmed(metric)
    for name in (repo, metric):
        if len(name) > MAX_NAME:
            raise InputError(f"a name of {len(name)} characters; up to {MAX_NAME} are allowed: {name[:60]}...")
    return Owner(repo, metric, unit, kind)


def _parts(series: SeriesName, names: Sequence[SeriesName], choices: Choices, label: str) -> tuple[str, str]:
    if series.labels:
        return _by_labels(series, names, choices, label)
    if "/" in series.name.strip("/") and not (choices.repo and choices.metric):
        repo, _, metric = series.name.rpartition("/")
        return choices.repo or repo, choices.metric or metric
    if "{" in series.name and not choices.repo:
        raise InputError(
            f"{label}: {series.text[:100]}: what stands in braces cannot be read as labels; --repo NAME says whose it is, or "
            "a map file (--map) with the column"
        )
    is_unnamed = _UNNAMED.fullmatch(series.name) is not None
    if choices.repo and (choices.metric or not is_unnamed):
        if choices.metric and len(names) > 1:
            raise InputError(
                f"{label}: --repo and --metric make one series, and there are {len(names)}: give one of them, or --map FILE"
            )
        return choices.repo, choices.metric or series.name
    if choices.metric and not is_unnamed:
        return series.name, choices.metric
    shown = ", ".join(name.text for name in names[:5])[:200]
    if is_unnamed:
        raise InputError(f"{label}: {shown}: no name says whose values these are; --repo NAME and --metric NAME say it")
    raise InputError(
        f"{label}: {shown}: services or metrics? --metric NAME says that each is a service, --repo NAME that each is a metric "
        "of that one, --map FILE names each; service/metric in the file says both"
    )


def _by_labels(series: SeriesName, names: Sequence[SeriesName], choices: Choices, label: str) -> tuple[str, str]:
    metric = choices.metric or series.name
    key = choices.repo_from or REPO_LABEL
    repo = choices.repo or series.labels.get(key, "")
    if not repo:
        seen = Counter(key for name in names for key in name.labels if key not in ("", "__name__", "le", "quantile"))
        there = ", ".join(f"{key} ({len({name.labels.get(key) for name in names})} values)" for key in list(seen)[:10])
        raise InputError(
            f"{label}: {series.text[:100]} has no label {key}: --repo-from LABEL says which one names the service; there are: "
            f"{there or 'none'}. --repo NAME says that all is of one"
        )
    if not metric:
        raise InputError(
            f"{label}: {series.text[:100]} names no metric, as the result of a function: --metric NAME names it"
        )
    return repo, metric
