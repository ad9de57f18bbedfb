"""A history in many files, read part by part, and runs that refer to it: the same bytes as of one file that is copied."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from org_samples import DAILY, T0, RootBuilder, Row, counts, samples_of, series

from tars_lib.cli.main import cli
from tars_lib.errors import InputError
from tars_lib.evidence.gather import referred_samples
from tars_lib.evidence.runs import lay_out, read_run
from tars_lib.model import samples, sorting
from tars_lib.model.admission import admit
from tars_lib.model.history import History
from tars_lib.model.samples import Gathering
from tars_lib.model.slo import ratio
from tars_lib.model.slo import rows as track_rows
from tars_lib.pipeline import load_run
from tars_lib.pipeline.loading import load_org
from tars_lib.sources import parquet_types
from tars_lib.stats.series import spans

EVENTS = (
    "timestamp,repo,kind,title,until\n"
    "2026-02-10T00:00:00Z,,maintenance,Move,2026-02-11T00:00:00Z\n"
    "2026-02-20T00:00:00Z,web,deploy,Version 2,\n"
)
COUNTER = "metrics: {jobs_total: {kind: counter}}\nname: Acme\n"


def make_small(patch: pytest.MonkeyPatch) -> None:
    """Files of more than seven rows are read in parts, nothing is held in between, and few services are looked at together."""
    for module in (samples, sorting, parquet_types):
        patch.setattr(module, "PART_ROWS", 7)
    for module in (spans, track_rows, ratio):
        patch.setattr(module, "BLOCK", 7)
    patch.setattr(samples, "HELD_ROWS", 0)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1780000000")


def messy_rows() -> list[Row]:
    """Sixty days of three services: in no order, some twice, some without a value, one name in two spellings, a counter."""
    rng = np.random.default_rng(3)
    rows = series("web", "health_score", 80 + rng.normal(0, 3, 60))
    rows += series("Api", "health_score", 60 + rng.normal(0, 3, 60))
    rows += [(time, "api", name, value) for time, _, name, value in rows[100:]]
    del rows[100:120]
    rows += counts("web", rng.poisson(900, 60), rng.poisson(9, 60))
    rows += counts("shop", rng.poisson(500, 60), [*rng.poisson(3, 50), *rng.poisson(60, 10)])[:-4]
    rows += series("Api", "jobs_total", np.cumsum(rng.poisson(50, 60)))
    rows += rows[5:12]
    rows[40] = (*rows[40][:3], float("nan"))
    return [rows[at] for at in rng.permutation(len(rows))]


def parquet(path: Path, rows: list[Row], without: tuple[str, ...] = ()) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = dict(zip(("timestamp", "repo", "metric", "value"), map(list, zip(*rows, strict=True)), strict=True))
    pq.write_table(pa.table({name: cells for name, cells in columns.items() if name not in without}), path)


def run_of(root: Path, name: str, *words: str) -> Path:
    done = CliRunner().invoke(
        cli,
        ["run", "--root", str(root), "--outdir", str(root.parent / "runs"), "--timestamp", name, "--exit-zero", *words],
    )
    assert done.exit_code == 0, done.output
    return root.parent / "runs" / f"tars-run-{name}"


def reports(run: Path, *passed_over: str) -> dict[str, object]:
    """Every report without what differs with the files that were read."""
    found: dict[str, object] = {}
    for path in (*sorted(run.glob("*-report.json")), run / "org-alerts.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        found[path.name] = {
            key: value for key, value in content.items() if key not in ("inputs", "report_id", *passed_over)
        }
    return found


def held(history: History) -> tuple[object, ...]:
    return (
        history.repos,
        history.metrics,
        history.times(0, history.starts.size).tolist(),
        history.value.tolist(),
        history.offsets.tolist(),
    )


def test_a_dataset_of_parts_gives_the_reports_of_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1780000000")
    rows = messy_rows()
    one, many = tmp_path / "one" / "org", tmp_path / "many" / "org"
    parquet(one / "history.parquet", rows)
    days = sorted({row[0].date() for row in rows})
    for number, day in enumerate(days[::10]):
        group = [row for row in rows if 0 <= (row[0].date() - day).days < 10]
        parquet(many / "history" / f"year=2026/part={number}" / "rows.parquet", group)
    (many / "history" / "_SUCCESS").write_text("")
    for root in (one, many):
        (root / "org.yaml").write_text(COUNTER, encoding="utf-8")
        (root / "events.csv").write_text(EVENTS, encoding="utf-8")
    whole = run_of(one, "20260301-120000")
    make_small(monkeypatch)
    parted = run_of(many, "20260301-120000")
    history = "org-health-report.history.parquet"
    assert (parted / history).read_bytes() == (whole / history).read_bytes()
    assert reports(parted) == reports(whole)
    warnings = load_run(whole).health.warnings
    assert "7 identical duplicate samples were dropped" in warnings
    assert "1 rows have no value and count as missing samples" in warnings


def test_metrics_share_the_times_of_their_repo_also_where_other_repos_have_as_many(
    tmp_path: Path, small_parts: None
) -> None:
    rng = np.random.default_rng(4)
    days = {repo: (0, *np.sort(rng.choice(np.arange(1, 29), 12, replace=False)).tolist(), 30) for repo in "abcdef"}
    for name in ("latency_p95", "lead_time"):
        rows: list[Row] = [(T0 + day * DAILY, repo, name, 1.0) for repo, mine in days.items() for day in mine]
        parquet(tmp_path / "org" / "history" / f"{name}.parquet", rows)
    history = load_org(tmp_path / "org").history
    assert history.time.size == 6 * 14
    assert history.have_same_times("latency_p95", "lead_time")


def test_folders_say_the_repo_and_the_metric(tmp_path: Path, small_parts: None) -> None:
    rows = series("web shop", "health_score", range(60, 90)) + series("api", "health_score", range(40, 70))
    for repo in ("web shop", "api"):
        own = [row for row in rows if row[1] == repo]
        place = tmp_path / "org" / "history" / f"repo={quote(repo)}" / "metric=health_score" / "data.parquet"
        parquet(place, own, without=("repo", "metric"))
    assert held(load_org(tmp_path / "org").history) == held(admit(samples_of(rows), {}))


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("repo=__HIVE_DEFAULT_PARTITION__/a.parquet", "row 1, column repo: empty; every sample needs a repo"),
        ("a.parquet", "row 1: column repo is missing"),
        ("_delta_log/a.parquet", "history: a Delta table, in which files that were replaced still lie"),
    ],
)
def test_files_that_cannot_be_placed_are_refused(tmp_path: Path, place: str, said: str) -> None:
    parquet(tmp_path / "org" / "history" / place, series("web", "health_score", [80, 81]), without=("repo",))
    with pytest.raises(InputError, match=said):
        load_org(tmp_path / "org")


@given(
    st.lists(
        st.tuples(
            st.integers(0, 6),
            st.sampled_from("ab"),
            st.sampled_from(["health_score", "requests_total", "requests_failed"]),
            st.sampled_from([0.0, 1.0, 7.0, 101.0, float("nan")]),
        ),
        max_size=30,
    ),
    st.lists(st.integers(0, 30), max_size=4),
)
def test_parts_are_admitted_and_refused_as_the_whole(
    points: list[tuple[int, str, str, float]], cuts: list[int]
) -> None:
    rows = [(T0 + timedelta(days=day), *rest) for day, *rest in points]
    whole = samples_of(rows)
    places = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    gathering = Gathering(0)
    for first, end in pairwise(places):
        part = samples_of(rows[first:end])
        gathering.add(partial(iter, (part,)))
        for origin in part.origins:  # rows keep the numbers that they have in the whole
            object.__setattr__(origin, "first_row", 2 + first)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorting, "PART_ROWS", 2)
        assert _admitted(gathering.all()) == _admitted(whole)


def _admitted(given_samples: samples.AnySamples) -> tuple[object, ...]:
    try:
        history = admit(given_samples, {})
    except InputError as error:
        return str(error), error.faults, error.rows
    return (*held(history), history.notes)


def test_a_run_that_refers_to_its_samples_reads_as_one_that_copies_them(tmp_path: Path, small_parts: None) -> None:
    root = tmp_path / "here" / "org"
    rows = messy_rows()
    parquet(root / "history" / "a" / "1.parquet", rows[:150])
    parquet(root / "history" / "b" / "2.parquet", rows[150:])
    (root / "org.yaml").write_text(COUNTER, encoding="utf-8")
    copy = run_of(root, "20260301-120000", "--as-of", "2026-02-20T00:00:00Z")
    words = ("--as-of", "2026-02-20T00:00:00Z", "--history", "reference")
    refers = run_of(root, "20260301-130000", *words)
    assert not list(refers.glob("*.parquet"))
    assert reports(refers, "history") == reports(copy, "history")
    moved = shutil.move(root.parent, tmp_path / "there")
    copied, referred = (load_run(Path(moved) / "runs" / run.name) for run in (copy, refers))
    assert held(referred.org.history) == held(copied.org.history)
    packed = [read_run(run.directory, name) for run, name in ((copied, "copied"), (referred, "referred"))]
    (told,) = referred_samples(packed)
    assert told.startswith("referred was made with --history reference: digests of its samples are here")
    laid = lay_out(packed[1], tmp_path / "elsewhere" / "run")
    assert laid is not None
    assert held(laid.org.history) == held(copied.org.history)
    part = Path(moved) / "org" / "history" / "b" / "2.parquet"
    parquet(part, rows[151:])
    with pytest.raises(InputError, match=r"2\.parquet: altered; sha256"):
        load_run(referred.directory)
    part.unlink()
    with pytest.raises(InputError, match=r"2\.parquet: missing; numbers of org-health-report\.json are in it"):
        load_run(referred.directory)


def test_samples_of_artefacts_cannot_be_referred_to(root: RootBuilder) -> None:
    root.add(series("web", "health_score", [80, 81]))
    root.file("api/trends/trend-report.json", {"history": [{"timestamp": "2026-01-01T00:00:00Z", "score": 70}]})
    words = ["run", "--root", str(root.write()), "--outdir", str(root.folder.parent), "--history", "reference"]
    done = CliRunner().invoke(cli, words)
    assert (done.exit_code, done.output.count("\n")) == (94, 1)
    assert "--history reference: some samples are of the folders of repos" in done.output


def test_more_samples_than_fit_into_memory_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet(tmp_path / "org" / "history" / "a.parquet", series("web", "health_score", range(60, 80)))
    monkeypatch.setattr(samples, "_ALWAYS_ROWS", 10)
    assert len(load_org(tmp_path / "org").history) == 20
    monkeypatch.setattr(samples, "_ROW_BYTES", 10**13)
    with pytest.raises(
        InputError, match="history: 20 rows or more; up to 0 are allowed on this machine, for its memory"
    ):
        load_org(tmp_path / "org")
