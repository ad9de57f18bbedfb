"""A time-stamping authority on this machine: `openssl ts` behind HTTP, with a certificate of its own root."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import loopback

CONFIGURATION = """
[tsa]
default_tsa = stamping
[stamping]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
ess_cert_id_alg = sha256
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[req]
distinguished_name = name
[name]
"""
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass
class Authority:
    """Where it stands, its root, and what it does: `mode` spoils its answers."""

    folder: Path
    url: str = ""
    mode: str = ""

    @property
    def root(self) -> Path:
        return self.folder / "ca.pem"

    def openssl(self, *words: object) -> bytes:
        done = subprocess.run(["openssl", *map(str, words)], cwd=self.folder, capture_output=True, check=True)
        return done.stdout

    def answer(self, query: bytes) -> tuple[int, bytes]:
        if self.mode == "refuses":
            return 503, b""
        if self.mode == "is a page":
            return 200, b"<html>Sign in</html>"
        if self.mode == "stamps something else":
            self.openssl("ts", "-query", "-data", self.root, "-sha256", "-cert", "-out", "query")
        else:
            # an answer that was given before has another nonce
            (self.folder / "query").write_bytes(query)
        if self.mode != "answers again":
            grant = ("-config", "configuration", "-section", "stamping", "-queryfile", "query", "-out", "reply")
            self.openssl("ts", "-reply", *grant)
        return 200, (self.folder / "reply").read_bytes()


def make_authority(folder: Path) -> Authority:
    """Keys and certificates, made anew."""
    folder.mkdir()
    (folder / "configuration").write_text(CONFIGURATION.format(folder=folder), encoding="ascii")
    (folder / "serial").write_text("01\n", encoding="ascii")
    made = Authority(folder)
    config = ("-config", "configuration", "-days", "3650", "-batch")
    made.openssl(
        "req", "-x509", *KEY, *config, "-extensions", "root", "-subj", "/CN=Root", "-keyout", "ca.key", "-out", "ca.pem"
    )
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-extensions", "leaf", "-subj", "/CN=Stamps", "-keyout", "tsa.key")
    made.openssl("req", "-x509", *KEY, *config, *signed, "-out", "tsa.pem")
    return made


@contextmanager
def serving(authority: Authority) -> Iterator[Authority]:
    """Answer its POSTs on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, said = authority.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *args: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        authority.url = f"http://127.0.0.1:{server.server_address[1]}/tsr"
        yield from loopback.serving(server, authority)
