"""A bundle that was handled honestly gives no false line, one that was altered is named, in whatever container it arrives."""

from __future__ import annotations

import hashlib
import sys
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
