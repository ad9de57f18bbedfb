"""A second step that fails, or that is done and reported as failed: the record and its timeline stay one."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tars_lib.errors import InputError
from tars_lib.incidents.response.opening import by_hand, open_incident
from tars_lib.incidents.store.journal import _NEW_FILE, RECORD_FILE, read_entries, write
from tars_lib.incidents.store.timeline import Draft, EntryKind
from tars_lib.incidents.store.verification import verify
from tars_lib.model.names import Severity

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / open_incident(tmp_path, by_hand(Severity.SEV_2, "Slow"), "ada", NOON).incident.incident_id


def note(folder: Path, text: str) -> None:
    write(folder, lambda _: Draft(EntryKind.NOTE, text, {}), "ada", NOON)


@pytest.mark.parametrize("is_done", [True, False])
def test_after_an_error_of_the_rename_it_is_looked_which_record_stands(
    folder: Path, monkeypatch: pytest.MonkeyPatch, is_done: bool
) -> None:
    rename = Path.replace

    def fail(self: Path, target: Path) -> Path:
        if self.name == _NEW_FILE and is_done:
            rename(self, target)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fail)
        if is_done:
            note(folder, "The queue grows")
        else:
            with pytest.raises(InputError, match="the entry was not written: Input/output error"):
                note(folder, "The queue grows")
    told = [entry.text for entry in read_entries(folder)]
    assert told.count("The queue grows") == is_done
    assert verify(folder).is_intact
    note(folder, "Later")
    assert [entry.text for entry in read_entries(folder)] == [*told, "Later"]
    assert verify(folder).is_intact


def test_where_the_record_cannot_be_read_nothing_is_taken_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (folder / RECORD_FILE).read_bytes()

    def spoil(self: Path, target: Path) -> Path:
        target.write_bytes(b"{")
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", spoil)
        with pytest.raises(InputError, match="it is not known whether the entry was written"):
            note(folder, "The queue grows")
    (folder / RECORD_FILE).write_bytes(before)
    note(folder, "Later")
    assert [entry.text for entry in read_entries(folder)].count("The queue grows") == 1
    assert verify(folder).is_intact
