"""Real servers on the loopback: Prometheus, Alertmanager, PostgreSQL, an object store, and one that says what it is told to.

A test of one that is not installed is left out, and says so.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import socket
import socketserver
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import loopback
import pytest

from tars_lib.sources.demo import demo_root

WAIT = 20.0
HOUR = 3600
COUNTERS = {"requests_total": "http_requests_total", "requests_failed": "http_requests_failed_total"}
GAUGES = {"latency": "latency_seconds", "latency_p95": "latency_p95_seconds"}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def command(name: str, package: str) -> str:
    """Where a program is; the test is left out where it is not."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed; Debian's package {package} has it")
    return found


def demo_rows() -> list[dict[str, Any]]:
    """The samples of the demo organisation."""
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = pq.read_table(demo_root() / "history.parquet").to_pylist()
    return rows


def open_metrics() -> str:
    """The demo's samples as a Prometheus would have them: counts as running totals, everything at the end of its hour."""
    series: dict[tuple[str, str], list[tuple[int, float]]] = defaultdict(list)
    for row in demo_rows():
        series[row["metric"], row["repo"]].append((int(row["timestamp"].timestamp()), row["value"]))
    lines = []
    for metric, name in (COUNTERS | GAUGES).items():
        lines.append(f"# TYPE {name.removesuffix('_total')} {'counter' if metric in COUNTERS else 'gauge'}")
        for (of, repo), points in sorted(series.items()):
            if of != metric:
                continue
            total = 0.0
            label = f'{name}{{service="{repo}"}}'
            if metric in COUNTERS:
                lines.append(f"{label} 0 {min(points)[0]}")
            for begin, value in sorted(points):
                if metric in COUNTERS:
                    # at the half hour too: newer servers leave out the sample at the begin of a range, and extrapolate
                    lines.append(f"{label} {total + value / 2} {begin + HOUR // 2}")
                total += value
                lines.append(f"{label} {total if metric in COUNTERS else value!r} {begin + HOUR}")
    lines.append("# TYPE traces_service_graph_request counter")
    for client, server in (("web", "search"), ("user", "web"), ("web", "audit")):
        label = f'traces_service_graph_request_total{{client="{client}",server="{server}"}}'
        lines += [f"{label} {100 * hour} {1793600000 + hour * HOUR}" for hour in range(6)]
    return "\n".join([*lines, "# EOF", ""])


def ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a server answers."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=1):  # noqa: S310 - an address of this machine
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise AssertionError(log.read_text(encoding="utf-8", errors="replace")[-2000:])


@contextmanager
def running(words: list[str], url: str, folder: Path) -> Iterator[None]:
    """A server process until the end of the block."""
    log = folder / f"{Path(words[0]).name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(words, stdout=out, stderr=out, cwd=folder)
        try:
            ready(url, process, log)
            yield
        finally:
            process.terminate()
            process.wait(WAIT)


@contextmanager
def prometheus(folder: Path) -> Iterator[str]:
    """Prometheus with the demo's samples, back-filled by promtool; its address."""
    server, tool = command("prometheus", "prometheus"), command("promtool", "prometheus")
    text = folder / "demo.om"
    text.write_text(open_metrics(), encoding="utf-8")
    # one block instead of one for every two hours
    words = [
        tool,
        "tsdb",
        "create-blocks-from",
        "openmetrics",
        "--max-block-duration=1536h",
        text,
        folder / "data",
        "-q",
    ]
    subprocess.run([str(word) for word in words], check=True, capture_output=True)
    settings = folder / "prometheus.yml"
    settings.write_text("", encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    words = [
        server,
        f"--config.file={settings}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address={address}",
    ]
    with running([str(word) for word in words], f"http://{address}/-/ready", folder):
        yield f"http://{address}"


@contextmanager
def alertmanager(folder: Path) -> Iterator[str]:
    """Alertmanager without alerts; its address."""
    server = shutil.which("prometheus-alertmanager") or command("alertmanager", "prometheus-alertmanager")
    settings = folder / "alertmanager.yml"
    settings.write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n", encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    words = [
        server,
        f"--config.file={settings}",
        f"--storage.path={folder / 'alerts'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    with running(words, f"http://{address}/-/ready", folder):
        yield f"http://{address}"


@contextmanager
def postgresql() -> Iterator[str]:
    """An empty PostgreSQL whose user is `tars`; its address without a password."""
    homes = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = shutil.which("initdb") or (str(homes[-1]) if homes else None)
    if found is None:
        pytest.skip("PostgreSQL is not installed; Debian's package postgresql has it")
    programs = Path(found).parent
    # no server runs as root, and none but its own user may look into a test's folder
    user: list[str] = []
    folder = Path(tempfile.mkdtemp(prefix="tars-postgresql-"))
    try:
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            user = [command("runuser", "util-linux"), "-u", "postgres", "--"]
            shutil.chown(folder, "postgres")
        port, data = free_port(), folder / "data"

        def run(program: str, *words: str) -> None:
            done = subprocess.run(
                [*user, str(programs / program), "-D", str(data), *words],
                capture_output=True,
                text=True,
                cwd=folder,
                check=False,
            )
            assert done.returncode == 0, done.stderr[-1000:]

        secret = folder / "password"
        secret.write_text("s3cret\n", encoding="utf-8")
        secret.chmod(0o644)
        run("initdb", "-A", "scram-sha-256", f"--pwfile={secret}", "--no-sync", "-U", "tars")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c timezone=Asia/Kathmandu"
        run("pg_ctl", "-o", options, "-w", "-l", str(folder / "log"), "start")
        try:
            yield f"postgresql://tars@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def object_store() -> Iterator[str]:
    """An object store that speaks as S3 does; its address."""
    moto = pytest.importorskip("moto.server", reason="moto is not installed; pip install 'moto[s3]' flask flask-cors")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@dataclass
class Scripted:
    """Where a server listens, what it was asked, and what it says: an answer for each request, the last one again and again."""

    port: int
    answers: list[bytes | Callable[[socket.socket], None]]
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def next(self) -> bytes | Callable[[socket.socket], None]:
        """What is said now."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def scripted(*answers: bytes | Callable[[socket.socket], None]) -> Iterator[Scripted]:
    """A server that says to each request what it was told, byte by byte; a callable does with the connection what it likes."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                byte = self.rfile.read(1)
                if not byte:
                    return
                head += byte
            length = re.search(rb"(?i)content-length: (\d+)", head)
            body = self.rfile.read(int(length[1])) if length else b""
            state.asked.append((head + body).decode())
            answer = state.next()
            with suppress(OSError):  # whoever asked has gone
                if callable(answer):
                    answer(self.connection)
                else:
                    self.wfile.write(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        state = Scripted(server.server_address[1], list(answers))
        yield from loopback.serving(server, state)


def said(body: object, status: str = "200 OK", **headers: str) -> bytes:
    """An HTTP answer, closed after it; anything but bytes is JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content
