"""`tars run` and `tars report` on an object store: the same bytes as on a disk, whole or not at all."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from object_store import Store, moto_endpoint, store  # noqa: F401 - fixtures

from tars_lib.cli.main import cli
from tars_lib.sources.demo import demo_root

RUN = "tars-run-20260105-143000"


def call(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


@pytest.fixture(autouse=True)
def pinned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767620000")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))


@pytest.mark.slow
def test_a_run_on_a_store_is_the_run_on_a_disk(store: Store, tmp_path: Path) -> None:  # noqa: F811
    store.put_folder(demo_root(), "acme/org-health")
    words = ("--timestamp", "20260105-143000", "--print-paths")
    here = call("run", "--root", demo_root(), "--outdir", "runs", *words)
    there = call("run", "--root", "s3://bucket/acme/org-health", "--outdir", "s3://bucket/runs", *words)
    assert there.exit_code == here.exit_code == 142, there.output
    files = [path for path in (tmp_path / "runs" / RUN).iterdir() if path.name not in ("status.json", "manifest.json")]
    for path in files:
        assert store.get(f"runs/{RUN}/{path.name}") == path.read_bytes(), path.name
    assert json.loads(store.get(f"runs/{RUN}/status.json"))["root"] == "s3://bucket/acme/org-health"
    assert f"run: s3://bucket/runs/{RUN}\n" in there.stdout
    assert f"s3://bucket/runs/{RUN}/status.json" in there.stdout.splitlines()
    # a name that is taken there gets the next suffix
    again = call("run", "--root", demo_root(), "--outdir", "s3://bucket/runs", *words[:2], "--quiet")
    assert again.exit_code == 142
    assert json.loads(store.get(f"runs/{RUN}-2/status.json"))["run_id"] == f"{RUN}-2"
    assert list((tmp_path / "temporary").iterdir()) == [], "copies are left behind"

    runs = "s3://bucket/runs/tars-run-*"
    done = call("report", "propagation", "--run", runs, "--output", "s3://bucket/pages", "--format", "html")
    assert done.exit_code == 0, done.output
    assert f"the newest is used: s3://bucket/runs/{RUN}-2" in done.stderr
    assert done.stdout.splitlines() == [f"s3://bucket/pages/propagation.{kind}" for kind in ("ipynb", "html")]
    assert b"<html" in store.get("pages/propagation.html")
    assert "temporary" not in done.output


def test_a_dry_run_writes_nothing_there(store: Store) -> None:  # noqa: F811
    store.put_folder(demo_root(), "org-health")
    where = ("--root", "s3://bucket/org-health", "--outdir", "s3://bucket/runs")
    done = call("run", *where, "--dry-run", "--timestamp", "20260105-143000")
    assert done.exit_code == 0
    assert f"would write: s3://bucket/runs/{RUN}" in done.stdout
    assert store.listed("runs") == []


def test_what_is_refused_is_named_by_its_address(store: Store) -> None:  # noqa: F811
    store.put("bad/history.csv", b"a,b\n")
    store.put("none/readme.txt", b"x")
    for root, code, said in (
        ("s3://bucket/bad", 95, "history.csv, row 1: column timestamp"),
        ("s3://bucket/none", 93, "error: s3://bucket/none: no service found"),
        ("s3://bucket/gone", 95, "error: s3://bucket/gone: nothing is there"),
    ):
        done = call("run", "--root", root, "--outdir", "s3://bucket/runs")
        assert done.exit_code == code
        assert said in done.stderr
        assert "temporary" not in done.stderr
    assert store.listed("runs") == []
    done = call("report", "executive_summary", "--run", "s3://bucket/runs/tars-run-*")
    assert (done.exit_code, "nothing found" in done.stderr) == (1, True)
    done = call("report", "executive_summary", "--run", "s3://bucket/none")
    assert "s3://bucket/none: no run directory" in done.stderr


@pytest.mark.parametrize("address", ["s3://key:hidden@bucket/x", "http://host/x"])
def test_an_address_that_cannot_be_used_is_wrong_usage(address: str) -> None:
    done = call("run", "--root", address)
    assert done.exit_code == 2
    assert "hidden" not in done.output
