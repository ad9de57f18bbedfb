"""The same results from threads, processes and a real Dask cluster, also where a worker is killed in the middle."""

from __future__ import annotations

import dataclasses
import os
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from org_samples import DAILY, T0, counts, org_of, ratio
from scheduler_tasks import die, die_once, fail, last_digits

import tars_lib as tars
from tars_lib.cli.main import cli
from tars_lib.engines.sla.sli import measure, read_track
from tars_lib.errors import ConfigError, SchedulerError
from tars_lib.model.slo import rows as rows_of_tracks
from tars_lib.sources.demo import demo_root
from tars_lib.stats import scheduler
from tars_lib.stats.changes.break_points import lasting_breaks
from tars_lib.stats.forecasting.limit_crossing import forecast_breaches
from tars_lib.stats.scheduler import scheduled, using

KILLS = pytest.mark.skipif(sys.platform == "win32", reason="a process is killed by a signal")
pytestmark = pytest.mark.xdist_group("schedulers")


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a Dask scheduler with two worker processes."""
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: it is in the extra [dask]")
    made: Any = distributed.LocalCluster
    before = dict(os.environ)
    try:
        with made(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as started:
            yield started.scheduler_address
    finally:
        # what Dask sets here for each worker that it starts, a seed of hashes among it, is not for the tests that come after
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(params=["threads", "processes:2", "dask"])
def where(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue("cluster") if request.param == "dask" else request.param


def test_results_come_in_order(where: str) -> None:
    with using(where):
        assert list(scheduled(last_digits, 31, range(40))) == [31 * item % 1_000_000 for item in range(40)]
        assert list(scheduled(last_digits, 7, [])) == []


def test_what_a_task_raises_comes_back(where: str) -> None:
    with using(where), pytest.raises(ValueError, match=r"^broken 1$"):
        list(scheduled(fail, "broken", [1]))


def test_relations_are_the_same_bytes(where: str) -> None:
    rng = np.random.default_rng(4)
    values = rng.standard_normal((80, 420))
    values[3:, 7] += 2.0 * values[:-3, 5]
    frame = pd.DataFrame(values, columns=[f"service-{number}" for number in range(420)])
    found = tars.lead_lag(frame, max_lag=5, scheduler=where)
    assert found[["leader", "follower", "lag"]].to_numpy().tolist()[0] == ["service-5", "service-7", 3]
    pd.testing.assert_frame_equal(found, tars.lead_lag(frame, max_lag=5), check_exact=True)


@pytest.mark.parametrize(
    "where", ["threads", pytest.param("processes:2", marks=pytest.mark.thorough), "dask"], indirect=True
)
def test_changes_and_forecasts_are_the_same_bytes(where: str) -> None:
    rng = np.random.default_rng(8)
    values, columns = rng.standard_normal((70, 420)), np.arange(420)
    values[60:, ::35] -= 7.0
    values[30:, 5::70] += np.linspace(0.0, 9.0, 40)[:, None]
    basis, limits = np.ones((70, 1)) / np.sqrt(70.0), np.linspace(0.1, 4.0, 420)

    def found() -> tuple[object, ...]:
        breaks = lasting_breaks(values, np.where(columns % 2, 0.0, 0.3), basis)
        ahead = forecast_breaches(values, np.ones_like(values), 20, 20, limits)
        return breaks, ahead.probability.tolist(), ahead.method.tolist(), ahead.value.tolist()

    with using(where):
        elsewhere = found()
    assert elsewhere == found()
    breaks, _, methods, _ = elsewhere
    assert isinstance(breaks, list)
    assert len(breaks) > 5
    assert len(set(methods)) > 1  # type: ignore[call-overload]


def test_what_an_sla_measures_is_the_same_bytes(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng, names = np.random.default_rng(6), [f"service-{number:03d}" for number in range(410)]
    total = rng.poisson(400, (410, 6))
    rows = [row for name, events in zip(names, total, strict=True) for row in counts(name, events, events // 90)]
    org, policy = org_of(rows[40:], ratio(0.99)), ratio(0.99)
    track, end = read_track(org, policy), T0 + 5 * DAILY
    assert track is not None
    whole = measure(org, policy, track, policy.window, end)
    assert whole.half.any()  # of the services whose totals were dropped
    monkeypatch.setattr(rows_of_tracks, "BLOCK", 500)
    with using(where):
        parted = measure(org, policy, track, policy.window, end)
    for field in dataclasses.fields(whole):
        one, other = getattr(whole, field.name), getattr(parted, field.name)
        assert pickle.dumps(one) == pickle.dumps(other), field.name


def test_a_client_is_taken_as_it_is_and_left_open(cluster: str) -> None:
    import distributed

    connect: Any = distributed.Client
    with connect(cluster, set_as_default=False) as client:
        with using(client):
            assert list(scheduled(last_digits, 2, [4])) == [8]
        assert client.status == "running"


@KILLS
@pytest.mark.parametrize(("form", "large"), [("processes:2", 1), ("dask", scheduler.LARGE), ("dask", 1)])
def test_a_worker_that_is_killed_costs_time_and_nothing_else(
    form: str, large: int, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "LARGE", large)  # items that travel as data are lost with their worker
    with using(request.getfixturevalue("cluster") if form == "dask" else form):
        assert list(scheduled(die_once, str(tmp_path / "died"), range(6))) == [0, 1, 4, 9, 16, 25]
    assert (tmp_path / "died").exists()


@KILLS
def test_workers_that_keep_dying_are_one_sentence() -> None:
    with (
        using("processes:1"),
        pytest.raises(SchedulerError, match="a worker was ended from outside 4 times at one task"),
    ):
        list(scheduled(die, "", [1]))


@pytest.mark.parametrize(
    "text", ["", "thread", "processes", "processes:0", "processes:9999", "http://a:1", "tcp://a", "tcp://"]
)
def test_other_forms_are_refused_with_what_is_allowed(text: str) -> None:
    with (
        pytest.raises(ConfigError, match=r"^scheduler '.*' is not allowed: (threads, processes:N or|from 1 to 256)"),
        using(text),
    ):
        pass


def test_other_versions_on_the_workers_are_named(cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "versions", other_versions)
    with pytest.raises(SchedulerError, match=r"has numpy .*, and 0\.0 is here; the same is needed"), using(cluster):
        pass


def other_versions(dask_worker: object = None) -> dict[str, str]:
    return {"numpy": "1.0" if dask_worker is not None else "0.0"}


def test_a_cluster_that_does_not_answer_ends_the_command_with_1_and_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed", reason="Dask is not installed: it is in the extra [dask]")
    monkeypatch.setattr(scheduler, "PATIENCE", "1s")
    words = ["run", "--root", str(demo_root()), "--outdir", str(tmp_path / "runs")]
    told = CliRunner().invoke(cli, [*words, "--scheduler", "tcp://127.0.0.1:9"])
    # the cluster of the tests before this one lives in the same process, and may still log that it lost a client
    lines = [line for line in told.stderr.splitlines() if not line.startswith("INFO distributed.")]
    assert (told.exit_code, told.stdout, len(lines)) == (1, "", 1)
    assert "tcp://127.0.0.1:9: no Dask scheduler answers within 1s" in told.stderr
    assert not (tmp_path / "runs").exists()
    told = CliRunner(env={"TARS_SCHEDULER": "fast"}).invoke(cli, words)
    assert (told.exit_code, told.stdout) == (94, "")


@pytest.mark.slow
def test_reports_are_made_by_the_workers(cluster: str, tmp_path: Path, samples: Any) -> None:
    run = samples.run("demo").directory
    words = ["report", "propagation", "--run", str(run), "--output", str(tmp_path), "--format", "html"]
    told = CliRunner().invoke(cli, [*words, "--scheduler", cluster])
    assert told.exit_code == 0, told.output
    page = (tmp_path / "propagation.html").read_bytes()
    assert page == samples.report("propagation", "demo")["html"].read_bytes()
