"""The how-tos of `docs/pull.md`: every example of `sources.yaml` is accepted, and what needs no network is run as typed."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
import servers
import yaml
from click.testing import CliRunner

from tars_lib.cli.main import cli
from tars_lib.config.pulling.file import FORMS, read_sources
from tars_lib.sources.demo import demo_root

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "pull.md").read_text(encoding="utf-8")
MARKED = re.compile(r"^<!-- (sources|run): (\w+) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SOURCES = {name: code for what, name, code in MARKED.findall(PAGE) if what == "sources"}
RUNS = {name: code for what, name, code in MARKED.findall(PAGE) if what == "run"}
BREACH = 142


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the demo's root but for its samples."""
    root = tmp_path / "org-health"
    root.mkdir()
    for name in ("org.yaml", "events.csv", "sla-policies.yaml"):
        (root / name).write_bytes((demo_root() / name).read_bytes())
    monkeypatch.chdir(tmp_path)
    return root


def typed(root: Path, name: str, **replaced: str) -> str:
    """Run a how-to from top to bottom; what was printed."""
    text = SOURCES[name]
    for old, new in replaced.items():
        text = re.sub(rf"{old}: \S+", f"{old}: {new}", text, count=1)
    (root / "sources.yaml").write_text(text, encoding="utf-8")
    said = ""
    for line in RUNS[name].splitlines():
        done = CliRunner().invoke(cli, shlex.split(line, comments=True)[1:])
        assert done.exit_code in ((0,) if " pull " in line else (0, BREACH)), done.output
        said += done.output
    return said


def test_every_example_is_accepted_and_every_kind_has_one(tmp_path: Path) -> None:
    kinds = set()
    for text in SOURCES.values():
        (tmp_path / "sources.yaml").write_text(text, encoding="utf-8")
        kinds |= {form.kind for form in read_sources(tmp_path / "sources.yaml", "sources.yaml")}
    assert kinds == FORMS.keys() - {"gitlab"}
    assert all(f"`{kind}`" in PAGE.split("## Keys of sources.yaml")[1] for kind in FORMS)


def test_keys_of_the_page_exist() -> None:
    table = PAGE.split("## Keys of sources.yaml")[1].split("\nA secret")[0]
    named = set(re.findall(r"`([a-z_]+)`", table)) - FORMS.keys() - {"gauge", "count", "counter", "start", "end", "_"}
    known = {key for form in FORMS.values() for key in form.model_fields}
    known |= set(FORMS["sql"].model_fields["auth"].annotation.model_fields)  # type: ignore[union-attr]
    known |= {"unit", "kind", "higher_is_better", "minimum", "maximum"}
    assert named <= known


@pytest.mark.xdist_group("servers")
def test_from_prometheus(here: Path, prometheus: str) -> None:
    said = typed(here, "prometheus", url=prometheus)
    assert "prod: reached; would give " in said
    assert "2 dependencies" in said
    assert "Availability was breached in ledger" in said


def test_from_a_warehouse(here: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    # ten requests for each of the demo's hundred, so that the database has something to count
    made = (
        "create table requests as select t.timestamp + (i * interval 6 minute) as finished_at, t.repo as service, "
        "case when i < round(10 * f.value / t.value) then 500 else 200 end as status, l.value as seconds "
        "from m as t join m as f using (timestamp, repo) join m as l using (timestamp, repo), range(10) as r(i) "
        "where t.metric = 'requests_total' and f.metric = 'requests_failed' and l.metric = 'latency_p95' and t.value > 0"
    )
    with duckdb.connect(str(here / "warehouse.duckdb")) as connection:
        connection.execute("create temp table m as from read_parquet($1)", [str(demo_root() / "history.parquet")])
        connection.execute(made)
    said = typed(here, "sql")
    assert "samples of 36 series from 2026-10-20T00:00:00Z to 2026-11-02T15:00:00Z" in said
    assert "run: " in said


def test_from_a_lake(here: Path) -> None:
    rows: dict[tuple[Any, str], dict[str, Any]] = {}
    names = {"requests_total": "requests", "requests_failed": "errors"}
    for row in servers.demo_rows():
        found = rows.setdefault((row["timestamp"], row["repo"]), {"time": row["timestamp"], "service": row["repo"]})
        if row["metric"] in names:
            found[names[row["metric"]]] = row["value"]
            found["date"] = f"{row['timestamp']:%Y-%m-%d}"
    table = pa.Table.from_pylist(list(rows.values()))
    ds.write_dataset(
        table,
        here.parent / "lake",
        format="parquet",
        partitioning=["date"],
        partitioning_flavor="hive",
        max_partitions=99,
    )
    # a day that nobody asks for is not read: what stands in it would be refused
    (left_out,) = (here.parent / "lake" / "date=2026-09-28").iterdir()
    spoiled = pa.table(
        {"time": [datetime(2026, 10, 25, tzinfo=UTC)], "service": ["web"], "requests": [-1.0], "errors": [0.0]}
    )
    pq.write_table(spoiled, left_out)
    assert "Availability was breached in ledger" in typed(here, "parquet")


def test_from_a_clone(here: Path) -> None:
    clone = here.parent / "clone"
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    clone.mkdir()
    then = os.environ | {"GIT_COMMITTER_DATE": "2026-01-05T10:00:00Z", "GIT_AUTHOR_DATE": "2026-01-05T10:00:00Z"}
    for words in (["init", "-q"], [*who, "commit", "-q", "--allow-empty", "-m", "x"], ["tag", "v1"]):
        subprocess.run(["git", "-C", str(clone), *words], check=True, capture_output=True, env=then)
    assert "web-tags: 1 event" in typed(here, "git")


def test_what_needs_the_network_is_parsed() -> None:
    for name in RUNS.keys() - {"prometheus", "sql", "parquet", "git"}:
        for line in RUNS[name].splitlines():
            command, *rest = shlex.split(line, comments=True)[1:]
            found = cli.get_command(None, command)  # type: ignore[arg-type]
            assert found is not None
            found.make_context(command, rest)


def test_the_plugin_of_the_page_is_one(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"^<!-- plugin -->\n```py\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    module = SimpleNamespace()
    exec(compile(code, "pull.md", "exec"), module.__dict__)  # noqa: S102 - the page's own example
    entry = SimpleNamespace(name="level", value="x:y", load=lambda: module)
    monkeypatch.setattr(
        "importlib.metadata.entry_points", lambda group, name="level": [entry] if name == "level" else []
    )
    entry_text = {"name": "mine", "kind": "level", "level": 0.5}
    (here / "sources.yaml").write_text(yaml.safe_dump({"sources": [entry_text]}), encoding="utf-8")
    done = CliRunner().invoke(cli, ["pull", "--root", str(here), "--since", "1d"])
    assert (done.exit_code, done.stderr) == (0, "")
    assert "mine: 1 sample of 1 series" in done.stdout
