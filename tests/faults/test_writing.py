"""A full disk, a lost permission, two writers, a kill: nothing half-written, one line, and the next run succeeds."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from org_samples import RootBuilder, counts, series

from tars_lib.errors import InputError, ReportError
from tars_lib.files import atomic
from tars_lib.files.atomic import LEFTOVER_SECONDS, write_bytes, write_together
from tars_lib.incidents.response.acts import Writer, note
from tars_lib.incidents.response.opening import by_hand, open_incident
from tars_lib.incidents.store.journal import read_entries
from tars_lib.incidents.store.verification import verify
from tars_lib.model.names import Severity
from tars_lib.pipeline import analyze, load_run, write_run

POSIX = pytest.mark.skipif(os.name == "nt", reason="file modes, links and limits of POSIX")
DAY = LEFTOVER_SECONDS
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
CAPPED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))
from tars_lib.cli.main import main
main()
"""


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> RootBuilder:
    rows = counts("web", [1000] * 40, [0] * 39 + [500]) + series("web", "health_score", [90] * 40)
    made = RootBuilder(tmp_path_factory.mktemp("org") / "org-health").add(rows)
    made.write()
    return made


def tars(*arguments: object, cwd: Path, code: str | None = None) -> subprocess.CompletedProcess[str]:
    start = ["-m", "tars_lib.cli.main"] if code is None else ["-c", code]
    return subprocess.run(
        [sys.executable, *start, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False
    )


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def assert_one_line(done: subprocess.CompletedProcess[str], reason: str) -> None:
    assert done.returncode == 1, done
    assert done.stderr.count("\n") == 1, done.stderr
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root on Linux mounts a small disk")
def test_a_full_disk_is_one_line_and_leaves_nothing_and_the_next_run_succeeds(
    org: RootBuilder, small_disk: Path
) -> None:
    before = digests(org.folder)
    (small_disk / "filler").write_bytes(b"x" * 40_000)
    done = tars("run", "--root", org.folder, "--outdir", small_disk, cwd=org.folder.parent)
    assert_one_line(done, "No space left on device")
    assert [path.name for path in small_disk.iterdir()] == ["filler"]
    assert digests(org.folder) == before
    subprocess.run(["mount", "-o", "remount,size=16m", small_disk], check=True)
    assert tars("run", "--root", org.folder, "--outdir", small_disk, cwd=org.folder.parent).returncode == 142


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root on Linux mounts a small disk")
def test_a_note_that_a_full_disk_refused_is_not_found_later(small_disk: Path) -> None:
    incident = open_incident(
        small_disk, by_hand(Severity.SEV_2, "Slow"), "ada", datetime(2026, 5, 4, 12, tzinfo=UTC)
    ).incident.incident_id
    before = digests(small_disk)
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 512)
    words = ("incident", "note", incident, "The queue grows", "--incidents-dir", small_disk)
    for _ in range(2):
        done = tars(*words, cwd=small_disk)
        assert_one_line(done, f"{incident}: the entry was not written: No space left on device")
    filler.unlink()
    assert digests(small_disk) == before
    assert tars(*words, cwd=small_disk).returncode == 0
    assert [entry.text for entry in read_entries(small_disk / incident)].count("The queue grows") == 1
    assert verify(small_disk / incident).is_intact


@POSIX
@pytest.mark.parametrize("arguments", [("run", "--root"), ("health", "--output", "h.json", "--root-dir")])
def test_a_file_that_cannot_grow_is_one_line_and_leaves_nothing(
    org: RootBuilder, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = tars(*arguments, org.folder, cwd=tmp_path, code=CAPPED.format(size=1000))
    assert_one_line(done, "File too large")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_under_stdout_is_one_line(org: RootBuilder, tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tars_lib.cli.main", "health", "--json", "--root-dir", str(org.folder)],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False, cwd=tmp_path,
        )  # fmt: skip
    assert_one_line(done, "No space left on device")


@POSIX
def test_a_reader_that_leaves_ends_the_command_without_a_word(org: RootBuilder, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tars_lib.cli.main", "health", "--json", "--root-dir", str(org.folder)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""


@pytest.mark.parametrize("command", ["run", "health"])
def test_an_outdir_that_cannot_be_made_is_one_line(org: RootBuilder, tmp_path: Path, command: str) -> None:
    (tmp_path / "file").write_text("x")
    told = ("--root", "--outdir") if command == "run" else ("--root-dir", "--output")
    done = tars(command, told[0], org.folder, told[1], tmp_path / "file" / "x", cwd=tmp_path)
    assert_one_line(done, "file")
    assert (tmp_path / "file").read_text() == "x"


@POSIX
def test_a_read_only_outdir_is_one_line(org: RootBuilder, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        read_only = Path("/proc/1")
    else:
        read_only = tmp_path / "locked"
        read_only.mkdir(mode=0o500)
    assert_one_line(tars("run", "--root", org.folder, "--outdir", read_only, cwd=tmp_path), str(read_only))


@POSIX
def test_read_only_inputs_are_read_and_left_as_they_are(org: RootBuilder, tmp_path: Path) -> None:
    (tmp_path / "org").mkdir()
    (tmp_path / "org" / "history.csv").write_bytes((org.folder / "history.csv").read_bytes())
    (tmp_path / "org" / "history.csv").chmod(0o400)
    (tmp_path / "org").chmod(0o500)
    try:
        assert tars("run", "--root", tmp_path / "org", cwd=tmp_path).returncode == 142
    finally:
        (tmp_path / "org").chmod(0o700)
    assert sorted(path.name for path in (tmp_path / "org").iterdir()) == ["history.csv"]


def test_two_pipelines_into_one_folder_get_a_whole_run_each(org: RootBuilder, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tars_lib.cli.main", "run", "--root", str(org.folder), "--outdir", str(tmp_path)]
    both = [subprocess.Popen([*command, "--timestamp", "20260101-000000", "--quiet"]) for _ in range(2)]
    assert [process.wait() for process in both] == [142, 142]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "tars-run-20260101-000000",
        "tars-run-20260101-000000-2",
    ]
    assert [load_run(path).status.exit_code for path in tmp_path.iterdir()] == [142, 142]


def test_leftovers_of_a_killed_run_are_passed_over_and_removed_a_day_later(org: RootBuilder, tmp_path: Path) -> None:
    analysis = analyze(org.load())
    young, old = tmp_path / ".tars-run-0123456789abcdef.partial", tmp_path / ".tars-run-fedcba9876543210.partial"
    for place in (young, old):
        place.mkdir()
        (place / "status.json").write_text("{")
    ancient = time.time() - DAY - 60
    os.utime(old, (ancient, ancient))
    run = write_run(analysis, tmp_path, timestamp="20260101-000000")
    assert sorted(path.name for path in tmp_path.iterdir()) == [young.name, run.name]
    future = time.time() + 10 * DAY
    os.utime(young, (future, future))
    write_run(analysis, tmp_path, timestamp="20260101-000000")
    assert young.is_dir()


def test_a_leftover_of_a_file_is_removed_a_day_later_by_its_next_writer_alone(tmp_path: Path) -> None:
    names = (".a.json.0011223344556677.partial", ".b.json.0011223344556677.partial")
    ancient = time.time() - DAY - 60
    for name in names:
        (tmp_path / name).write_text("half")
        os.utime(tmp_path / name, (ancient, ancient))
    write_bytes(tmp_path / "a.json", b"whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [names[1], "a.json"]


@POSIX
def test_a_link_in_place_of_a_file_is_replaced_and_what_it_leads_to_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("keep")
    (tmp_path / "out.json").symlink_to("precious")
    write_bytes(tmp_path / "out.json", b"new")
    assert ((tmp_path / "precious").read_text(), (tmp_path / "out.json").is_symlink()) == ("keep", False)


@POSIX
def test_a_link_with_the_runs_name_is_passed_over(org: RootBuilder, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "tars-run-20260101-000000").symlink_to(tmp_path / "elsewhere")
    run = write_run(analyze(org.load()), tmp_path / "runs", timestamp="20260101-000000")
    assert run.name == "tars-run-20260101-000000-2"
    assert not (tmp_path / "elsewhere").exists()


@POSIX
def test_a_run_whose_hidden_folder_was_exchanged_is_not_kept(
    org: RootBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    analysis, victim = analyze(org.load()), tmp_path / "victim"
    victim.mkdir()
    from tars_lib.pipeline import writing

    fill = writing._fill

    def exchange(staged: Path, *arguments: object) -> None:
        fill(staged, *arguments)  # type: ignore[arg-type]
        staged.rename(tmp_path / "moved")
        staged.symlink_to(victim, target_is_directory=True)

    monkeypatch.setattr(writing, "_fill", exchange)
    with pytest.raises(ReportError, match="exchanged for something else while the run was written; nothing was kept"):
        write_run(analysis, tmp_path / "runs")
    assert list(victim.iterdir()) == []


@POSIX
@pytest.mark.parametrize(
    ("private", "mask", "mode"), [(False, 0o022, 0o644), (False, 0o077, 0o600), (True, 0o000, 0o600)]
)
def test_the_mode_of_a_file_is_the_umasks_or_private(tmp_path: Path, private: bool, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        write_bytes(tmp_path / "f", b"", is_private=private)
    finally:
        os.umask(before)
    assert (tmp_path / "f").stat().st_mode & 0o777 == mode


@POSIX
@pytest.mark.parametrize("name", ["timeline.jsonl", ".incident.json.new"])
def test_a_link_in_place_of_a_file_of_an_incident_is_never_written_through(tmp_path: Path, name: str) -> None:
    made = open_incident(tmp_path, by_hand(Severity.SEV_2, "x"), "ada", datetime(2026, 5, 4, 12, tzinfo=UTC))
    place = tmp_path / made.incident.incident_id / name
    (tmp_path / "precious").write_bytes(place.read_bytes() if place.exists() else b"keep")
    before = (tmp_path / "precious").read_bytes()
    place.unlink(missing_ok=True)
    place.symlink_to(tmp_path / "precious")
    with pytest.raises(InputError, match="was not written: .*symbolic link"):
        note(Writer(place.parent, "ada", datetime(2026, 5, 4, 12, tzinfo=UTC)), "y")
    assert (tmp_path / "precious").read_bytes() == before


@POSIX
def test_every_write_is_flushed_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    flush, rename = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (calls.append("flush"), flush(handle))[1])
    monkeypatch.setattr(Path, "replace", lambda path, to: (calls.append("rename"), rename(path, to))[1])
    write_bytes(tmp_path / "f", b"x")
    assert calls == ["flush", "rename", "flush"]


def test_a_write_that_fails_names_the_file_and_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bytes(tmp_path / "f", b"old")

    def fail(handle: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(atomic.os, "fsync", fail)
    with pytest.raises(OSError, match="f'") as caught:
        write_bytes(tmp_path / "f", b"new")
    assert (caught.value.errno, caught.value.filename) == (errno.EIO, str(tmp_path / "f"))
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("f", b"old")]


def test_of_files_that_belong_together_none_is_replaced_where_one_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_together({tmp_path / "a": b"old", tmp_path / "b": b"old"})
    flush, calls = os.fsync, iter((False, True))

    def fail_second(handle: int) -> None:
        if next(calls):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(handle)

    monkeypatch.setattr(atomic.os, "fsync", fail_second)
    with pytest.raises(OSError, match="No space left") as caught:
        write_together({tmp_path / "a": b"new", tmp_path / "b": b"new"})
    assert caught.value.filename == str(tmp_path / "b")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"old", "b": b"old"}


@pytest.mark.usefixtures("forked_code")
@POSIX
def test_a_termination_is_an_orderly_end(org: RootBuilder, tmp_path: Path) -> None:
    code = "import sys, time\nimport tars_lib.pipeline.writing as p\n"
    code += "p._fill = lambda *a: (print('filling', flush=True), time.sleep(60))\n"
    code += "from tars_lib.cli.main import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "run", "--root", str(org.folder), "--outdir", str(tmp_path)],
        stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "filling\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 143
    assert list(tmp_path.iterdir()) == []
