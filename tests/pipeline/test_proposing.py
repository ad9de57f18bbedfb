"""What `tars init` proposes from the past of a root, and what it leaves alone."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tars_lib.cli.main import cli
from tars_lib.config.sla_policies import read_policies
from tars_lib.errors import InputError
from tars_lib.model.slo import RatioPolicy, ThresholdPolicy
from tars_lib.pipeline.proposing import PASTS, propose
from tars_lib.sources.root import read_root

START = datetime(2026, 1, 1, tzinfo=UTC)


def a_root(folder: Path, series: dict[tuple[str, str], list[float]], step: timedelta = timedelta(hours=1)) -> Path:
    """A root of these series, by repo and metric."""
    folder.mkdir()
    with (folder / "history.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["timestamp", "repo", "metric", "value"])
        for (repo, metric), values in series.items():
            writer.writerows(
                [(START + k * step).isoformat(), repo, metric, repr(value)] for k, value in enumerate(values)
            )
    return folder


def policies_of(root: Path) -> dict[str, ThresholdPolicy | RatioPolicy]:
    """The policies that a root has now, by id."""
    org = read_root(root)
    found, _ = read_policies(root / "sla-policies.yaml", "sla-policies.yaml", org.metrics)
    return {policy.sla_id: policy for policy in found}  # type: ignore[misc]


def written(root: Path) -> str:
    """What the command says."""
    done = CliRunner().invoke(cli, ["init", "--root", str(root)])
    assert done.exit_code == 0, done.output
    return done.output


def test_an_objective_is_the_percentile_of_past_windows_rounded_to_what_people_promise(tmp_path: Path) -> None:
    """Days of 0.20 s, and one in ten of 0.31 s: the 95th percentile of the means over a day is theirs."""
    days = [0.31 if day % 10 == 4 else 0.20 for day in range(40)]
    values = [level for level in days for _ in range(24)]
    root = a_root(tmp_path / "root", {("web", "latency_p95"): values})
    said = written(root)
    policy = policies_of(root)["latency-p95"]
    text = (root / "sla-policies.yaml").read_text(encoding="utf-8")
    # windows of 24 samples, six apart, from the one before the last window back
    ends = range(len(values) - 1 - 24, 23, -6)
    percentile = np.percentile([np.mean(values[end - 23 : end + 1]) for end in ends], 95)
    assert 0.25 < percentile < 0.3
    assert f"the 95th percentile of the mean over 1d was {percentile:.4g} s" in text
    assert policy.objective == 0.3
    assert (policy.unit, policy.window.days, policy.repos) == ("s", 1.0, ())
    assert "sla-policies.yaml: 1 objective proposed" in said
    assert "next: tars run --root" in said


def test_the_last_window_is_no_part_of_the_past_so_that_a_first_run_sees_it(tmp_path: Path) -> None:
    calm = [0.2] * 24 * 30
    for name, end in (("calm", [0.2] * 24), ("trouble", [9.0] * 24)):
        root = a_root(tmp_path / name, {("web", "latency_p95"): calm + end})
        written(root)
        assert policies_of(root)["latency-p95"].objective == 0.2
        done = CliRunner().invoke(cli, ["run", "--root", str(root), "--outdir", str(tmp_path / "runs")])
        assert done.exit_code == (142 if name == "trouble" else 0), done.output


def test_services_of_different_levels_get_an_objective_each(tmp_path: Path) -> None:
    root = a_root(
        tmp_path / "root", {("web", "latency_p95"): [0.41] * 24 * 25, ("api", "latency_p95"): [0.013] * 24 * 25}
    )
    written(root)
    assert {(name, p.objective, p.repos) for name, p in policies_of(root).items()} == {
        ("latency-p95-web", 0.5, ("web",)),
        ("latency-p95-api", 0.015, ("api",)),
    }


def test_many_services_share_the_objective_of_the_worst_which_the_comment_names(tmp_path: Path) -> None:
    series = {(f"s{k}", "latency_p95"): [0.01 * (k + 1)] * 24 * 25 for k in range(8)}
    root = a_root(tmp_path / "root", series)
    written(root)
    assert {(name, p.objective, p.repos) for name, p in policies_of(root).items()} == {("latency-p95", 0.08, ())}
    assert "in s7, the worst of 8 services" in (root / "sla-policies.yaml").read_text(encoding="utf-8")


def test_requests_become_a_ratio_with_a_share_that_people_promise(tmp_path: Path) -> None:
    total, failed = [1000.0 + k % 7 for k in range(24 * 25)], [1.0 + k % 3 for k in range(24 * 25)]
    root = a_root(
        tmp_path / "root",
        {("web", "requests_total"): total, ("web", "requests_failed"): failed, ("web", "health_score"): [87.3] * 600},
    )
    written(root)
    policies = policies_of(root)
    assert isinstance(policies["availability"], RatioPolicy)
    # 2 failures in 1,003 requests: 0.998 was met
    assert policies["availability"].objective == 0.998
    assert (policies["health-score"].objective, policies["health-score"].higher_is_better) == (85.0, True)


def test_what_cannot_be_proposed_is_said_with_what_is_missing(tmp_path: Path) -> None:
    root = a_root(
        tmp_path / "root",
        {("web", "queue_depth"): [3.0] * 600, ("web", "error_rate"): [0.0] * 600, ("web", "lead_time"): [5.0] * 3},
    )
    said = written(root)
    assert "queue_depth: whether more is better is not known; org.yaml needs metrics: {queue_depth: {higher" in said
    assert "error_rate: its past is 0" in said
    assert "lead_time: too few past windows with samples" in said
    assert not (root / "sla-policies.yaml").exists()


def test_files_that_are_there_are_never_touched(tmp_path: Path) -> None:
    root = a_root(tmp_path / "root", {("web", "latency_p95"): [0.2] * 600, ("web", "odd"): [1.0] * 600})
    (root / "org.yaml").write_text("# mine\nname: Acme\n", encoding="utf-8")
    (root / "sla-policies.yaml").write_text("policies: []  # none yet\n", encoding="utf-8")
    before = {path: path.read_bytes() for path in root.iterdir()}
    said = written(root)
    assert {path: path.read_bytes() for path in root.iterdir()} == before
    assert "org.yaml is there and is left as it is; it says nothing of metric latency_p95, metric odd" in said
    assert "sla-policies.yaml is there and is left as it is" in said


def test_a_dry_run_prints_the_files(tmp_path: Path) -> None:
    root = a_root(tmp_path / "root", {("web", "latency_p95"): [0.2] * 600})
    done = CliRunner().invoke(cli, ["init", "--root", str(root), "--dry-run"])
    assert "policies:" in done.output
    assert "web: {name: web}" in done.output
    assert [path.name for path in root.iterdir()] == ["history.csv"]


def test_a_past_that_is_too_short_for_the_longest_window_takes_a_shorter_one(tmp_path: Path) -> None:
    six_hours = a_root(tmp_path / "a", {("web", "latency_p95"): [0.2] * 361}, timedelta(minutes=1))
    year = a_root(tmp_path / "b", {("web", "latency_p95"): [0.2] * 360}, timedelta(days=1))
    assert PASTS == 20
    for root, window in ((six_hours, "15m"), (year, "7d")):
        written(root)
        assert str(policies_of(root)["latency-p95"].window) == window


def test_a_root_without_samples_has_no_past(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "org.yaml").write_text("repos: {web: {}}\n", encoding="utf-8")
    with pytest.raises(InputError, match="no sample in any file; tars import brings some"):
        propose(read_root(root), root)
