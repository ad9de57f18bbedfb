"""Bounds beyond which an input is refused.

They keep a hostile or broken file from taking all memory or time. Each is a judgement with its reason beside it, far above any
real organisation; `docs/security.md` shows them, and a test compares.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from tars_lib.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_CONFIG_BYTES = 5_000_000
MAX_CONFIG_DEPTH = 50
MAX_CONFIG_VALUES = 500_000
MAX_JSON_BYTES = 200_000_000
MAX_JSON_DEPTH = 100
MAX_TABLE_BYTES = 4_000_000_000
MAX_EVENT_BYTES = 200_000_000
MAX_TEXT_BYTES = 5_000_000
MAX_ROWS = 1_000_000_000
MAX_EVENTS = 1_000_000
MAX_COLUMNS = 1_000
MAX_HEADER_BYTES = 65_536
MAX_REPOS = 50_000
MAX_METRICS = 1_000
MAX_SERIES = 1_000_000
MAX_POLICIES = 2_000
MAX_RULES = 2_000
MAX_FILES = 200_000
MAX_NAME = 1_000
MAX_TEXT = 20_000
MAX_MAGNITUDE = 1e30
MAX_WINDOW_DAYS = 3_660
MAX_TIMELINE_BYTES = 200_000_000
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound: what it is of, in which unit, and why it stands where it does."""

    of: str
    unit: str
    reason: str


REASONS: Mapping[str, Limit] = MappingProxyType(
    {
        "MAX_CONFIG_BYTES": Limit(
            "one YAML file",
            "bytes",
            "2,000 policies with all their fields take a tenth; parsing this much takes seconds",
        ),
        "MAX_CONFIG_DEPTH": Limit("nesting of YAML", "levels", "the deepest form that is known, OpenSLO, has about 12"),
        "MAX_CONFIG_VALUES": Limit(
            "values, lists and mappings of one YAML file", "values", "5,000 repos with 100 values each"
        ),
        "MAX_JSON_BYTES": Limit("one JSON file", "bytes", "a report on 1,000 repos takes a tenth"),
        "MAX_JSON_DEPTH": Limit(
            "nesting of JSON", "levels", "reports have about 10; Python's own reader stops near 1,000"
        ),
        "MAX_TABLE_BYTES": Limit("one history file", "bytes", "50 million rows of CSV take about as much"),
        "MAX_EVENT_BYTES": Limit("events.csv", "bytes", "a million events of 200 characters"),
        "MAX_TEXT_BYTES": Limit(
            "one text file that an option names, one text for a timeline",
            "bytes",
            "a message or a list of channels takes thousands",
        ),
        "MAX_ROWS": Limit(
            "samples of all history files",
            "rows",
            "20,000 services by the minute for a month; beyond 50 million also what fits in memory, at 32 bytes each",
        ),
        "MAX_EVENTS": Limit("events, and the entries of one artefact", "entries", "a deploy a minute for two years"),
        "MAX_COLUMNS": Limit("columns of a table", "columns", "four are needed; further ones are passed over"),
        "MAX_HEADER_BYTES": Limit("the first row of a CSV file", "bytes", "1,000 columns of 60 characters"),
        "MAX_REPOS": Limit(
            "repos of an organisation",
            "repos",
            "all pairs are compared, so ten times as many take a hundred times as long",
        ),
        "MAX_METRICS": Limit("metrics of an organisation", "metrics", "dozens are usual"),
        "MAX_SERIES": Limit("repos times metrics", "series", "50,000 repos with 20 metrics each"),
        "MAX_POLICIES": Limit("SLA policies", "policies", "each is judged over several windows"),
        "MAX_RULES": Limit("alert rules", "rules", "as for policies"),
        "MAX_FILES": Limit(
            "files and folders that are looked at in a root", "entries", "three artefacts for each repo"
        ),
        "MAX_NAME": Limit(
            "the name of a repo, metric, policy, team or tag", "characters", "names are keys, and stand in every table"
        ),
        "MAX_TEXT": Limit("a title or description", "characters", "a page has about 3,000"),
        "MAX_MAGNITUDE": Limit(
            "the size of a value",
            "",
            "its cube times the number of samples is still a binary64; a century in ns is 3e18",
        ),
        "MAX_WINDOW_DAYS": Limit("a window of an SLA", "days", "ten years"),
        "MAX_TIMELINE_BYTES": Limit("a timeline", "bytes", "a million notes of 200 characters"),
        "EARLIEST": Limit("the time of a sample or event", "", "the epoch of Unix; older is a broken clock"),
        "LATEST": Limit("the time of a sample or event", "", "later is a broken clock, and room is left for forecasts"),
    }
)
"""Of what each constant of this module is the bound."""


def refuse_rows(rows: int, label: str) -> None:
    """Refuse a table of too many rows.

    Raises
    ------
    InputError
    """
    if rows > MAX_ROWS:
        raise InputError(f"{label}: {rows} rows; up to {MAX_ROWS} are allowed")
