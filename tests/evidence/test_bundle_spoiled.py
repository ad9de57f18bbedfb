"""Whatever is done to a bundle is found and named; where their formats let them see it, the other tools agree."""

from __future__ import annotations

import hashlib
import io
import logging
import random
import runpy
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import bagit
import pytest
from bundle_samples import NOON, EvidenceFolder, unpacked, unzipped

from tars_lib.errors import ConfigError, InputError
from tars_lib.evidence.payload import Payload
from tars_lib.evidence.sealing import stored_zip as archive_module
from tars_lib.evidence.sealing.bag import CARRIED, pack
from tars_lib.evidence.sealing.manifests import PAYLOAD_MANIFEST, TAG_MANIFEST
from tars_lib.evidence.sealing.stored_zip import MAX_ENTRIES, Entry, read_archive, write_archive
from tars_lib.evidence.verification import FaultKind, Verification, verify, verify_bytes

SPOILINGS = pytest.mark.parametrize("spoilings", [60, pytest.param(200, marks=pytest.mark.thorough)])


def named(found: Verification, path: str) -> bool:
    return any(path == fault.path or path in fault.why for fault in found.faults)


def resealed(files: dict[str, bytes], name: str = "evidence") -> bytes:
    """Files of a bag in an archive that is as it should be."""
    return write_archive([Entry(f"{name}/{path}", content) for path, content in files.items()])


@SPOILINGS
def test_random_single_byte_changes_of_the_zip_are_found_and_named(small: bytes, spoilings: int) -> None:
    rng = random.Random(20260105)  # noqa: S311 - places, not secrets
    spans = archive_module._written(read_archive(small, "").entries)[1]
    for _ in range(spoilings):
        # as many in headers, directory and end as in contents
        span = rng.choice([one for one in spans if one.end > one.start])
        place = rng.randrange(span.start, span.end)
        spoiled = bytearray(small)
        spoiled[place] ^= rng.randrange(1, 256)
        found = verify_bytes(bytes(spoiled))
        assert found.faults, f"byte {place}: {span}"
        assert named(found, span.name.partition("/")[2]), f"byte {place}: {span}: {found.faults}"


def sums_agree(folder: Path) -> bool:
    """What `sha256sum -c` says of both manifests; where it is not installed, its work done here."""
    for name in (PAYLOAD_MANIFEST, TAG_MANIFEST):
        if not (folder / name).is_file():
            return False
        if shutil.which("sha256sum"):
            done = subprocess.run(["sha256sum", "-c", "--strict", "--status", name], cwd=folder, check=False)
            if done.returncode:
                return False
            continue
        for line in (folder / name).read_text(encoding="ascii").splitlines():
            digest, _, path = line.partition("  ")
            if hashlib.sha256((folder / path).read_bytes()).hexdigest() != digest:
                return False
    return True


def bagit_agrees(folder: Path) -> bool:
    logging.getLogger("bagit").setLevel(logging.CRITICAL)
    try:
        return bool(bagit.Bag(str(folder)).is_valid())
    except (bagit.BagError, UnicodeDecodeError, ValueError, OSError):
        return False


CHECK = runpy.run_path(str(Path(archive_module.__file__).parents[1] / "carried" / "verify.py"))["check"]


def test_four_tools_agree_on_a_good_bundle(small: bytes, tmp_path: Path) -> None:
    files = unzipped(small)
    folder = unpacked(files, tmp_path / "bag")
    done = subprocess.run([sys.executable, "verify.py"], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split(":")[0]) == (0, "intact")
    assert sums_agree(folder)
    assert bagit_agrees(folder)
    assert verify_bytes(small).is_intact
    assert verify(folder).is_intact
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == sorted(files)


@pytest.mark.parametrize("name", CARRIED)
def test_a_carried_file_dropped_with_its_line_is_seen_by_ours_and_the_carried_check(
    small: bytes, tmp_path: Path, name: str
) -> None:
    files = unzipped(small)
    del files[name]
    lines = files[TAG_MANIFEST].splitlines(keepends=True)
    files[TAG_MANIFEST] = b"".join(line for line in lines if not line.endswith(f"  {name}\n".encode()))
    folder = unpacked(files, tmp_path / "bag")
    assert CHECK(folder) == [f"MISSING: {name}"]
    assert named(verify(folder), name)
    assert sums_agree(folder), "no format lists what it needs beyond its manifests"


@SPOILINGS
def test_random_changes_deletions_additions_and_renames_of_files_are_found_and_named(
    small: bytes, tmp_path: Path, spoilings: int
) -> None:
    rng = random.Random(20260106)  # noqa: S311 - places, not secrets
    files = unzipped(small)
    folder = unpacked(files, tmp_path / "bag")
    names = sorted(files)
    for number in range(spoilings):
        what, name = ("change", "delete", "add", "rename")[number % 4], rng.choice(names)
        if number % 10 == 0:
            name = rng.choice([PAYLOAD_MANIFEST, TAG_MANIFEST, "bag-info.txt", "bagit.txt", "verify.py"])
        spoiled = dict(files)
        other = rng.choice(["data/", "data/new/", ""]) + f"added-{number}.txt"
        if what == "change":
            content = bytearray(files[name])
            content[rng.randrange(len(content))] ^= rng.randrange(1, 256)
            spoiled[name] = bytes(content)
        elif what == "add":
            name, spoiled[other] = other, b"x" * rng.randrange(3)
        else:
            del spoiled[name]
            if what == "rename":
                spoiled[other] = files[name]
        found = verify_bytes(resealed(spoiled))
        assert named(found, name), f"{what} {name}: {found.faults}"
        if what == "rename":
            assert named(found, other)
        # the folder as the other tools see it
        for path in files.keys() ^ spoiled.keys() | {one for one in files if files[one] != spoiled.get(one)}:
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(spoiled[path]) if path in spoiled else place.unlink()
        assert {fault.path for fault in verify(folder).faults} == {fault.path for fault in found.faults}
        assert CHECK(folder)
        lists_all = PAYLOAD_MANIFEST in spoiled and TAG_MANIFEST in spoiled
        # sha256sum sees no added file, bagit no added tag file and no missing tag manifest
        if name not in (other, TAG_MANIFEST) and lists_all:
            assert not sums_agree(folder)
            assert not bagit_agrees(folder)
        for path in spoiled.keys() - files.keys():
            (folder / path).unlink()
        unpacked({path: content for path, content in files.items() if spoiled.get(path) != content}, folder)
    assert verify(folder).is_intact


def test_every_byte_of_both_manifests_counts(small: bytes) -> None:
    files = unzipped(small)
    rng = random.Random(7)  # noqa: S311 - places, not secrets
    for name in (PAYLOAD_MANIFEST, TAG_MANIFEST):
        for place in rng.sample(range(len(files[name])), 60):
            content = bytearray(files[name])
            content[place] ^= 1 << rng.randrange(8)
            assert named(verify_bytes(resealed({**files, name: bytes(content)})), name), place


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text + text.splitlines(keepends=True)[-1], "listed twice"),
        (lambda text: text.replace("\n", "\r\n"), "carriage return"),
        (lambda text: text[1:], "63 characters"),
        (lambda text: text[:64].upper() + text[64:], "upper case"),
        (lambda text: text.replace("  data/", "  ../data/", 1), "no path of a bundle"),
        (lambda text: text.replace("  data/", "  /data/", 1), "no path of a bundle"),
        (lambda text: text.replace("  data/", "  data/../data/", 1), "no path of a bundle"),
        (lambda text: text.replace("  data/", " *data/", 1), "not of the form"),
        (lambda text: text[:-1], "no line feed"),
        (lambda text: "\n" + text, "not of the form"),
        (lambda text: "".join(reversed(text.splitlines(keepends=True))), "not in order"),
        (lambda text: text + f"{'0' * 64}  bag-info.txt\n", "does not belong"),
        (lambda text: text + f"{'0' * 64}  data/caf\u00e9\n", "not ASCII"),
    ],
)
def test_a_manifest_of_another_form_is_a_fault_even_where_its_digests_fit(
    small: bytes, change: Callable[[str], str], says: str
) -> None:
    files = unzipped(small)
    files[PAYLOAD_MANIFEST] = change(files[PAYLOAD_MANIFEST].decode()).encode()
    tags = {name: content for name, content in files.items() if not name.startswith("data/") and name != TAG_MANIFEST}
    lines = [f"{hashlib.sha256(tags[name]).hexdigest()}  {name}\n" for name in sorted(tags)]
    files[TAG_MANIFEST] = "".join(lines).encode()
    found = verify_bytes(resealed(files))
    assert [fault for fault in found.faults if fault.what is FaultKind.MALFORMED and says in fault.why], found.faults


def rezipped(
    files: dict[str, bytes], method: int, comment: bytes = b"", prefix: bytes = b"", suffix: bytes = b""
) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as made:
        for path in sorted(files):
            entry = zipfile.ZipInfo(f"evidence/{path}", (1980, 1, 1, 0, 0, 0))
            entry.external_attr, entry.create_system, entry.compress_type = 0o100644 << 16, 3, method
            made.writestr(entry, files[path])
        made.comment = comment
    return prefix + buffer.getvalue() + suffix


def test_the_archive_is_what_zipfile_writes_and_reads(small: bytes) -> None:
    assert rezipped(unzipped(small), zipfile.ZIP_STORED) == small


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        ({"comment": b"x"}, "1 bytes longer"),
        ({"prefix": b"#!/bin/sh\n"}, "10 bytes longer"),
        ({"suffix": b"more"}, "4 bytes longer"),
        ({"method": zipfile.ZIP_DEFLATED}, "compressed"),
    ],
)
def test_an_archive_that_was_written_by_others_is_named(small: bytes, spoil: dict[str, object], says: str) -> None:
    found = verify_bytes(rezipped(unzipped(small), **{"method": zipfile.ZIP_STORED, **spoil}))  # type: ignore[arg-type]
    assert any(says in fault.why for fault in found.faults), found.faults


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_entry_that_stands_twice_is_named(small: bytes) -> None:
    buffer = io.BytesIO(small)
    with zipfile.ZipFile(buffer, "a") as made:
        made.writestr("evidence/data/environment.json", b"{}")
    found = verify_bytes(buffer.getvalue())
    assert any("more than once" in fault.why and fault.path == "data/environment.json" for fault in found.faults)


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "evidence/../../evil", "evidence/a\\b", "evidence/data/"])
def test_a_name_that_leads_elsewhere_is_named_and_nothing_is_unpacked(small: bytes, name: str) -> None:
    buffer = io.BytesIO(small)
    with zipfile.ZipFile(buffer, "a") as made:
        made.writestr(name, b"x")
    found = verify_bytes(buffer.getvalue())
    assert any(fault.what is FaultKind.MALFORMED for fault in found.faults)


def test_a_bomb_is_refused_without_being_unpacked() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as made:
        made.writestr("evidence/data/zeros", bytes(50_000_000))
    assert len(buffer.getvalue()) < 60_000
    assert any("compressed" in fault.why for fault in verify_bytes(buffer.getvalue()).faults)


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"hello", bytes(100)):
        with pytest.raises(InputError, match="no zip file|it is empty"):
            verify_bytes(content)
    with pytest.raises(InputError, match="no bundle"):
        verify(tmp_path)
    with pytest.raises(InputError, match="no readable bundle"):
        verify(tmp_path / "none.zip")


def test_limits_hold_before_anything_is_written() -> None:
    with pytest.raises(InputError, match="are allowed"):
        write_archive([Entry(str(n), b"") for n in range(MAX_ENTRIES + 1)])


def test_a_link_in_an_unpacked_bundle_is_named_and_not_followed(small: bytes, tmp_path: Path) -> None:
    folder = unpacked(unzipped(small), tmp_path / "bag")
    (folder / "data" / "link").symlink_to("/etc")
    assert [fault.path for fault in verify(folder).faults] == ["data/link"]
    assert CHECK(folder) == ["UNLISTED: data/link: a link or a device"]


@pytest.mark.parametrize(
    "path", ["a b", "caf\u00e9", "a\nb", "../a", "/a", "a//b", "-a", ".a", "a.", "x" * 121, "a\\b", ""]
)
def test_a_path_that_a_tool_might_read_otherwise_is_refused(path: str) -> None:
    with pytest.raises(ConfigError, match="part of a path"):
        Payload({path: b""}, "x", NOON)


def test_two_paths_that_differ_in_case_alone_are_refused() -> None:
    with pytest.raises(ConfigError, match="case"):
        Payload({"a": b"", "A": b""}, "x", NOON)


def broken_chain(small: bytes, change: Callable[[bytes], bytes], file: str) -> Verification:
    """A bag whose manifests fit, around a timeline that was altered."""
    files = unzipped(small)
    data = {name.removeprefix("data/"): content for name, content in files.items() if name.startswith("data/")}
    (path,) = [name for name in data if name.endswith(file)]
    data[path] = change(data[path])
    return verify_bytes(pack("evidence", data, {"External-Identifier": "x", "Tars-Partial": "no"}, NOON))


@pytest.mark.parametrize(
    ("change", "file", "says"),
    [
        (lambda text: text.replace(b'"ada"', b'"eve"', 1), "timeline.jsonl", "row 1"),
        (lambda text: b"".join(text.splitlines(keepends=True)[:-1]), "timeline.jsonl", "cut off"),
        (lambda text: b"".join(text.splitlines(keepends=True)[1:]), "timeline.jsonl", "belongs"),
        (lambda text: text.replace(b"SEV-1", b"SEV-4", 1), "incident.json", "altered"),
    ],
)
def test_a_broken_chain_is_named_though_every_manifest_fits(
    small: bytes, change: Callable[[bytes], bytes], file: str, says: str
) -> None:
    assert broken_chain(small, bytes, file).is_intact
    (fault,) = broken_chain(small, change, file).faults
    assert fault.what is FaultKind.BROKEN_CHAIN
    assert says in fault.why


def test_a_run_that_was_altered_before_it_was_sealed_anew_is_named(small: bytes) -> None:
    found = broken_chain(small, lambda text: text + b" ", "executive-summary.md")
    assert [fault.path.rpartition("/")[2] for fault in found.faults] == ["executive-summary.md"]


def test_verifying_writes_nothing(small: bytes, evidence: EvidenceFolder, tmp_path: Path) -> None:
    (tmp_path / "b.zip").write_bytes(small)
    before = sorted(evidence.folder.rglob("*"))
    assert verify(tmp_path / "b.zip").is_intact
    assert [path.name for path in tmp_path.iterdir()] == ["b.zip"]
    assert sorted(evidence.folder.rglob("*")) == before
