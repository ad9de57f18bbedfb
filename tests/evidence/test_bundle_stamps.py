"""Time stamps: an authority that runs here stamps a bundle; what is then valid, what is not, and who else can read it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from authority import Authority, make_authority, serving
from bundle_samples import EvidenceFolder
from click.testing import CliRunner, Result
from run_samples import RunSamples

from tars_lib.cli.main import cli
from tars_lib.errors import ConfigError
from tars_lib.evidence.bundle import Bundle, write_bundle
from tars_lib.evidence.sealing.signature import State
from tars_lib.evidence.sealing.timestamp import check_stamp, read_certificates, stamp
from tars_lib.incidents.store.journal import read_entries

pytest.importorskip("rfc3161_client")
pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is the authority")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with serving(make_authority(tmp_path_factory.mktemp("stamps") / "authority")) as started:
        yield started


@pytest.fixture
def work(samples: RunSamples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a run that needs no kernel."""
    run = shutil.copytree(samples.run("calm").directory, tmp_path / "work" / "tars-run-20260105-143000")
    (run / "org-alerts.json").unlink()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def tars(*words: object) -> Result:
    return CliRunner().invoke(cli, ["bundle", *map(str, words)])


def create(*words: object) -> Result:
    base = ["create", "--run-dir", "tars-run-*", "--allow-partial", "--bundle-name", "b", "--output-dir", "out"]
    return tars(*base, *words)


def test_a_stamped_bundle_is_checked_by_the_authoritys_root_and_by_openssl(work: Path, authority: Authority) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    made = create("--timestamp-url", authority.url)
    assert made.stdout.split() == ["out/b.zip", "out/b.zip.tsr"], made.output
    told = json.loads(tars("verify", "out/b.zip", "--timestamp-cert", authority.root, "--json").stdout)
    (signature,) = told["signatures"]
    assert (told["is_intact"], told["is_stamped"], told["is_signed"]) == (True, True, False)
    assert (signature["state"], signature["key"]) == ("VALID", "CN=Stamps")
    assert before <= datetime.fromisoformat(signature["at"]) <= datetime.now(UTC)
    files = ("-in", work / "out/b.zip.tsr", "-data", work / "out/b.zip")
    assert b"OK" in authority.openssl("ts", "-verify", *files, "-CAfile", authority.root)
    # what another tool packed anew is compared as it was written; a copy takes its stamp along
    assert tars("export", "out/b.zip", "--output", "copy").exit_code == 0
    shutil.unpack_archive("copy/b.zip", "copy")
    Path("copy/b.zip").unlink()
    shutil.make_archive("copy/b", "zip", "copy", "b")
    assert tars("verify", "copy/b.zip", "--timestamp-cert", authority.root).exit_code == 0
    assert "unsigned, time-stamped" in tars("log", "out/b.zip").stdout


def test_what_is_not_stamped_by_that_authority_fails_where_it_is_asked_for(
    work: Path, authority: Authority, tmp_path: Path
) -> None:
    assert create().exit_code == 0
    done = tars("verify", "out/b.zip", "--timestamp-cert", authority.root)
    assert (done.exit_code, "no time stamp by this authority" in done.stdout) == (1, True)
    Path("out/b.zip.tsr").write_bytes(stamp(Path("out/b.zip").read_bytes(), authority.url))
    done = tars("verify", "out/b.zip")
    assert (done.exit_code, "NOT_CHECKED by CN=Stamps: says 20" in done.stdout) == (0, True)
    other = make_authority(tmp_path / "other")
    done = tars("verify", "out/b.zip", "--timestamp-cert", other.root)
    assert (done.exit_code, "time stamp INVALID" in done.stdout) == (1, True)
    Path("out/b.zip.tsr").write_bytes(stamp(b"something else", authority.url))
    done = tars("verify", "out/b.zip")
    assert (done.exit_code, "it is over another file" in done.stdout) == (1, True)
    for spoiled in (authority.folder / "tsa.pem", authority.folder / "configuration", tmp_path):
        assert tars("verify", "out/b.zip", "--timestamp-cert", spoiled).exit_code in (1, 2)


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("refuses", "HTTP status 503"),
        ("is a page", "no time stamp"),
        ("stamps something else", "its stamp is of something else"),
        ("answers again", "its stamp is of something else"),
    ],
)
def test_an_authority_that_does_not_stamp_these_bytes_leaves_no_bundle(
    work: Path, authority: Authority, mode: str, told: str
) -> None:
    stamp(b"content", authority.url)
    authority.mode = mode
    try:
        done = create("--timestamp-url", authority.url)
    finally:
        authority.mode = ""
    assert (done.exit_code, done.stderr.count("\n"), told in done.stderr) == (1, 1, True), done.stderr
    assert not Path("out").exists()


@pytest.mark.parametrize("url", ["ftp://a/", "https:///tsr", "http://user:secret@a/", "http://127.0.0.1:1/"])
def test_an_address_that_is_none_or_does_not_answer_is_one_line(work: Path, url: str) -> None:
    done = create("--timestamp-url", url)
    assert (done.exit_code, done.stderr.count("\n"), "secret" in done.output) == (1, 1, False), done.output
    assert not Path("out").exists()


def test_no_altered_byte_of_a_stamp_moves_its_time_or_passes_as_another_content(
    authority: Authority, tmp_path: Path
) -> None:
    place, good = tmp_path / "b.zip.tsr", stamp(b"content", authority.url)
    place.write_bytes(good)
    roots = read_certificates(authority.root)
    sound = check_stamp(b"content", place, roots)
    assert sound.state is State.VALID
    seen = 0
    for byte in range(0, len(good), 3):
        place.write_bytes(good[:byte] + bytes([good[byte] ^ 1]) + good[byte + 1 :])
        found = check_stamp(b"content", place, roots)
        seen += found.state is State.INVALID
        # a byte that no signature covers, such as one of a certificate's own form, changes nothing that is said
        assert found.state is State.INVALID or (found.at, found.key) == (sound.at, sound.key), byte
    assert seen > len(good) / 3 * 0.9
    with pytest.raises(ConfigError, match="no root in it"):
        check_stamp(b"content", place, (authority.folder / "tsa.pem").read_bytes())


def test_a_bundle_is_compared_with_a_head_that_was_published(
    evidence: EvidenceFolder, small: bytes, tmp_path: Path
) -> None:
    place = write_bundle(Bundle("evidence", small, ()), tmp_path)
    last = read_entries(evidence.incident)[-1]
    head = f"{evidence.incident.name} entry {last.seq} sha256 {last.sha256}"
    assert tars("verify", place, "--head", head).exit_code == 0
    done = tars("verify", place, "--head", head.replace(last.sha256, "0" * 64))
    assert (done.exit_code, "was published: the record was rewritten" in done.stdout) == (1, True)


def test_the_crate_describes_every_file_of_the_bundle_and_nothing_else(small: bytes, tmp_path: Path) -> None:
    place = write_bundle(Bundle("evidence", small, ()), tmp_path)
    shutil.unpack_archive(place, tmp_path)
    data = tmp_path / "evidence" / "data"
    crate = json.loads((data / "ro-crate-metadata.json").read_text())
    by_id = {entity["@id"]: entity for entity in crate["@graph"]}
    assert len(by_id) == len(crate["@graph"])
    assert by_id["ro-crate-metadata.json"]["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    files = {path.relative_to(data).as_posix(): path.stat().st_size for path in data.rglob("*") if path.is_file()}
    del files["ro-crate-metadata.json"]
    assert {i: int(one["contentSize"]) for i, one in by_id.items() if one["@type"] == "File"} == files
    parts = [part["@id"] for one in by_id.values() for part in one.get("hasPart", [])]
    assert sorted(part for part in parts if not part.endswith("/")) == sorted(files)
    # every reference leads somewhere, and no type is a guess
    judged = by_id["#making"]["object"]
    led_to = [by_id["./"]["license"], *(judged if isinstance(judged, list) else [judged])]
    assert set(parts) | {one["@id"] for one in led_to} <= set(by_id)
    # what RO-Crate 1.1 requires of its root, and how it wants a value that stands alone
    assert {"name", "description", "datePublished", "license"} <= set(by_id["./"])
    assert not isinstance(judged, list) or len(judged) > 1
    assert not any(one.get("encodingFormat") == "application/octet-stream" for one in by_id.values())
