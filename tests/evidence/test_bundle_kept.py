"""Evidence on disk stays: another bundle does not take its name, and who may read it is as narrow as for the incident."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from bundle_samples import NOON
from click.testing import CliRunner

from tars_lib.cli.main import cli
from tars_lib.errors import ConfigError
from tars_lib.evidence.bundle import Bundle, default_name, seal, write_bundle
from tars_lib.evidence.payload import Payload
from tars_lib.evidence.sealing.names import bundle_name, plain_name
from tars_lib.evidence.verification import verify_bytes


def made(text: str, name: str = "b") -> Bundle:
    return Bundle(name, seal(Payload({"note.txt": text.encode()}, "note", NOON), name), ())


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_another_bundle_does_not_take_the_name_of_one_that_stands_there(tmp_path: Path) -> None:
    write_bundle(made("first"), tmp_path, {".minisig": b"signed"})
    before = held(tmp_path)
    for free in ("b-2", "b-3"):
        with pytest.raises(
            ConfigError, match=rf"b\.zip: another bundle stands there.* --bundle-name {free} or another"
        ):
            write_bundle(made("second"), tmp_path)
        assert held(tmp_path) == before
        write_bundle(made("second", free), tmp_path)
        before = held(tmp_path)


def test_the_same_bundle_is_written_again_and_keeps_its_signatures(tmp_path: Path) -> None:
    write_bundle(made("first"), tmp_path, {".minisig": b"signed"})
    write_bundle(made("first"), tmp_path)
    write_bundle(made("first"), tmp_path, {".asc": b"signed, too"})
    assert held(tmp_path) == {"b.zip": made("first").content, "b.zip.minisig": b"signed", "b.zip.asc": b"signed, too"}


def test_a_bundle_that_cannot_be_written_leaves_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "b.zip.minisig").write_bytes(b"signed")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match=r"b\.zip"):
        write_bundle(made("first"), tmp_path)
    assert held(tmp_path) == {"b.zip.minisig": b"signed"}


def test_a_place_or_a_key_that_will_not_do_is_refused_before_a_run_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GNUPGHOME", str(tmp_path / "none"))
    Path("file").write_bytes(b"")
    Path("nowhere").symlink_to("gone")

    def said(*words: str) -> str:
        done = CliRunner().invoke(cli, ["bundle", "create", "--run-dir", "not-there", *words])
        assert done.exit_code == 1
        return done.stderr

    for place in ("file/deeper", "nowhere/deeper", *(["/dev/full"] if os.name == "posix" else [])):
        assert "a folder for the bundle is needed" in said("--output-dir", place)
    assert "gpg" in said("--gpg-key", "nobody@example.org")
    assert not Path("release").exists()
    assert "not-there" in said()


def test_a_redacted_bundle_has_a_default_name_of_its_own() -> None:
    assert default_name("INC-202601051200", is_redacted=False) == "tars-evidence-INC-202601051200"
    assert default_name("INC-202601051200", is_redacted=True) == "tars-evidence-INC-202601051200-redacted"


def test_the_longest_name_gives_a_bundle_that_can_be_verified() -> None:
    longest = default_name("x" * 200, is_redacted=True)
    assert len(longest) == 120
    assert longest.endswith("-redacted")
    assert verify_bytes(made("text", longest).content).is_intact
    with pytest.raises(ConfigError, match="up to 120"):
        bundle_name(f"{longest}x")


@pytest.mark.parametrize("name", ["con", "NUL", "Com1", "lpt9.txt", "aux.", "x ", "x.", ".x", "-x", "a\\b", "é", ""])
def test_a_name_that_some_system_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="bundle name"):
        bundle_name(name)
    with pytest.raises(ConfigError, match="bundle name"):
        bundle_name(f"../{name}")
    with pytest.raises(ConfigError, match="bundle: file"):
        Payload({f"runs/{name or ' '}/a.json": b""}, "x", NOON)
    kept = plain_name(name)
    assert Payload({f"runs/{kept}/a.json": b""}, "x", NOON).files.keys() == {f"runs/{kept}/a.json"}
    assert bundle_name("console") == plain_name("console") == "console"


def test_of_two_writers_of_one_name_the_second_is_refused_and_nothing_is_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = os.fsync

    def interrupted(handle: int) -> None:
        fsync(handle)
        if not (tmp_path / "b.zip").exists():
            (tmp_path / "b.zip").write_bytes(made("first").content)

    monkeypatch.setattr("os.fsync", interrupted)
    with pytest.raises(ConfigError, match="another bundle stands there"):
        write_bundle(made("second"), tmp_path)
    assert held(tmp_path) == {"b.zip": made("first").content}


def test_where_the_file_system_has_no_links_a_bundle_is_renamed_into_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    write_bundle(made("first"), tmp_path)
    with pytest.raises(ConfigError, match="another bundle stands there"):
        write_bundle(made("second"), tmp_path)
    assert held(tmp_path) == {"b.zip": made("first").content}


def test_an_export_overwrites_nothing(tmp_path: Path) -> None:
    place = write_bundle(made("first"), tmp_path / "made", {".minisig": b"signed"})
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b.zip.minisig").write_bytes(b"another")
    done = CliRunner().invoke(cli, ["bundle", "export", str(place), "--output", str(tmp_path / "out")])
    assert (done.exit_code, "another file stands there" in done.stderr) == (1, True), done.output
    assert held(tmp_path / "out") == {"b.zip.minisig": b"another"}
    (tmp_path / "out" / "b.zip.minisig").unlink()
    for _ in range(2):
        done = CliRunner().invoke(cli, ["bundle", "export", str(place), "--output", str(tmp_path / "out")])
        assert done.exit_code == 0, done.output
    assert held(tmp_path / "out") == {"b.zip": made("first").content, "b.zip.minisig": b"signed"}


def test_what_cannot_be_entered_is_not_exported(tmp_path: Path) -> None:
    place = write_bundle(made("first"), tmp_path / "made")
    # stands for a medium that cannot be written to, for root as well
    (tmp_path / "made" / ".lock").mkdir()
    done = CliRunner().invoke(cli, ["bundle", "export", str(place), "--output", str(tmp_path / "out")])
    assert (done.exit_code, "custody.jsonl: cannot be written to" in done.stderr) == (1, True), done.output
    assert not (tmp_path / "out").exists()
    assert CliRunner().invoke(cli, ["bundle", "verify", str(place)]).exit_code == 0
