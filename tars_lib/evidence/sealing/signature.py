"""Detached signatures over a bundle's bytes: Ed25519 in minisign's format, and OpenPGP where gpg is installed.

https://jedisct1.github.io/minisign/
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from tars_lib.errors import ConfigError
from tars_lib.files.reading import sha256_hex

MINISIGN_ENDING, GPG_ENDING = ".minisig", ".asc"
_SECONDS = 60
"""Patience with gpg; judgement: an agent may ask for a passphrase."""
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9 @.<>+_-]{0,200}")
_COMMENT_DIGEST = re.compile(rb"^trusted comment: .*\bsha256:([0-9a-f]{64})\s*$", re.MULTILINE)
LONGEST_KEY = 1 << 16
"""Bytes of a key or signature file that are read; real ones have a few hundred to a few thousand."""


class State(StrEnum):
    """Knowledge about a signature."""

    VALID = "VALID"
    INVALID = "INVALID"
    NOT_CHECKED = "NOT_CHECKED"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature or stamp beside a bundle: its file, what is known, by which key, what it says or why it was not checked.

    `at`: the time that a stamp gives; None for a signature, whose time is a claim.
    """

    file: str
    state: State
    key: str | None
    text: str
    at: datetime | None = None


def sign(content: bytes, name: str, secret_key: str, password: str | None, time: datetime) -> bytes:
    """Sign a bundle in minisign's format.

    Parameters
    ----------
    secret_key : str
        Content of a minisign secret-key file, or its base64 line alone.
    password : str, optional
        Needed for an encrypted key.
    time : datetime
        Aware; a claim, signed with the rest.

    Raises
    ------
    ConfigError
        If the key cannot be read or the password is wrong; the message holds neither.
    """
    minisign = _minisign()
    try:
        key = minisign.SecretKey.from_bytes(_key_text(secret_key, "minisign encrypted secret key"))
    except (ValueError, UnicodeError, IndexError):
        raise ConfigError("signing key: no minisign secret key; `minisign -G` or py-minisign makes one") from None
    try:
        if key.is_encrypted():
            if password is None:
                raise ConfigError("signing key: it is encrypted; TARS_SIGN_PASSWORD or a terminal gives the password")
            key.decrypt(password)
        comment = f"timestamp:{int(time.timestamp())} file:{name} sha256:{sha256_hex(content)}"
        made = key.sign(content, untrusted_comment="signature of a T.A.R.S. evidence bundle", trusted_comment=comment)
    except minisign.Error:
        raise ConfigError("signing key: the password does not open it") from None
    finally:
        key.wipe()
    return bytes(made)


def is_encrypted(secret_key: str) -> bool:
    """Return whether a secret key needs a password; False for what is no key."""
    minisign = _minisign()
    try:
        return bool(minisign.SecretKey.from_bytes(_key_text(secret_key, "minisign secret key")).is_encrypted())
    except (ValueError, UnicodeError, IndexError):
        return False


def check(content: bytes, signature: Path, public_key: str) -> Signature:
    """Compare a minisign signature with a bundle.

    Parameters
    ----------
    public_key : str
        Content of a minisign public-key file, or its base64 line alone.

    Raises
    ------
    ConfigError
        If the public key is none.
    """
    minisign, key = _minisign(), _public_key(public_key)
    try:
        written = signature.read_bytes()[:LONGEST_KEY]
        read = minisign.Signature.from_bytes(written)
        key.verify(content, read)
    except (ValueError, UnicodeError, IndexError) as error:
        return Signature(signature.name, State.INVALID, _key_id(key), " ".join(str(error).split())[:200])
    # base64 has letters of which only some bits count: another letter there is an altered file all the same
    if written.splitlines()[1:] != bytes(read).splitlines()[1:]:
        return Signature(signature.name, State.INVALID, _key_id(key), "altered: minisign writes these bytes otherwise")
    return Signature(signature.name, State.VALID, _key_id(key), str(read.trusted_comment))


def sign_with_gpg(bundle: Path, key: str) -> bytes:
    """Return a detached OpenPGP signature in ASCII.

    Raise ConfigError if gpg is not installed, or does not sign; the message says why.
    """
    _check_key(key)
    done = _gpg("--armor", "--local-user", key, "--output", "-", "--detach-sign", str(bundle.resolve()))
    if done.returncode or not done.stdout.startswith(b"-----BEGIN PGP SIGNATURE-----"):
        message = " ".join(done.stderr.decode("utf-8", "replace").split())[:200]
        raise ConfigError(f"gpg did not sign with {key!r}: {message}")
    return done.stdout


def refuse_absent_key(key: str) -> None:
    """Ask gpg for a secret key before anything is made that it is to sign.

    Raise ConfigError if gpg is not installed, or its user has no such secret key.
    """
    _check_key(key)
    done = _gpg("--list-secret-keys", key)
    if done.returncode:
        message = " ".join(done.stderr.decode("utf-8", "replace").split())[:200]
        raise ConfigError(f"gpg did not sign with {key!r}: {message or 'no such secret key'}")


def check_with_gpg(bundle: Path, signature: Path) -> Signature:
    """Ask gpg about a signature, with the keys that its user has; nothing is fetched."""
    if shutil.which("gpg") is None:
        return Signature(signature.name, State.NOT_CHECKED, None, "gpg is not installed")
    done = _gpg(
        "--no-auto-key-retrieve", "--status-fd", "1", "--verify", str(signature.resolve()), str(bundle.resolve())
    )
    status = done.stdout.decode("utf-8", "replace")
    valid = re.search(r"^\[GNUPG:\] VALIDSIG (\w+)", status, re.MULTILINE)
    if valid and done.returncode == 0:
        return Signature(signature.name, State.VALID, valid[1], "good, by a key of this user's key ring")
    absent = re.search(r"^\[GNUPG:\] NO_PUBKEY (\w+)", status, re.MULTILINE)
    if absent:
        return Signature(signature.name, State.NOT_CHECKED, absent[1], "the key ring does not hold its public key")
    message = " ".join(done.stderr.decode("utf-8", "replace").split())[:200]
    return Signature(signature.name, State.INVALID, None, message or "gpg does not accept it")


def signatures_of(bundle: Path, content: bytes, public_key: str | None) -> tuple[Signature, ...]:
    """Return every signature that stands beside a bundle, checked as far as keys are at hand."""
    signatures: list[Signature] = []
    if public_key is not None:
        # also where nothing is signed: a mistyped file must not pass for a missing signature
        _public_key(public_key)
    by_minisign = bundle.with_name(f"{bundle.name}{MINISIGN_ENDING}")
    by_gpg = bundle.with_name(f"{bundle.name}{GPG_ENDING}")
    if by_minisign.is_file() and public_key is not None:
        signatures.append(check(content, by_minisign, public_key))
    elif by_minisign.is_file():
        signatures.append(_without_key(content, by_minisign))
    if by_gpg.is_file():
        signatures.append(check_with_gpg(bundle, by_gpg))
    return tuple(signatures)


def _public_key(text: str) -> Any:
    try:
        return _minisign().PublicKey.from_bytes(_key_text(text, "minisign public key"))
    except (ValueError, UnicodeError, IndexError):
        raise ConfigError(f"public key {text.strip()[:80]!r}: no minisign public key or file with one") from None


def _check_key(key: str) -> None:
    if not _KEY.fullmatch(key):
        raise ConfigError(f"gpg key {key[:80]!r}: an id, a fingerprint or an address is allowed")


def _without_key(content: bytes, signature: Path) -> Signature:
    """Say what can be said without the key: the comment that `sign` writes names the digest of what was signed."""
    with signature.open("rb") as file:
        digest = _COMMENT_DIGEST.search(file.read(LONGEST_KEY))
    if digest is not None and digest[1].decode() != sha256_hex(content):
        return Signature(
            signature.name, State.INVALID, None, f"it is over another file, of sha256 {digest[1].decode()}"
        )
    return Signature(signature.name, State.NOT_CHECKED, None, "--public-key KEY checks it")


def _gpg(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("gpg")
    if program is None:
        raise ConfigError("gpg is not installed; --sign-key signs without it")
    try:
        return subprocess.run(  # noqa: S603 - no shell, and no argument that gpg could take for an option
            [program, "--batch", "--yes", *arguments], capture_output=True, check=False, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise ConfigError(f"gpg did not answer within {_SECONDS} s") from None


def _key_text(text: str, comment: str) -> bytes:
    """Return a key file's two lines, also of the base64 line alone."""
    lines = [line.strip() for line in text.strip().splitlines()]
    if len(lines) == 1:
        lines = [f"untrusted comment: {comment}", *lines]
    return "\n".join(lines).encode("ascii")


def _key_id(key: Any) -> str:
    """Return the id as minisign prints it: eight bytes, the last first."""
    return base64.b64decode(key.to_base64())[9:1:-1].hex().upper()


def _minisign() -> Any:
    try:
        import minisign
    except ImportError:
        raise ConfigError(
            "signatures in minisign's format need py-minisign: pip install 'tars-incident-workbook[sign]'"
        ) from None
    return minisign
