"""Trusted time: a token of a time-stamping authority over a bundle's bytes (RFC 3161), made and checked.

It says that these bytes were there at a time that the authority vouches for; `openssl ts -verify` reads it as well.
https://www.rfc-editor.org/rfc/rfc3161
"""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.parse
import urllib.request
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tars_lib.errors import ConfigError, InputError
from tars_lib.evidence.sealing.signature import LONGEST_KEY, Signature, State

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

STAMP_ENDING = ".tsr"
_TIMEOUT = 30
"""Seconds to wait for an authority; judgement: public ones answer within one or two."""
_LONGEST = 1 << 17
"""Bytes of an answer or of a file of certificates that are read; real ones have some thousand."""
_DIGESTS = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}  # https://www.rfc-editor.org/rfc/rfc5754
_MEDIA_TYPE = "application/timestamp-query"  # RFC 3161, 3.4


def check_authority(url: str) -> None:
    """Refuse an address that cannot be one, or an installation that cannot ask, before a bundle is made.

    Raises
    ------
    ConfigError
        With what is needed.
    """
    _library()
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ConfigError("time-stamping authority: an http(s) address without user and password is needed")


def stamp(content: bytes, url: str) -> bytes:
    """Ask an authority to stamp a bundle; only its SHA-256 digest leaves this machine.

    Returns
    -------
    bytes
        The answer, as it is kept beside the bundle.

    Raises
    ------
    InputError
        If the authority cannot be reached, or does not grant a stamp of these bytes.
    """
    check_authority(url)
    library, host = _library(), urllib.parse.urlsplit(url).hostname
    query = library.TimestampRequestBuilder(content, library.HashAlgorithm.SHA256).build()
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked above
        url, query.as_bytes(), {"Content-Type": _MEDIA_TYPE}, method="POST"
    )
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=_TIMEOUT) as answer:
            stamp_bytes: bytes = answer.read(_LONGEST + 1)
    except urllib.error.HTTPError as error:
        error.close()
        raise _refused(host, f"HTTP status {error.code}") from None
    except (OSError, http.client.HTTPException) as error:
        raise _refused(host, f"not reached ({type(error).__name__})") from None
    try:
        read = library.decode_timestamp_response(stamp_bytes)
        status = read.status
        is_ours = status == 0 and read.tst_info.nonce == query.nonce and _covers(read, content)
    except ValueError:
        raise _refused(host, "its answer is no time stamp") from None
    if not is_ours:
        raise _refused(host, f"it granted none (status {status})" if status else "its stamp is of something else")
    return stamp_bytes


def _refused(host: str | None, why: str) -> InputError:
    return InputError(f"time-stamping authority {host}: {why}; no bundle was written")


def check_stamp(content: bytes, path: Path, certificates: bytes | None) -> Signature:
    """Compare a stamp with a bundle.

    Parameters
    ----------
    certificates : bytes, optional
        PEM or DER: the authority's root, and others between it and the stamp. Without it the authority is not checked.

    Raises
    ------
    ConfigError
        If the certificates cannot be read, or hold no root.
    """
    roots, between = ([], []) if certificates is None else _certificates(certificates)
    try:
        library = _library()
    except ConfigError as error:
        return Signature(path.name, State.NOT_CHECKED, None, str(error))
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    with path.open("rb") as file:
        written = file.read(_LONGEST + 1)
    try:
        read = library.decode_timestamp_response(written)
        time, signer = read.tst_info.gen_time, _signer(read)
        if read.as_bytes() != written:
            return Signature(path.name, State.INVALID, None, "altered: not as an authority writes it")
        if not _covers(read, content):
            return Signature(path.name, State.INVALID, signer, "it is over another file")
        if not roots:
            claim = f"says {time:%Y-%m-%d %H:%M:%S} UTC; --timestamp-cert FILE checks it"
            return Signature(path.name, State.NOT_CHECKED, signer, claim, time)
        # validity is that of the time of the stamp: a certificate may end later
        library.VerifierBuilder(roots=roots, intermediates=between).build().verify_message(read, content)
    except (
        ValueError,
        TypeError,
        KeyError,
        OverflowError,
        UnsupportedAlgorithm,
        x509.InvalidVersion,
        x509.DuplicateExtension,
        library.VerificationError,
    ) as error:
        return Signature(path.name, State.INVALID, None, " ".join(str(error).split())[:200])
    return Signature(path.name, State.VALID, signer, f"there at {time:%Y-%m-%d %H:%M:%S} UTC", time)


def read_certificates(file: Path) -> bytes:
    """Return the bytes of a file of certificates, which must hold a root.

    Raise ConfigError if it cannot be read or holds none.
    """
    try:
        with file.open("rb") as opened:
            content = opened.read(LONGEST_KEY + 1)
    except OSError as error:
        raise ConfigError(f"certificate {file}: {error.strerror}") from None
    _certificates(content)
    return content


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follow nothing: what stamps is what was named."""

    def redirect_request(self, *_: object) -> None:
        """Refuse to go on, so that the status is told."""


def _covers(read: TimeStampResponse, content: bytes) -> bool:
    """Return whether a stamp is over these bytes, by whichever digest it names."""
    imprint = read.tst_info.message_imprint
    name = _DIGESTS.get(imprint.hash_algorithm.dotted_string)
    return name is not None and hashlib.new(name, content).digest() == imprint.message


def _signer(read: TimeStampResponse) -> str | None:
    """Return the name in the certificate that signed; a claim until the certificate is checked."""
    from cryptography import x509

    named = {(info.issuer, info.serial_number) for info in read.signed_data.signer_infos}
    with warnings.catch_warnings():
        # of odd numbers in a certificate; whether it is trusted is asked elsewhere
        warnings.simplefilter("ignore")
        for encoded in read.signed_data.certificates:
            certificate = x509.load_der_x509_certificate(encoded)
            if (certificate.issuer, certificate.serial_number) in named:
                return str(certificate.subject.rfc4514_string())
    return None


def _certificates(content: bytes) -> tuple[list[Any], list[Any]]:
    """Return the roots, and others."""
    _library()
    from cryptography import x509

    try:
        if b"-----BEGIN" in content:
            read = x509.load_pem_x509_certificates(content)
        else:
            read = [x509.load_der_x509_certificate(content)]
    except ValueError:
        raise ConfigError("--timestamp-cert: no certificate in PEM or DER") from None
    unique = list(dict.fromkeys(read))
    roots = [certificate for certificate in unique if certificate.issuer == certificate.subject]
    if not roots:
        raise ConfigError("--timestamp-cert: no root in it: a certificate that its own key signed is needed")
    return roots, [certificate for certificate in unique if certificate not in roots]


def _library() -> Any:
    try:
        import rfc3161_client
    except ImportError:
        raise ConfigError("time stamps need rfc3161-client: pip install 'tars-incident-workbook[timestamp]'") from None
    return rfc3161_client
