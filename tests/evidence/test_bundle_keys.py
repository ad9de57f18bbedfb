"""Signatures: what is valid, what is not, who can check them, and that no secret is left anywhere."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import minisign
import pytest
from bundle_samples import NOON
from click.testing import CliRunner, Result
from run_samples import RunSamples

from tars_lib.cli.main import cli
from tars_lib.errors import ConfigError
from tars_lib.evidence.sealing.signature import State, check, sign

PASSWORD = "correct horse"  # noqa: S105 - a test's own


@pytest.fixture(scope="module")
def pair() -> minisign.KeyPair:
    return minisign.KeyPair.generate()


@pytest.fixture
def work(samples: RunSamples, pair: minisign.KeyPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a run that needs no kernel, and keys elsewhere."""
    folder, keys = tmp_path / "work", tmp_path / "keys"
    run = shutil.copytree(samples.run("calm").directory, folder / "tars-run-20260105-143000")
    (run / "org-alerts.json").unlink()
    keys.mkdir()
    (keys / "key.sec").write_bytes(bytes(pair.secret_key))
    (keys / "key.pub").write_bytes(bytes(pair.public_key))
    (keys / "other.pub").write_bytes(bytes(minisign.KeyPair.generate().public_key))
    monkeypatch.chdir(folder)
    for name in ("TARS_SIGN_KEY", "TARS_SIGN_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    return folder


ZIP = "out/b.zip"


def create(*words: str) -> Result:
    base = [
        "bundle",
        "create",
        "--run-dir",
        "tars-run-*",
        "--allow-partial",
        "--bundle-name",
        "b",
        "--output-dir",
        "out",
    ]
    return CliRunner().invoke(cli, [*base, *words])


def verify(*words: str) -> Result:
    return CliRunner().invoke(cli, ["bundle", "verify", ZIP, *words])


def test_a_signature_is_checked_by_key_and_by_file(work: Path, pair: minisign.KeyPair) -> None:
    made = create("--sign-key", "../keys/key.sec")
    assert made.stdout.split() == [ZIP, f"{ZIP}.minisig"]
    for key in ("../keys/key.pub", pair.public_key.to_base64().decode()):
        done = verify("--public-key", key)
        assert done.exit_code == 0, done.output
        assert "VALID by " in done.stdout
    assert "NOT_CHECKED" in verify().stdout
    assert verify().exit_code == 0


def test_unsigned_is_said_plainly_and_fails_where_a_key_is_asked_for(work: Path) -> None:
    assert "unsigned" in create().stderr
    assert "unsigned" in verify().stdout
    done = verify("--public-key", "../keys/key.pub")
    assert done.exit_code == 1
    assert "no signature by this key" in done.stdout


def test_another_key_and_another_content_are_refused(work: Path) -> None:
    create("--sign-key", "../keys/key.sec")
    done = verify("--public-key", "../keys/other.pub")
    assert done.exit_code == 1
    assert "INVALID" in done.stdout
    content = bytearray((work / ZIP).read_bytes())
    content[-1] ^= 1
    (work / ZIP).write_bytes(content)
    assert "INVALID" in verify("--public-key", "../keys/key.pub").stdout


def test_any_altered_byte_of_a_signature_is_seen(pair: minisign.KeyPair, tmp_path: Path) -> None:
    public = pair.public_key.to_base64().decode()
    good = sign(b"content", "b.zip", bytes(pair.secret_key).decode(), None, NOON)
    place = tmp_path / "b.zip.minisig"
    # the first line is untrusted by its own name
    for byte in range(good.index(b"\n") + 1, len(good)):
        spoiled = bytearray(good)
        spoiled[byte] ^= 1
        place.write_bytes(spoiled)
        if bytes(spoiled).strip() != good.strip():
            assert check(b"content", place, public).state is State.INVALID, byte
    place.write_bytes(good)
    assert check(b"content", place, public).state is State.VALID
    place.write_bytes(b"")
    assert check(b"content", place, public).state is State.INVALID


def test_another_letter_that_stands_for_the_same_bits_is_an_altered_signature(
    pair: minisign.KeyPair, tmp_path: Path
) -> None:
    good = sign(b"content", "b.zip", bytes(pair.secret_key).decode(), None, NOON)
    lines = good.splitlines()
    # 64 bytes end in a letter of which two bits count, and two signs of padding
    assert lines[3].endswith(b"==")
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = letters.index(lines[3][-3])
    lines[3] = lines[3][:-3] + letters[last + 1 : last + 2] + b"=="
    place = tmp_path / "b.zip.minisig"
    place.write_bytes(b"\n".join(lines) + b"\n")
    assert check(b"content", place, pair.public_key.to_base64().decode()).state is State.INVALID
    place.write_bytes(good.replace(b"\n", b"\r\n"))
    assert check(b"content", place, pair.public_key.to_base64().decode()).state is State.VALID


def test_the_key_comes_from_the_environment_and_a_password_opens_it(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = minisign.KeyPair.generate()
    public = locked.public_key.to_base64().decode()
    locked.secret_key.encrypt(PASSWORD)
    text = bytes(locked.secret_key).decode()
    for given in (text, text.splitlines()[1]):
        monkeypatch.setenv("TARS_SIGN_KEY", given)
        monkeypatch.delenv("TARS_SIGN_PASSWORD", raising=False)
        refused = create()
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert "TARS_SIGN_PASSWORD" in refused.stderr
        assert not (work / "out").exists()
        monkeypatch.setenv("TARS_SIGN_PASSWORD", "wrong")
        assert "does not open" in create().stderr
        monkeypatch.setenv("TARS_SIGN_PASSWORD", PASSWORD)
        assert create().exit_code == 0
        assert verify("--public-key", public).exit_code == 0
        shutil.rmtree(work / "out")


def test_no_secret_stands_in_any_file_or_message(
    work: Path, pair: minisign.KeyPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = {bytes(pair.secret_key).splitlines()[1], PASSWORD.encode(), b"hooks.example.org/T0KEN"}
    monkeypatch.setenv("TARS_SIGN_KEY", bytes(pair.secret_key).decode())
    monkeypatch.setenv("TARS_SIGN_PASSWORD", PASSWORD)
    monkeypatch.setenv("TARS_WEBHOOK", "https://hooks.example.org/T0KEN")
    said = create("--verbose").output + verify("--verbose").output + create("--gpg-key", "-x", "--verbose").output
    for secret in secrets:
        assert secret.decode() not in said
        assert not [path for path in work.rglob("*") if path.is_file() and secret in path.read_bytes()]


def test_what_is_no_key_is_refused_without_showing_it(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARS_SIGN_KEY", "RWSECRETSECRET")
    refused = create()
    assert refused.exit_code == 1
    assert "no minisign secret key" in refused.stderr
    assert "SECRETSECRET" not in refused.output
    monkeypatch.delenv("TARS_SIGN_KEY")
    create()
    assert "no minisign public key" in verify("--public-key", "rubbish").stderr
    with pytest.raises(ConfigError, match="no minisign public key"):
        check(b"", work / "none", "rubbish")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name")
def test_a_pipe_given_as_a_key_is_refused_and_not_waited_for(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(work.parent / "keys" / "pipe")
    alarm = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it waits for the pipe"))
    signal.alarm(20)
    try:
        done = create("--sign-key", "../keys/pipe")
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, alarm)
    assert done.exit_code == 1
    assert "key ../keys/pipe: a pipe is there" in done.stderr
    (work / "big").write_bytes(b"x" * 100_000)
    monkeypatch.setenv("TARS_SIGN_KEY", "big")
    assert "key big: " in create().stderr
    assert not (work / "out").exists()


def test_a_signature_stays_beside_the_same_bundle_and_not_beside_a_new_one(work: Path) -> None:
    create("--sign-key", "../keys/key.sec")
    create()
    assert verify("--public-key", "../keys/key.pub").exit_code == 0
    (work / ZIP).unlink()
    create()
    assert sorted(path.name for path in (work / "out").glob("b.zip*")) == ["b.zip"]


def test_a_signature_over_another_file_is_seen_without_a_key_and_not_handed_on(work: Path) -> None:
    create("--sign-key", "../keys/key.sec")
    create("--bundle-name", "c")
    (work / ZIP).with_name("custody.jsonl").unlink()
    (work / "out" / "c.zip").replace(work / ZIP)
    done = verify()
    assert done.exit_code == 1
    assert "INVALID: it is over another file, of sha256 " in done.stdout
    for words in (["export", ZIP, "--output", "sent"], ["transfer", ZIP, "--to", "Legal"]):
        done = CliRunner().invoke(cli, ["bundle", *words])
        assert done.exit_code == 1
        assert "b.zip.minisig: signature INVALID" in done.stderr
    assert not (work / "sent").exists()


@pytest.mark.skipif(shutil.which("minisign") is None, reason="minisign is not installed")
def test_minisign_itself_accepts_the_signature(work: Path) -> None:
    create("--sign-key", "../keys/key.sec")
    words = ["minisign", "-V", "-m", ZIP, "-p", "../keys/key.pub"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "sha256:" in done.stdout
    (work / ZIP).write_bytes((work / ZIP).read_bytes() + b"x")
    assert subprocess.run(words, capture_output=True, check=False).returncode != 0


@pytest.fixture
def gpg(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., subprocess.CompletedProcess[bytes]]]:
    """A key ring of its own; its path is short, since gpg's agent listens on a socket in it."""
    if shutil.which("gpg") is None:
        pytest.skip("gpg is not installed")
    with tempfile.TemporaryDirectory(prefix="gpg") as home:
        Path(home).chmod(0o700)
        monkeypatch.setenv("GNUPGHOME", home)

        def run(*words: str) -> subprocess.CompletedProcess[bytes]:
            return subprocess.run(
                ["gpg", "--batch", "--yes", "--passphrase", "", *words], capture_output=True, check=False
            )

        yield run
        subprocess.run(
            ["gpgconf", "--kill", "all"], capture_output=True, check=False, env=os.environ | {"GNUPGHOME": home}
        )


def test_gpg_signs_and_checks(work: Path, gpg: Callable[..., subprocess.CompletedProcess[bytes]]) -> None:
    made = gpg("--quick-generate-key", "Ada <ada@example.org>", "ed25519", "sign", "never")
    assert made.returncode == 0, made.stderr
    done = create("--gpg-key", "ada@example.org", "--sign-key", "../keys/key.sec")
    assert done.stdout.split() == [ZIP, f"{ZIP}.minisig", f"{ZIP}.asc"]
    assert gpg("--verify", f"{ZIP}.asc", ZIP).returncode == 0
    assert "signature b.zip.asc: VALID by " in verify().stdout
    (work / ZIP).write_bytes((work / ZIP).read_bytes() + b"x")
    assert "b.zip.asc: signature INVALID" in verify().stdout


def test_a_gpg_key_that_is_not_there_leaves_nothing(
    work: Path, gpg: Callable[..., subprocess.CompletedProcess[bytes]]
) -> None:
    done = create("--gpg-key", "nobody@example.org")
    assert done.exit_code == 1
    assert "gpg did not sign" in done.stderr
    assert not (work / "out").exists()
    assert "an id, a fingerprint or an address" in create("--gpg-key", "--output=x").stderr
