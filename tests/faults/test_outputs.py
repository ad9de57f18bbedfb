"""Whatever an option for output names: a link that leads nowhere, a file for a folder, a full disk end with one line."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from run_samples import RunSamples

from tars_lib.cli.main import cli
from tars_lib.evidence.sealing.bag import pack
from tars_lib.files.atomic import make_folder, write_bytes
from tars_lib.incidents.response.opening import by_hand, open_incident
from tars_lib.model.names import Severity
from tars_lib.pipeline import analyze, now, write_run
from tars_lib.pipeline.loading import load_org
from tars_lib.reports.notebooks.execute import export, run_notebook
from tars_lib.sources.demo import demo_root

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
POSIX = pytest.mark.skipif(os.name == "nt", reason="links of POSIX")
TAKEN = {"a link that leads nowhere": "gone", "a link to itself": "circle", "a file": "file"}
WRITERS = {
    "health --output": "health --root-dir {root} --output {place}/x.json",
    "run --junit": "run --root nowhere --junit {place}/x.xml",
    "run --github-summary": "run --root nowhere --github-summary {place}/x.md",
    "incident open --incidents-dir": "incident open --severity SEV-3 --title x --incidents-dir {place}/x",
    "incident ics --output": "incident ics INC-202605041200 --incidents-dir {incidents} --output {place}/x",
    "bundle create --output-dir": "bundle create --run-dir {run} --output-dir {place}",
    "bundle export --output": "bundle export {bundle} --output {place}/x",
    "report --output": "report incident_report --run {run} --output {place}",
    "package --output": "package --run {run} --output {place}",
    "demo --output": "demo --output {place}",
    "retention apply --archive-dir": "retention apply --archive-dir {place}/x",
}


@POSIX
@pytest.mark.parametrize("taken", TAKEN)
@pytest.mark.parametrize("writer", WRITERS)
def test_a_place_that_cannot_be_a_folder_is_one_line_that_says_what_is_there(
    samples: RunSamples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: str, taken: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_bytes(b"keep")
    (tmp_path / "gone").symlink_to("nowhere")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "bundle.zip").write_bytes(pack("bundle", {"a.txt": b"a"}, {}, now()))
    incidents = tmp_path / "incidents"
    words = ["incident", "open", "--severity", "SEV-3", "--title", "x", "--incidents-dir", str(incidents), "--quiet"]
    assert CliRunner().invoke(cli, words).exit_code == 0
    next(incidents.glob("INC-*")).rename(incidents / "INC-202605041200")
    known = {
        "root": demo_root(), "run": samples.run("demo").directory, "incidents": incidents,
        "bundle": "bundle.zip", "place": TAKEN[taken],
    }  # fmt: skip
    done = CliRunner().invoke(cli, [word.format(**known) for word in WRITERS[writer].split()])
    assert done.exit_code in (1, 2), done.output
    said = [line for line in done.stderr.splitlines() if line.lower().startswith("error: ")]
    assert len(said) == 1, done.stderr
    assert TAKEN[taken] in said[0]
    assert any(word in said[0] for word in ("is needed", "allowed: ", "is a file"))
    assert (tmp_path / "file").read_bytes() == b"keep"
    assert not (tmp_path / "nowhere").exists()


@POSIX
def test_a_run_into_a_link_that_leads_nowhere_makes_nothing(tmp_path: Path) -> None:
    (tmp_path / "runs").symlink_to("gone")
    with pytest.raises(OSError, match="a link that leads nowhere, where a folder is needed"):
        write_run(analyze(load_org(demo_root())), tmp_path / "runs" / "deeper")
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_a_folder_that_is_there_and_one_behind_a_link_are_taken_as_they_are(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "f").write_bytes(b"")
    with pytest.raises(OSError, match="no folder, where a folder is needed"):
        write_bytes(tmp_path / "f" / "g", b"x")


@pytest.mark.parametrize("command", ["health --root-dir {root}", "incident ics INC-202605041200"])
def test_an_empty_name_for_a_file_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.chdir(tmp_path)
    place = open_incident(tmp_path / "incidents", by_hand(Severity.SEV_3, "x"), "ada", NOON).incident.incident_id
    before = sorted(tmp_path.iterdir())
    words = [word.format(root=demo_root()).replace("INC-202605041200", place) for word in command.split()]
    done = CliRunner().invoke(cli, [*words, "--output", ""])
    assert (done.exit_code, done.stderr) == (1, "error: .: a folder is there; a file is needed\n")
    assert sorted(tmp_path.iterdir()) == before


@POSIX
@pytest.mark.slow
def test_a_link_in_place_of_an_executed_notebook_is_replaced_and_nothing_hidden_is_left(
    samples: RunSamples, tmp_path: Path
) -> None:
    (tmp_path / "precious").write_text("keep")
    place = tmp_path / "out" / "propagation.ipynb"
    place.parent.mkdir()
    place.symlink_to(tmp_path / "precious")
    run_notebook("propagation", {"run_dir": str(samples.run("demo").directory)}, place)
    assert ((tmp_path / "precious").read_text(), place.is_symlink()) == ("keep", False)
    assert [path.name for path in place.parent.iterdir()] == [place.name]


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root on Linux mounts a small disk")
def test_a_full_disk_names_the_run_bundle_page_or_archive_that_it_has_no_room_for(
    samples: RunSamples, small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, executed = samples.run("demo"), samples.report("welcome", "demo")["notebook"]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OSError, match="No space left") as caught:
        write_run(analyze(load_org(demo_root())), small_disk)
    assert caught.value.filename.startswith(str(small_disk / ".tars-run-"))
    with pytest.raises(OSError, match="No space left") as caught:
        export(executed, ("html",), small_disk)
    assert caught.value.filename == str(small_disk / "welcome.html")
    (tmp_path / "evidence.zip").write_bytes(pack("evidence", {"a.bin": bytes(100_000)}, {}, now()))
    shutil.copytree(run.directory, tmp_path / "reports" / "runs" / run.directory.name)
    for words, named in (
        ("bundle export evidence.zip --output disk", "disk/evidence.zip: No space left on device"),
        ("retention apply --archive-dir disk --now 2026-05-15T00:00:00Z", "No space left on device"),
    ):
        done = CliRunner().invoke(cli, words.split())
        assert done.exit_code == 1, done.output
        assert named in done.output
        assert done.output.count("No space left") == 1
    assert (tmp_path / "reports" / "runs" / run.directory.name).is_dir()
    assert [path for path in small_disk.rglob("*") if path.is_file() and not path.name.startswith(".lock")] == []
