"""Google's and Azure's stores, by their emulators on loopback where these are installed."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import free_port

from tars_lib.errors import ConfigError, InputError
from tars_lib.files.object_store import fetch_folder, names_in, send_folder, store_path

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


@pytest.mark.parametrize("which", ["google", "azure"])
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
