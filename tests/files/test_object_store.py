"""Folders in object stores: fetched whole, sent whole or not at all; addresses without keys, names that stay inside."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from object_store import Store, moto_endpoint, store  # noqa: F401 - fixtures

from tars_lib.errors import ConfigError, InputError
from tars_lib.files import object_store
from tars_lib.files.object_store import fetch_folder, names_in, send_folder, store_path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ftp://host/x", "ftp://: no scheme that is known; allowed: s3://, gs://, abfs://, or a path"),
        ("s3://AKIA:hidden@bucket/x", "s3://...@bucket: a key in an address is printed and kept"),
        ("s3://hidden@bucket/x", "a key in an address"),
        ("abfs://box:hidden@account/x", "a key in an address"),
        ("abfs://box@account/x?client_secret=hidden", "option 'client_secret'; allowed: blob_storage_authority"),
        ("s3://bucket/x?secret_key=hidden", "option 'secret_key'; allowed: region, scheme, endpoint_override"),
        ("s3:///x", "a bucket and a path of plain names are needed"),
        ("s3://bucket/a/../b", "a bucket and a path of plain names are needed"),
        ("s3://bucket//b", "a bucket and a path of plain names are needed"),
        ("s3://[bucket", "an address that cannot be read"),
    ],
)
def test_an_address_that_is_refused_shows_no_key(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        store_path(text)
    assert said in str(refused.value)
    assert "hidden" not in str(refused.value)


def test_an_address_is_read_as_it_is_written() -> None:
    place = store_path("S3://bucket/runs/a/?region=eu-west-1")
    assert (str(place), place.name, str(place.parent)) == (
        "s3://bucket/runs/a?region=eu-west-1",
        "a",
        "s3://bucket/runs?region=eu-west-1",
    )
    assert str(place / "b") == "s3://bucket/runs/a/b?region=eu-west-1"
    assert str(store_path("abfs://box@account.dfs.core.windows.net/x")) == "abfs://box@account.dfs.core.windows.net/x"


def test_what_was_sent_is_what_is_fetched(store: Store, tmp_path: Path) -> None:  # noqa: F811
    for name, content in {"a.csv": b"1", "deep/er/b.json": b"{}", "empty": b"", "last.json": b"x" * 20_000_000}.items():
        path = tmp_path / "out" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    address = store_path(f"s3://bucket/some/place?{store.options}")
    send_folder(tmp_path / "out", address, last=("last.json",))
    assert store.listed() == [f"some/place/{name}" for name in ("a.csv", "deep/er/b.json", "empty", "last.json")]
    (tmp_path / "in").mkdir()
    fetch_folder(address, tmp_path / "in")
    got = {
        path.relative_to(tmp_path / "in"): path.read_bytes() for path in (tmp_path / "in").rglob("*") if path.is_file()
    }
    assert got == {
        path.relative_to(tmp_path / "out"): path.read_bytes()
        for path in (tmp_path / "out").rglob("*")
        if path.is_file()
    }
    assert names_in(store_path("s3://bucket/some/place")) == ["a.csv", "deep", "empty", "last.json"]
    assert names_in(store_path("s3://bucket/some/place"), "*.csv") == ["a.csv"]
    assert names_in(store_path("s3://bucket/nowhere")) == []


@pytest.mark.parametrize(
    "key", ["r/../../evil", "r//double", "r/a\\b", "r/c:x", "r/./x", "r/ blank", "r/zero\u200bwidth", "r/\u202ename"]
)
def test_a_name_that_could_lead_elsewhere_is_refused(key: str, store: Store, tmp_path: Path) -> None:  # noqa: F811
    store.put(key, b"x")
    store.put("r/good.csv", b"x")
    (tmp_path / "in").mkdir()
    with pytest.raises(InputError, match="the name .* is not allowed"):
        fetch_folder(store_path("s3://bucket/r"), tmp_path / "in")
    assert list((tmp_path / "in").iterdir()) == []
    assert not (tmp_path / "evil").exists()


def test_names_that_differ_by_case_are_refused(store: Store, tmp_path: Path) -> None:  # noqa: F811
    store.put("r/A.csv", b"x")
    store.put("r/a.csv", b"x")
    with pytest.raises(InputError, match="differ by case alone"):
        fetch_folder(store_path("s3://bucket/r"), tmp_path)


def test_limits_hold_before_anything_is_fetched(
    store: Store,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("a", "b", "c"):
        store.put(f"r/{name}", b"xyz")
    place = store_path("s3://bucket/r")
    for name, value, said in (
        ("MAX_FILES", 2, "3 files; up to 2"),
        ("MAX_TABLE_BYTES", 2, "3 bytes; up to 2"),
        ("_ROOM", 1 << 60, "9 bytes, and 0 are free"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(object_store, name, value)
            with pytest.raises(InputError, match=said):
                fetch_folder(place, tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="nothing is there"):
        fetch_folder(store_path("s3://bucket/other"), tmp_path)
    with pytest.raises(InputError, match=r"nothing is there|does not answer"):
        fetch_folder(store_path("s3://no-such-bucket/other"), tmp_path)


def test_what_cannot_be_sent_whole_is_taken_back(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    made, base = object_store.filesystem_of(store_path("s3://bucket/out"))

    class Failing:
        """A store that fails at the second file."""

        def __getattr__(self, name: str) -> object:
            return getattr(made, name)

        def open_output_stream(self, name: str) -> object:
            if name.endswith("b"):
                raise OSError("the network is gone")
            return made.open_output_stream(name)

    with monkeypatch.context() as patch:
        patch.setattr(object_store, "filesystem_of", lambda _: (Failing(), base))
        with pytest.raises(
            OSError, match=r"s3://bucket/out: the store does not answer as it should: the network is gone"
        ):
            send_folder(tmp_path, store_path("s3://bucket/out"))
    assert store.listed() == []


def test_a_store_that_is_not_there_or_says_nothing_ends_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(object_store, "_ANSWER_SECONDS", 1)
    monkeypatch.setattr(object_store, "_ATTEMPTS", 1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)
        for port in (9, silent.getsockname()[1]):
            place = store_path(f"s3://bucket/r?scheme=http&endpoint_override=127.0.0.1:{port}")
            with pytest.raises(InputError) as refused:
                fetch_folder(place, tmp_path)
            assert "the store does not answer as it should" in str(refused.value)
            assert "\n" not in str(refused.value)
            assert "hidden" not in str(refused.value)
