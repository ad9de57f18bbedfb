"""A bundle that was handled honestly gives no false line, one that was altered is named, in whatever container it arrives."""

from __future__ import annotations

import hashlib
import io
import sys
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from tars_lib.cli.main import cli
from tars_lib.evidence.containers import Container
from tars_lib.evidence.sealing.bag import pack
from tars_lib.evidence.verification import FaultKind, verify_bytes

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / "fuzz"))
import bundle_handling as handling  # noqa: E402 - the harness stands in fuzz/

BUNDLE = pack(handling.NAME, handling.PAYLOAD, {}, datetime(2026, 1, 5, tzinfo=UTC))
FILES = handling.unzip(BUNDLE)


def tars_verify(path: Path, *options: str) -> tuple[int, list[str]]:
    done = CliRunner().invoke(cli, ["bundle", "verify", str(path), *options])
    return done.exit_code, done.stdout.splitlines()


@pytest.mark.parametrize("way", handling.HONEST)
def test_honest_handling_is_told_as_it_is(way: str) -> None:
    expected, handle = handling.HONEST[way]
    assert handling.is_right(expected, handling.look(handle(BUNDLE, FILES)))


def test_dishonest_handling_is_found_and_the_file_named() -> None:
    for what, name, spoiled in handling.dishonest(FILES, 60, 7):
        seen = handling.look(spoiled)
        assert seen is not None
        assert not seen.content_is_intact, (what, name)
        assert name in {fault.path for fault in seen.content_faults}, (what, name, seen.content_faults)


def test_the_table_of_the_page_is_what_the_script_prints() -> None:
    page = (REPO / "docs" / "evidence.md").read_text("utf-8")
    for way, (_, handle) in handling.HONEST.items():
        seen = handling.look(handle(BUNDLE, FILES))
        assert f"| {way} | " in page
        if seen is not None:
            assert f"| {way} | {'not ' * bool(seen.content_faults)}intact | {seen.container.value} | yes |" in page


def test_the_first_two_lines_are_the_verdict_then_cause_and_next_step(tmp_path: Path) -> None:
    place = tmp_path / "b.zip"
    place.write_bytes(handling.zipped(FILES, folders=True))
    code, lines = tars_verify(place)
    assert code == 0
    assert lines[0] == f"CONTENT:   intact: every file matches, {len(FILES)} files"
    assert lines[1] == f"CONTAINER: packed anew; sha256 {hashlib.sha256(place.read_bytes()).hexdigest()}"
    assert [line.partition(":")[0] for line in lines[2:4]] == ["Cause", "Next"]
    assert not [line for line in lines if "MISSING" in line or "ALTERED" in line]
    assert tars_verify(place, "--strict")[0] == 1


def test_ten_faults_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    place = tmp_path / "b.zip"
    place.write_bytes(handling.zipped({**FILES, **{f"evidence/data/x{n}.txt": b"" for n in range(14)}}))
    code, lines = tars_verify(place)
    assert (code, sum("UNLISTED" in line for line in lines)) == (1, 10)
    assert "  and 4 more; --verbose names them" in lines
    assert sum("UNLISTED" in line for line in tars_verify(place, "--verbose")[1]) == 14


def test_a_bundle_packed_anew_makes_the_bytes_that_were_written() -> None:
    for way in ("zip -r, deflated", "tar.gz", "zip without the folder"):
        handled = handling.HONEST[way][1](BUNDLE, FILES)
        assert isinstance(handled, bytes)
        assert verify_bytes(handled).original == BUNDLE, way


def test_a_program_at_the_bundles_root_is_named_also_where_the_manifests_list_it() -> None:
    files = {**handling.PAYLOAD, "numpy.py": b"print('runs')\n"}
    seen = verify_bytes(pack("evidence", files, {}, datetime(2026, 1, 5, tzinfo=UTC)))
    assert [(fault.what, fault.path) for fault in seen.content_faults] == [(FaultKind.IMPORTABLE, "data/numpy.py")]


def test_a_zip_that_two_readers_read_differently_is_damaged() -> None:
    spoiled = bytearray(handling.zipped(FILES))
    place = spoiled.rfind(b"evidence/data/inputs.json")
    local = spoiled.find(b"evidence/data/inputs.json")
    assert 0 < local < place
    spoiled[local + 14] ^= 1  # the name in the local header alone
    seen = verify_bytes(bytes(spoiled))
    assert seen.container is Container.DAMAGED
    assert not seen.content_is_intact


def test_a_second_name_of_a_file_in_a_tar_is_that_file_and_a_link_elsewhere_is_none() -> None:
    """GNU tar packs equal files of a folder that was freed of doubles as hard links to the first of them."""
    files = handling.unzip(
        pack(handling.NAME, {"a.json": b"[]\n", "b.json": b"[]\n"}, {}, datetime(2026, 1, 5, tzinfo=UTC))
    )
    for target, kind, is_there in (
        ("evidence/data/a.json", tarfile.LNKTYPE, True),
        ("/etc/passwd", tarfile.LNKTYPE, False),
        ("evidence/data/a.json", tarfile.SYMTYPE, False),
    ):
        sink = io.BytesIO()
        with tarfile.open(fileobj=sink, mode="w") as archive:
            for name, content in files.items():
                about = tarfile.TarInfo(name)
                if name.endswith("b.json"):
                    about.type, about.linkname = kind, target
                about.size = 0 if about.islnk() or about.issym() else len(content)
                archive.addfile(about, io.BytesIO(content))
        assert verify_bytes(sink.getvalue()).content_is_intact is is_there, (target, kind)


def test_a_header_that_calls_a_file_encrypted_where_the_directory_does_not_is_damage() -> None:
    spoiled = bytearray(BUNDLE)
    spoiled[6] |= 1
    assert verify_bytes(bytes(spoiled)).container is Container.DAMAGED


def test_a_renamed_file_is_counted_once_and_a_program_is_named_first() -> None:
    capitals = {name.upper(): content for name, content in handling.flat(FILES).items()}
    seen = handling.look({**capitals, "NUMPY.PY": b"x"})
    assert seen is not None
    assert seen.content_faults[0].path == "NUMPY.PY"
    assert not [fault for fault in seen.content_faults if fault.what is FaultKind.MISSING]
    assert seen.spoiled <= len(capitals) + 1
