"""Google's and Azure's stores, by their emulators on loopback where these are installed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from servers import free_port

from tars_lib.cli.main import cli
from tars_lib.errors import ConfigError, InputError
from tars_lib.files.object_store import fetch_folder, filesystem_of, names_in, send_folder, store_path

# the account of every Azurite, https://learn.microsoft.com/azure/storage/common/storage-use-azurite
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    emulator = pytest.importorskip("gcp_storage_emulator.server", reason="gcp-storage-emulator is not installed")
    port = free_port()
    server = emulator.create_server("127.0.0.1", port, in_memory=True, default_bucket="bucket")
    server.start()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
    yield "gs://bucket/runs"
    server.stop()


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    program = shutil.which("azurite-blob")
    if program is None:
        pytest.skip("azurite is not installed")
    from pyarrow import fs

    port = free_port()
    asked = [
        "--silent",
        "--inMemoryPersistence",
        "--skipApiVersionCheck",
        "--disableTelemetry",
        "--blobPort",
        str(port),
    ]
    server = subprocess.Popen([program, *asked], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    here = f"127.0.0.1:{port}"
    made = fs.AzureFileSystem(
        ACCOUNT,
        account_key=KEY,
        blob_storage_authority=here,
        dfs_storage_authority=here,
        blob_storage_scheme="http",
        dfs_storage_scheme="http",
    )
    try:
        for attempt in range(50):
            try:
                made.create_dir("box")
            except OSError:
                assert attempt < 49
                time.sleep(0.2)
            else:
                break
        monkeypatch.setenv("AZURE_STORAGE_KEY", KEY)
        yield f"abfs://box@{ACCOUNT}/runs?blob_storage_authority={here}&dfs_storage_authority={here}&enable_tls=false"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def signed(azure: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same store by a signature in place of the key, https://learn.microsoft.com/rest/api/storageservices/create-account-sas."""
    given = {
        "sp": "rwdlac",
        "ss": "b",
        "srt": "sco",
        "se": "2099-01-01T00:00:00Z",
        "spr": "https,http",
        "sv": "2021-06-08",
    }
    text = [ACCOUNT, given["sp"], given["ss"], given["srt"], "", given["se"], "", given["spr"], given["sv"], "", ""]
    signature = hmac.new(base64.b64decode(KEY), "\n".join(text).encode(), hashlib.sha256).digest()
    monkeypatch.delenv("AZURE_STORAGE_KEY")
    monkeypatch.setenv("AZURE_STORAGE_SAS_TOKEN", urlencode({**given, "sig": base64.b64encode(signature).decode()}))
    return azure


@pytest.mark.parametrize("which", ["google", "azure", "signed"])
def test_a_lake_there_is_pulled(which: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url = request.getfixturevalue(which).replace("/runs", "/lake")
    filesystem, place = filesystem_of(store_path(url))
    for day in (4, 5):
        rows = {"time": [datetime(2026, 1, day, hour, tzinfo=UTC) for hour in range(24)], "service": ["web"] * 24}
        table = pa.table({**rows, "requests": [float(day * 100 + hour) for hour in range(24)]})
        with filesystem.open_output_stream(f"{place}/date=2026-01-0{day}/part.parquet") as file:
            pq.write_table(table, file)
    columns = "columns: {timestamp: time, repo: service}, metrics: {requests_total: {column: requests, unit: count}}"
    source = f"{{name: lake, kind: parquet, url: '{url}', {columns}, date_partition: date}}"
    (tmp_path / "sources.yaml").write_text(f"sources: [{source}]\n", encoding="utf-8")
    words = ["pull", "--root", str(tmp_path), "--since", "2026-01-05T00:00Z", "--until", "2026-01-05T03:00Z"]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    assert pq.read_table(tmp_path / "history" / "lake.parquet")["value"].to_pylist() == [500.0, 501.0, 502.0]


@pytest.mark.parametrize("which", ["google", "azure", "signed"])
def test_a_folder_comes_back_as_it_went(which: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    target = store_path(request.getfixturevalue(which))
    content = {"tars-run-1/a.json": b"1", "tars-run-2/deep/b.csv": "ü,2".encode(), "status.json": b"{}"}
    sent, came = tmp_path / "sent", tmp_path / "came"
    for name, held in content.items():
        (sent / name).parent.mkdir(parents=True, exist_ok=True)
        (sent / name).write_bytes(held)
    came.mkdir()
    assert names_in(target) == []
    send_folder(sent, target, ["status.json"])
    assert names_in(target, "tars-run-*") == ["tars-run-1", "tars-run-2"]
    fetch_folder(target, came)
    assert {p.relative_to(came).as_posix(): p.read_bytes() for p in came.rglob("*") if p.is_file()} == content
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="nothing is there"):
        fetch_folder(target / "elsewhere", tmp_path / "none")


def test_an_address_of_azure_names_container_and_account() -> None:
    with pytest.raises(ConfigError, match="abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH is needed"):
        names_in(store_path("abfs://account.dfs.core.windows.net/box/runs"))
