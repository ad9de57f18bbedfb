"""Real servers on this machine that keep what they were sent."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import TypeVar


@dataclass
class Inbox:
    """Where a server listens and what arrived."""

    port: int
    received: list[bytes] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


@contextmanager
def http_server(
    status: int = 202, answer: bytes | None = None, headers: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Inbox]:
    """An HTTP server that answers every POST with one status and text; without a text as PagerDuty acknowledges an event."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            inbox.received.append(self.rfile.read(int(self.headers["Content-Length"])))
            inbox.paths.append(self.path)
            said = acknowledged(inbox.received[-1]) if answer is None else answer
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *args: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        inbox = Inbox(server.server_address[1])
        yield from serving(server, inbox)


def acknowledged(event: bytes) -> bytes:
    """What PagerDuty answers: https://developer.pagerduty.com/docs/send-alert-event"""
    try:
        key = json.loads(event).get("dedup_key", "its-own")
    except ValueError:
        key = "its-own"
    return json.dumps({"status": "success", "message": "Event processed", "dedup_key": key}).encode()


@contextmanager
def smtp_server(taken: bytes = b"250 taken") -> Iterator[Inbox]:
    """An SMTP server (RFC 5321, as much as a client without extensions needs)."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 loopback\r\n")
            for line in self.rfile:
                verb = line[:4].upper()
                if verb == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    content = b""
                    for part in self.rfile:
                        if part == b".\r\n":
                            break
                        content += part
                    inbox.received.append(content)
                    self.wfile.write(taken + b"\r\n")
                elif verb == b"QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                else:
                    self.wfile.write(b"250 ok\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        inbox = Inbox(server.server_address[1])
        yield from serving(server, inbox)


T = TypeVar("T")


def serving(server: socketserver.BaseServer, state: T) -> Iterator[T]:
    """Let a server answer in a thread of its own while somebody works with what it keeps."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
