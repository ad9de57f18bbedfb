"""Closed streams, full devices, signals, few file handles, little memory: the verdict, or one line with a documented code."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from org_samples import RootBuilder, counts, series
from run_samples import RunSamples
from warm import COLD
from warm.server import attend

from tars_lib.cli.shared import process as own_process

pytestmark = pytest.mark.skipif(os.name == "nt", reason="streams, signals and limits of POSIX")
TARS = (COLD, "-m", "tars_lib.cli.main")
ENGINE = (COLD, "-m", "analytics.run_org_health")


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> RootBuilder:
    """One repo that fails half of its requests in the last hour: 142."""
    rows = counts("web", [1000] * 40, [0] * 39 + [500]) + series("web", "health_score", [90] * 40)
    made = RootBuilder(tmp_path_factory.mktemp("org") / "org-health").add(rows)
    made.write()
    return made


def shell(command: str, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", command, "sh", *map(str, words)], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "closed", ["1>&-", "0<&- 1>&- 2>&-", *(pytest.param(one, marks=pytest.mark.thorough) for one in ("0<&-", "2>&-"))]
)
def test_a_closed_stream_changes_no_verdict(org: RootBuilder, tmp_path: Path, closed: str) -> None:
    done = shell(f'"$@" {closed}', *TARS, "run", "--root", org.folder, "--outdir", tmp_path)
    assert done.returncode == 142, done
    (run,) = tmp_path.glob("tars-run-*")
    assert json.loads((run / "status.json").read_text())["exit_code"] == 142
    assert "Traceback" not in done.stderr
    assert ("standard output is closed: what is printed there is lost" in done.stderr) == (closed == "1>&-")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("start", [TARS, ENGINE])
def test_a_full_device_under_stderr_changes_no_verdict(org: RootBuilder, start: tuple[str, ...]) -> None:
    words = ["health"] * (start is TARS) + ["--root-dir", str(org.folder), "--json", "--verbose"]
    done = shell('"$@" 2>/dev/full', *start, *words)
    assert (done.returncode, json.loads(done.stdout)["exit_code"]) == (0, 0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_help_on_a_full_device_is_one_line(tmp_path: Path) -> None:
    done = shell('"$@" >/dev/full', *TARS, "--help")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "No space left on device" in done.stderr


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize(
    ("start", "moments"),
    [
        (TARS, (0.15, 0.5)),
        (ENGINE, (0.3, 0.8)),
        pytest.param(TARS, (0.3, 0.8), marks=pytest.mark.thorough),
        pytest.param(ENGINE, (0.15, 0.5), marks=pytest.mark.thorough),
    ],
)
def test_a_signal_at_any_moment_ends_without_a_traceback_and_leaves_nothing(
    org: RootBuilder,
    tmp_path: Path,
    sent: signal.Signals,
    code: int,
    start: tuple[str, ...],
    moments: tuple[float, ...],
) -> None:
    words = ["health"] * (start is TARS) + ["--root-dir", str(org.folder), "--output", str(tmp_path / "out" / "h.json")]
    for delay in moments:
        with subprocess.Popen([*start, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            time.sleep(delay)  # a moment, and not a wait for something: whichever it is, the promise holds
            process.send_signal(sent)
            _, said = process.communicate()
        assert process.returncode in (0, code, -sent), said
        assert "Traceback" not in said
        hidden = [path.name for path in (tmp_path / "out").glob(".*")]
        assert hidden == []


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("swallowed", [None, RuntimeError("the end became another exception"), OSError("this one too")])
def test_a_signal_decides_the_code_whatever_compiled_code_makes_of_it(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    sent: signal.Signals,
    code: int,
    swallowed: Exception | None,
) -> None:
    @click.command
    def command() -> None:
        try:
            signal.raise_signal(sent)
        except SystemExit:
            if swallowed is not None:
                raise swallowed from None

    monkeypatch.setattr(sys, "argv", ["tars"])
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    both = (signal.SIGINT, signal.SIGTERM)
    # a job in the background begins with an interrupt that is ignored, and so it would stay
    before = {number: signal.signal(number, signal.SIG_DFL) for number in both}
    try:
        with pytest.raises(SystemExit) as end:
            own_process.start(command, "tars")
        assert signal.getsignal(sent) is signal.SIG_DFL
    finally:
        for number in both:
            signal.signal(number, before[number])
    assert (end.value.code, capsys.readouterr().err) == (code, "")


@pytest.mark.parametrize(("program", "is_quiet"), [("tars", True), ("notebook", False)])
def test_an_interrupt_while_modules_are_imported_is_the_systems_own_in_a_command_alone(
    program: str, is_quiet: bool
) -> None:
    # the first module that the package imports is not there, so what is looked at is what held before
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"sys.argv, sys.modules['lazy_loader'] = ['/bin/{program}'], None\n"
        "try: import tars_lib\n"
        "except ImportError: print(signal.getsignal(signal.SIGINT) is signal.SIG_DFL)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{is_quiet}\n"


def test_few_file_handles_and_little_memory_are_one_line(org: RootBuilder, tmp_path: Path) -> None:
    words = (*TARS, "run", "--root", org.folder, "--outdir", tmp_path)
    for limit in ("ulimit -n 6", "ulimit -n 9", "ulimit -v 600000", "ulimit -v 900000"):
        done = shell(f'{limit}; "$@"', *words)
        assert "Traceback" not in done.stderr, (limit, done.stderr)
        assert done.returncode in (1, 94, 95, 142, 199), (limit, done)
        assert not list(tmp_path.glob(".*")), limit
    done = shell('ulimit -v 250000; "$@"', *words)
    assert (done.returncode, done.stderr.count("\n"), "256 MB of address space" in done.stderr) == (1, 1, True), done


@pytest.mark.slow
def test_a_report_needs_no_home(samples: RunSamples, tmp_path: Path) -> None:
    run = samples.run("demo").directory
    names = ["HOME", "IPYTHONDIR", "MPLCONFIGDIR"]
    names += [f"XDG_{what}" for what in ("CONFIG_HOME", "CACHE_HOME", "DATA_HOME", "RUNTIME_DIR")]
    names += [f"JUPYTER_{what}_DIR" for what in ("DATA", "RUNTIME", "CONFIG")]
    done = subprocess.run(
        [*TARS, "report", "propagation", "--run", str(run), "--output", str(tmp_path / "out"), "--format", "html"],
        env=os.environ | dict.fromkeys(names, "/proc/nowhere"), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_report_is_made_where_every_stream_is_closed(samples: RunSamples, tmp_path: Path) -> None:
    words = ["report", "propagation", "--run", samples.run("demo").directory, "--output", tmp_path, "--format", "html"]
    done = shell('"$@" 0<&- 1>&- 2>&-', *TARS, *words)
    assert (done.returncode, (tmp_path / "propagation.html").is_file()) == (0, True)


@pytest.mark.parametrize("said", [b"", b"\x00\x00\x00\x00\x00\x00\x00\x09/tmp"])
def test_the_warm_server_lets_a_client_go_that_dies_before_it_has_asked(said: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        if said:
            socket.send_fds(theirs, [said], [0, 1, 2])
        theirs.close()
        attend(ours)
