"""Files of a root that nobody reads, though their names say that somebody should: `events.tsv`, `org.yml`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from tars_lib.files.limits import MAX_FILES
from tars_lib.files.reading import entries
from tars_lib.text.counts import and_more

_DATA = frozenset({"csv", "tsv", "txt", "json", "jsonl", "yaml", "yml", "parquet", "xlsx", "xls", "gz", "zip", "zst"})
_WANTED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "org.yaml": ("org", "organisation", "organization"),
        "history.csv or history.parquet": ("history", "histories", "samples"),
        "events.csv": ("event", "events", "changes", "deploys", "deployments"),
        "incidents.csv": ("incident", "incidents"),
        "sla-policies.yaml": (
            "sla",
            "slas",
            "slapolicy",
            "slapolicies",
            "slo",
            "slos",
            "policy",
            "policies",
            "openslo",
        ),
        "slo-metrics.yaml": ("slometrics", "slometric"),
        "alerts.yaml, or SERVICE/alerts/alerts.json": ("alert", "alerts", "alertrule", "alertrules", "rules"),
        "SERVICE/dashboard/health-dashboard.json": ("dashboard", "healthdashboard"),
        "SERVICE/trends/trend-report.json": ("trend", "trends", "trendreport"),
    }
)
_BY_STEM: Mapping[str, str] = MappingProxyType({stem: wanted for wanted, stems in _WANTED.items() for stem in stems})
_ARTEFACTS = ("alerts.json", "health-dashboard.json", "trend-report.json")
_RIGHT = frozenset(
    {"org.yaml", "history.csv", "history.parquet", "events.csv", "incidents.csv", "sla-policies.yaml", "slo-metrics.yaml",
     "alerts.yaml"}
)  # fmt: skip
"""Files that are read in their place, if not by this command; where one was refused, nothing else is wrong with it."""
_MAX_TOLD = 5


def names_in(root: Path) -> Iterator[str]:
    """Yield files of a root, of its history, and those of the artefacts that stand in a service's folder itself."""
    for entry in entries(root, str(root), MAX_FILES):
        if entry.is_file():
            yield entry.name
        elif entry.name == "history":
            yield from (f"history/{path.name}" for path in entries(entry, entry.name, MAX_FILES) if path.is_file())
        elif entry.is_dir():
            yield from (f"{entry.name}/{name}" for name in _ARTEFACTS if (entry / name).is_file())


def misnamed(names: Iterable[str], read: Collection[str]) -> list[str]:
    """Say what a reader should know of files that are not read.

    Returns
    -------
    list of str
        One sentence, or none where nothing looks like one of the files of a root.

    Examples
    --------
    >>> misnamed(["events.tsv", "README.md", "org.yaml"], {"org.yaml"})
    ['not read: events.tsv (events.csv would be)']
    """
    unread = []
    for name in sorted(set(names) - set(read) - _RIGHT):
        stem, *suffixes = name.rpartition("/")[2].strip().lower().split(".")
        wanted = _BY_STEM.get("history" if name.startswith("history/") else re.sub(r"[-_ ]", "", stem))
        is_part = name.startswith("history/") and suffixes[-1:] in (["csv"], ["parquet"])
        if wanted is not None and not is_part and suffixes and set(suffixes) <= _DATA:
            unread.append(f"{name} ({wanted} would be)")
    return [f"not read: {and_more(unread, _MAX_TOLD)}"] if unread else []
