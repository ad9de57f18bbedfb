"""A source is written whole or not at all; what earlier pulls gave stays, and so do the words of the user."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from tars_lib.errors import ConfigError, InputError
from tars_lib.model.names import Dependency, Event, PastIncident, Repo
from tars_lib.pipeline.loading import load_org
from tars_lib.pipeline.pulling import samples as streaming
from tars_lib.pipeline.pulling.pull import PulledSource, World, pull
from tars_lib.pipeline.pulling.ranges import Range
from tars_lib.sources.pulled.protocol import Ask, Pulled, PullOutlook

DAY0 = datetime(2026, 1, 1, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
THREE = Range(DAY0, DAY0 + 3 * DAY)
Row = tuple[datetime, str, str, float | None]


@dataclass
class Plugin:
    """A source of another package, which says what a test lets it say."""

    rows: Sequence[Row] = ()
    events: Sequence[Event] = ()
    repos: Sequence[Repo] = ()
    dependencies: Sequence[Dependency] = ()
    incidents: Sequence[PastIncident] = ()
    error: Exception | None = None
    asked: list[Ask] = field(default_factory=list)

    def read(self, spec: Any, ask: Ask) -> Pulled:
        self.asked.append(ask)
        return Pulled(
            {"bucket": spec.options["bucket"]},
            self._tables() if self.rows or self.error else None,
            self.events,
            self.repos,
            self.dependencies,
            self.incidents,
        )

    def _tables(self) -> Iterator[pa.Table]:
        for row in self.rows:
            names = ("timestamp", "repo", "metric", "value")
            kinds = (pa.timestamp("us", "UTC"), pa.string(), pa.string(), pa.float64())
            yield pa.table({name: pa.array([cell], kind) for name, cell, kind in zip(names, row, kinds, strict=True)})
        if self.error is not None:
            raise self.error


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> Plugin:
    """Registered by the entry-point group, as a package would."""
    made = Plugin()
    entry = SimpleNamespace(name="other", value="other:source", load=lambda: made)

    def entries(group: str, name: str = "other") -> list[SimpleNamespace]:
        return [entry] if (group, name) == ("tars.sources", "other") else []

    monkeypatch.setattr("importlib.metadata.entry_points", entries)
    return made


def root_of(folder: Path, *sources: Mapping[str, Any], **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "sources.yaml").write_text(yaml.safe_dump({"sources": list(sources)}), encoding="utf-8")
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return folder


OTHER = {"name": "other", "kind": "other", "bucket": "b"}


def pulled(root: Path, wanted: Range = THREE, names: Sequence[str] = (), **options: Any) -> PulledSource:
    return pull(root, wanted, names, World({}), **options)[0]


def values(root: Path) -> list[float]:
    """Of the file of the source, by time."""
    table = pq.read_table(root / "history" / "other.parquet").sort_by("timestamp")
    found: list[float] = table["value"].to_pylist()
    return found


def content(folder: Path) -> dict[str, bytes]:
    """Every file but the lock; nothing half-written may be among them."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".pull.lock"
    }


def by_hour(count: int, begin: datetime = DAY0, value: float = 0.0) -> list[Row]:
    return [(begin + n * HOUR, "web", "load", value + n) for n in range(count)]


def test_a_pull_is_read_by_the_run(work: Path, plugin: Plugin) -> None:
    plugin.rows = by_hour(5)
    root = root_of(work, OTHER)
    outcome = pulled(root)
    assert (outcome.error, outcome.rows, outcome.series) == ("", 5, 1)
    assert outcome.span == ("2026-01-01T00:00:00Z", "2026-01-01T04:00:00Z")
    assert load_org(root).history.series("load", "web")[1].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    (ask,) = plugin.asked
    assert (ask.since, ask.until) == (DAY0, DAY0 + 3 * DAY)


@pytest.mark.parametrize(
    ("rows", "error", "needed"),
    [
        (by_hour(3), InputError("source other: gone"), "source other: gone"),
        ([(DAY0, "web", "load", float("inf"))], None, "source other: inf is not allowed: a finite number is"),
        ([(DAY0, "", "load", 1.0)], None, "source other: empty; every sample needs a repo"),
        ([(DAY0, "w" * 1001, "load", 1.0)], None, "a name of 1001 characters; up to 1000 are allowed"),
        ([(DAY0, "web", "availability", 60.0)], None, "availability of web is 60; allowed: 0 to 1 (ratio)"),
        (by_hour(1) + by_hour(1, value=7), None, "7 for web, load"),
        (by_hour(1, DAY0 - DAY), None, "no sample from 2026-01-01T00:00:00Z to 2026-01-04T00:00:00Z"),
    ],
)
def test_a_source_that_fails_leaves_what_was_there(
    work: Path, plugin: Plugin, rows: list[Row], error: Exception | None, needed: str
) -> None:
    root = root_of(work, OTHER)
    plugin.rows = by_hour(2)
    pulled(root)
    before = content(root)
    plugin.rows, plugin.error = rows, error
    outcome = pulled(root)
    assert needed in outcome.error
    assert "\n" not in outcome.error
    assert content(root) == before


def test_what_fails_stops_no_other_source(work: Path, plugin: Plugin) -> None:
    plugin.rows = by_hour(2)
    root = root_of(work, {"name": "lake", "kind": "parquet", "url": "nowhere"}, OTHER)
    lake, other = pull(root, THREE, (), World({}))
    assert "source lake" in lake.error
    assert other.error == ""
    assert sorted(content(root)) == ["history/other.parquet", "pulled.json", "sources.yaml"]


def test_samples_of_earlier_pulls_stay_outside_the_range(work: Path, plugin: Plugin) -> None:
    root = root_of(work, OTHER)
    plugin.rows = by_hour(72)
    pulled(root)
    plugin.rows = by_hour(24, DAY0 + DAY, 500.0)
    outcome = pulled(root, Range(DAY0 + DAY, DAY0 + 2 * DAY))
    assert (outcome.rows, outcome.kept) == (24, 48)
    assert values(root) == [*range(24), *range(500, 524), *range(48, 72)]


def test_the_same_pull_again_gives_the_same_bytes(work: Path, plugin: Plugin) -> None:
    root = root_of(work, OTHER)
    plugin.rows = by_hour(72)
    pulled(root)
    before = (root / "history" / "other.parquet").read_bytes()
    pulled(root)
    assert (root / "history" / "other.parquet").read_bytes() == before


def test_something_else_that_is_asked_keeps_nothing(work: Path, plugin: Plugin) -> None:
    root = root_of(work, OTHER)
    plugin.rows = by_hour(72)
    pulled(root)
    root_of(work, OTHER | {"bucket": "c"})
    plugin.rows = by_hour(1, DAY0 + DAY)
    outcome = pulled(root, Range(DAY0 + DAY, DAY0 + 2 * DAY))
    assert "earlier samples are not kept" in outcome.notes[0]
    assert values(root) == [0.0]


def test_a_file_that_no_pull_wrote_is_not_touched(work: Path, plugin: Plugin) -> None:
    root = root_of(work, OTHER)
    plugin.rows = by_hour(1)
    (root / "history").mkdir()
    (root / "history" / "other.parquet").write_bytes(b"mine")
    assert "is there, and no pull of other wrote it" in pulled(root).error
    assert content(root)["history/other.parquet"] == b"mine"


def test_large_answers_pass_the_gate_piece_by_piece(
    work: Path, plugin: Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "CHUNK", 10)
    root = root_of(work, OTHER)
    plugin.rows = by_hour(25)
    assert pulled(root).rows == 25
    assert pq.ParquetFile(root / "history" / "other.parquet").num_row_groups == 3
    plugin.rows = [*by_hour(24), (DAY0, "web", "availability", 2.0)]
    assert "availability of web is 2" in pulled(root).error


def test_running_totals_are_declared_by_the_source(work: Path, plugin: Plugin) -> None:
    rows = [(DAY0 + n * HOUR, "web", "requests_total", 1000.0 * n) for n in range(48)]
    pq.write_table(
        pa.table({name: [row[n] for row in rows] for n, name in enumerate(("timestamp", "repo", "metric", "value"))}),
        work.with_suffix(".parquet"),
    )
    lake = {"name": "lake", "kind": "parquet", "url": f"../{work.name}.parquet"}
    root = root_of(work, lake)
    assert "running total" in pulled(root).error
    root_of(work, lake | {"metrics": {"requests_total": {"kind": "counter"}}})
    assert pulled(root).error == ""
    assert "requests_total: {kind: counter}" in (root / "org.yaml").read_text(encoding="utf-8")
    assert load_org(root).history.series("requests_total", "web")[1].tolist() == [1000.0] * 47


def lake_of(work: Path, value: float, **fields: Any) -> Path:
    """A root whose lake has one sample of a latency."""
    table = pa.table({"timestamp": [DAY0 + HOUR], "repo": ["web"], "metric": ["latency"], "value": [value]})
    work.mkdir()
    pq.write_table(table, work / "lake.parquet")
    return root_of(work, {"name": "other", "kind": "parquet", "url": "lake.parquet"} | fields)


def test_units_become_those_of_org_yaml_or_are_declared_in_it(work: Path) -> None:
    root = lake_of(work, 250.0, metrics={"latency": {"unit": "ms"}})
    pulled(root)
    assert values(root) == [250.0]
    assert "latency: {unit: ms}" in (root / "org.yaml").read_text(encoding="utf-8")
    (root / "org.yaml").write_text("metrics: {latency: {unit: s}}\n", encoding="utf-8")
    pulled(root)
    assert values(root) == [0.25]
    (root / "org.yaml").write_text("metrics: {latency: {kind: count}}\n", encoding="utf-8")
    lake = {"name": "other", "kind": "parquet", "url": "lake.parquet", "metrics": {"latency": {"kind": "gauge"}}}
    root_of(work, lake)
    assert "metrics.latency.kind: gauge, but org.yaml says count" in pulled(root).error


def test_samples_stand_where_the_root_has_them(work: Path) -> None:
    root = lake_of(work, 1.0, stamp="end", interval="1h")
    pulled(root)
    stamps = pq.read_table(root / "history" / "other.parquet")["timestamp"].to_pylist()
    assert stamps == [DAY0]
    (root / "org.yaml").write_text("samples: {stamp: end}\n", encoding="utf-8")
    pulled(root)
    assert pq.read_table(root / "history" / "other.parquet")["timestamp"].to_pylist() == [DAY0 + HOUR]
    root_of(work, {"name": "other", "kind": "parquet", "url": "lake.parquet"})
    assert "interval is needed: samples are stamped at the start" in pulled(root).error


def test_an_interval_that_is_not_over_is_left_for_the_next_pull(work: Path) -> None:
    root = lake_of(work, 1.0, interval="1h")
    early = Range(DAY0, DAY0 + 2 * HOUR - timedelta(seconds=1))
    assert "no sample from" in pulled(root, early).error
    assert pulled(root, Range(DAY0, DAY0 + 2 * HOUR)).rows == 1


def deploy(hour: int, title: str, repo: str = "web") -> Event:
    return Event(DAY0 + hour * HOUR, repo, "deploy", title, f"{repo}@{hour}")


def test_events_of_a_source_are_replaced_and_those_of_people_stay(work: Path, plugin: Plugin) -> None:
    mine = "timestamp;repo;kind;title\n2026-01-01T09:00:00+01:00;web;config;By hand\n"
    root = root_of(work, OTHER, events_csv=mine)
    plugin.events = [deploy(30, "One"), deploy(2, "=cmd()")]
    assert pulled(root).events == 2
    plugin.events = [deploy(30, "One, failed")]
    pulled(root, Range(DAY0 + DAY, DAY0 + 2 * DAY))
    rows = (root / "events.csv").read_text(encoding="utf-8").splitlines()
    assert rows == [
        "timestamp;repo;kind;title;ref;until;source",
        "2026-01-01T09:00:00+01:00;web;config;By hand;;;",
        "2026-01-01T02:00:00Z;web;deploy;'=cmd();web@2;;other",
        "2026-01-02T06:00:00Z;web;deploy;One, failed;web@30;;other",
    ]


def test_incidents_are_added_and_known_ones_say_what_is_known_now(work: Path, plugin: Plugin) -> None:
    root = root_of(work, OTHER)
    plugin.incidents = [PastIncident(DAY0, "Down", "pager", "P1", "web")]
    pulled(root)
    (root / "incidents.csv").write_text(
        (root / "incidents.csv").read_text(encoding="utf-8").replace(",Down,,,", ",Down,,2025-12-31T23:00:00Z,"),
        encoding="utf-8",
    )
    plugin.incidents = [PastIncident(DAY0, "Web is down", "pager", "P1", "web", resolved=DAY0 + HOUR)]
    assert pulled(root).incidents == 1
    assert (root / "incidents.csv").read_text(encoding="utf-8").splitlines() == [
        "detected,repo,title,severity,started,acknowledged,resolved,source,ref",
        "2026-01-01T00:00:00Z,web,Web is down,,2025-12-31T23:00:00Z,,2026-01-01T01:00:00Z,pager,P1",
    ]


def test_services_are_added_to_org_yaml_and_its_own_words_win(work: Path, plugin: Plugin) -> None:
    mine = "# ours\nrepos:\n  web: {team: shop}  # asked for by Ada\n"
    root = root_of(work, OTHER, org_yaml=mine)
    plugin.repos = [Repo("web", "Web", team="platform", tier=1), Repo("api", "api", team="core")]
    plugin.dependencies = [Dependency("web", "api")]
    outcome = pulled(root)
    assert outcome.notes == ("org.yaml says shop for team of web, other says platform; org.yaml is kept",)
    text = (root / "org.yaml").read_text(encoding="utf-8")
    assert "# ours" in text
    assert "# asked for by Ada" in text
    org = yaml.safe_load(text)
    assert org["repos"] == {"web": {"name": "Web", "team": "shop", "tier": 1}, "api": {"team": "core"}}
    assert org["dependencies"] == [{"from": "web", "to": "api"}]
    pulled(root)
    assert (root / "org.yaml").read_text(encoding="utf-8") == text


def test_the_record_says_what_was_asked_and_what_came(work: Path, plugin: Plugin) -> None:
    plugin.rows = by_hour(2)
    root = root_of(work, OTHER)
    pulled(root)
    (entry,) = json.loads((root / "pulled.json").read_text(encoding="utf-8"))["sources"].values()
    assert (entry["asked"], entry["rows"], entry["since"]) == ({"bucket": "b"}, 2, "2026-01-01T00:00:00Z")
    assert len(entry["sha256"]) == 64


def test_a_check_writes_nothing(work: Path, plugin: Plugin) -> None:
    plugin.rows = by_hour(2)
    root = root_of(work, OTHER)
    outcome = pulled(root, check=True)
    assert outcome.outlook == PullOutlook(series=1, samples=2)
    assert sorted(content(root)) == ["sources.yaml"]


def test_one_pull_at_a_time(work: Path, plugin: Plugin) -> None:
    from filelock import FileLock

    plugin.rows = by_hour(1)
    root = root_of(work, OTHER)
    with FileLock(root / ".pull.lock"), pytest.raises(InputError, match="another pull is at work in it"):
        pulled(root)


def test_sources_are_asked_by_name(work: Path, plugin: Plugin) -> None:
    root = root_of(work, OTHER, OTHER | {"name": "more"})
    plugin.rows = by_hour(1)
    assert [one.source for one in pull(root, THREE, ("more",), World({}))] == ["more"]
    with pytest.raises(ConfigError, match="--source nobody: not in sources.yaml; allowed: other, more"):
        pulled(root, names=("nobody",))


def test_a_root_without_sources_is_told_what_it_needs(work: Path) -> None:
    with pytest.raises(InputError, match="an org-health folder is needed"):
        pulled(work)
    work.mkdir()
    with pytest.raises(ConfigError, match="no such file; it says which systems are asked"):
        pulled(work)


def test_tags_and_merges_of_a_clone_are_events(work: Path) -> None:
    clone = work.parent / "clone"

    def git(*words: str, hour: int = 1) -> None:
        time = f"{(DAY0 + hour * HOUR).isoformat()}"
        who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org"}
        who |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org"}
        settings = {"GIT_AUTHOR_DATE": time, "GIT_COMMITTER_DATE": time, "GIT_CONFIG_GLOBAL": str(work.parent / "no")}
        subprocess.run(
            ["git", "-C", str(clone), *words], check=True, capture_output=True, env=os.environ | who | settings
        )

    clone.mkdir()
    git("init", "-q", "-b", "main")
    git("commit", "-q", "--allow-empty", "-m", "one")
    git("tag", "-a", "v1", "-m", "first", hour=2)
    git("checkout", "-q", "-b", "side")
    git("commit", "-q", "--allow-empty", "-m", "two", hour=3)
    git("checkout", "-q", "main")
    git("merge", "-q", "--no-ff", "side", "-m", "Take the pool\twith a tab", hour=4)
    git("tag", "v2")
    git("tag", "nightly", hour=5)
    root = root_of(work, {"name": "web", "kind": "git", "path": "../clone", "repo": "web", "tags": "v*"})
    assert pulled(root).events == 3
    rows = (root / "events.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert [row.split(",")[:4] for row in rows] == [
        ["2026-01-01T02:00:00Z", "web", "deploy", "v1"],
        ["2026-01-01T04:00:00Z", "web", "change", "Take the pool with a tab"],
        ["2026-01-01T04:00:00Z", "web", "deploy", "v2"],
    ]
    root_of(work, {"name": "web", "kind": "git", "path": "..", "repo": "web"})
    assert "source web: git: fatal" in pulled(root).error
    root_of(work, {"name": "web", "kind": "git", "path": "../clone", "repo": "web", "branch": "--output=x"})
    assert "the name of a branch is needed" in pulled(root).error
