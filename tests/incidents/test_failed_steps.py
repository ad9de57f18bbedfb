"""A second step that fails, or that is done and reported as failed: the record and its timeline stay one.

The errors are those of the system's own calls, in a process of its own: a small library stands before the C library there and
lets the next `rename`, `fsync`, `ftruncate` or `flock` fail, before or after it is done.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tars_lib.errors import InputError
from tars_lib.incidents.response.opening import by_hand, open_incident
from tars_lib.incidents.store import lock
from tars_lib.incidents.store.journal import RECORD_FILE, read_entries, write
from tars_lib.incidents.store.lock import HOLDER_FILE, locked
from tars_lib.incidents.store.timeline import Draft, EntryKind
from tars_lib.incidents.store.verification import verify
from tars_lib.model.names import Severity

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
LIBRARY = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/types.h>

static char failing[16];
static int error, is_done, many;
void fail(const char *call, int number, int done, int times) {
    strncpy(failing, call, sizeof failing - 1); error = number; is_done = done; many = times;
}
static int fails(const char *call) { return many > 0 && !strcmp(failing, call) ? many-- : 0; }
#define WRAP(name, declared, given) \
    int name declared { \
        int (*real) declared = dlsym(RTLD_NEXT, #name); \
        if (!fails(#name)) return real given; \
        if (is_done && real given) return -1; \
        errno = error; return -1; \
    }
WRAP(rename, (const char *from, const char *to), (from, to))
WRAP(link, (const char *from, const char *to), (from, to))
WRAP(fsync, (int file), (file))
WRAP(flock, (int file, int how), (file, how))
WRAP(ftruncate, (int file, off_t size), (file, size))
WRAP(ftruncate64, (int file, off_t size), (file, size))
"""
SCRIPT = """
import ctypes, errno, json, sys
from datetime import UTC, datetime
from pathlib import Path
from tars_lib.errors import InputError
from tars_lib.evidence.sealing.custody import Log, enter
from tars_lib.files.atomic import write_bytes
from tars_lib.incidents.response.acts import Writer, note
from tars_lib.incidents.store.journal import read_entries
from tars_lib.incidents.store.record import CustodyAct, CustodyEvent
from tars_lib.incidents.store.verification import verify

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
folder, libc, told = Path(sys.argv[1]), ctypes.CDLL(None), []
note(Writer(folder, "ada", NOON), "first: every module is there")
for number, (call, is_done, times) in enumerate(json.loads(sys.argv[2])):
    # the first truncation of a write cuts off what a dying writer left
    libc.fail(call.partition("+")[0].encode(), errno.EIO, is_done, times)
    if "+" in call:
        libc.fail(call.partition("+")[2].encode(), errno.EIO, is_done, times)
    text, said = f"note {number}", ""
    try:
        note(Writer(folder, "ada", NOON), text)
    except (InputError, OSError) as error:
        said = str(error)
    libc.fail(b"", 0, 0, 0)
    entered = [entry.text for entry in read_entries(folder)].count(text)
    faults = list(verify(folder).faults)
    note(Writer(folder, "ada", NOON), "later")
    told.append([said, entered, [entry.text for entry in read_entries(folder)].count(text), faults])
libc.fail(b"rename", errno.EIO, 1, 1)
enter(Log(None, folder.parent / "custody.jsonl"), CustodyEvent(CustodyAct.CREATED, "b.zip", "0" * 64, NOON, "ada", ""))
libc.fail(b"link", errno.EEXIST, 1, 1)
write_bytes(folder.parent / "only", b"new", only_new=True)
print(json.dumps(told))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / open_incident(tmp_path, by_hand(Severity.SEV_2, "Slow"), "ada", NOON).incident.incident_id


def note(folder: Path, text: str) -> None:
    write(folder, lambda _: Draft(EntryKind.NOTE, text, {}), "ada", NOON)


@pytest.mark.skipif(shutil.which("cc") is None or sys.platform != "linux", reason="a compiler and LD_PRELOAD")
def test_after_an_error_of_a_system_call_what_was_told_is_what_stands(folder: Path, tmp_path: Path) -> None:
    source, library = tmp_path / "failing.c", tmp_path / "failing.so"
    source.write_text(LIBRARY, encoding="ascii")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    calls = [("rename", 0, 1), ("rename", 1, 1), ("fsync", 0, 1), ("fsync", 1, 1), ("flock", 0, 1)]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, folder, json.dumps(calls)],
        env={**os.environ, "LD_PRELOAD": str(library)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    for (call, is_done, _), (said, entered, later, faults) in zip(calls, told, strict=True):
        # a rename that was done is no failure; whatever is told to have failed is not there, now or after the next write
        is_entered = (call, is_done) == ("rename", 1)
        assert (bool(said), entered, later, faults) == (not is_entered, is_entered, is_entered, []), (
            call,
            is_done,
            told,
        )
    assert [call for (call, _, _), (said, *_) in zip(calls, told, strict=True) if "the entry was not written" in said] == [
        "rename", "fsync", "fsync",
    ]  # fmt: skip
    assert verify(folder).is_intact
    assert (tmp_path / "custody.jsonl").read_bytes().count(b"\n") == 1
    assert (tmp_path / "only").read_bytes() == b"new"


def test_where_the_record_cannot_be_read_nothing_is_taken_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (folder / RECORD_FILE).read_bytes()

    def spoil(self: Path, target: Path) -> Path:
        target.write_bytes(b"{")
        raise OSError(5, os.strerror(5))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", spoil)
        with pytest.raises(InputError, match="it is not known whether the entry was written"):
            note(folder, "The queue grows")
    (folder / RECORD_FILE).write_bytes(before)
    note(folder, "Later")
    assert [entry.text for entry in read_entries(folder)].count("The queue grows") == 1
    assert verify(folder).is_intact


HOLD = """
import ctypes, os, sys, time
from pathlib import Path
from tars_lib.incidents.store.lock import locked
with locked(Path(sys.argv[1])):
    # a process that it starts has the lock as well, unless Python's own fork makes it
    child = ctypes.CDLL(None).fork() if sys.argv[2] == "stale" else 1
    if not child:
        os.close(1); os.close(2)
        time.sleep(60)
    print(child, flush=True)
    if sys.argv[2] == "stale":
        os._exit(0)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
@pytest.mark.parametrize("kind", ["busy", "stale"])
def test_a_stale_lock_is_told_from_a_busy_one(folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(lock, "PATIENCE", 0.1)
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(folder), kind], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    child = int(holder.stdout.readline())
    if kind == "stale":
        assert holder.wait(10) == 0
    told = "lives: busy; try again" if kind == "busy" else r"has ended: stale, .* remove \.lock and try again"
    with pytest.raises(InputError, match=rf"process {holder.pid} took it at \S+ and {told}"):
        note(folder, "waiting")
    (os.kill(child, 9) if kind == "stale" else holder.kill())
    holder.wait()
    holder.stdout.close()
    deadline = time.monotonic() + 10
    while (folder / HOLDER_FILE).exists() and time.monotonic() < deadline:
        try:
            note(folder, "after it")
        except InputError:
            continue
    assert [entry.text for entry in read_entries(folder)].count("after it") == 1
    assert not (folder / HOLDER_FILE).exists()


def test_who_holds_the_lock_is_not_guessed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PATIENCE", 0.0)
    with locked(folder):
        for note_, told in (
            ('{"pid": 1, "host": "elsewhere", "since": "noon"}', "on elsewhere: busy if it lives there"),
            ("[]", "who holds it is not known"),
            ("{", "who holds it is not known"),
        ):
            (folder / HOLDER_FILE).write_text(note_, encoding="ascii")
            with pytest.raises(InputError, match=told):
                note(folder, "waiting")
