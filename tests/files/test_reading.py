"""Only regular files of a bearable size are read, and only from inside their root."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from org_samples import HEADER, RootBuilder

from tars_lib.errors import ConfigError, InputError, TarsError
from tars_lib.files import limits
from tars_lib.files import reading as intake
from tars_lib.files.reading import entries, open_regular, parse_json, read_utf8, read_whole

REPO = Path(__file__).resolve().parents[2]
GOOD = "2026-01-01T00:00:00Z,a,health_score,90\n"
BOARD = "web/dashboard/health-dashboard.json"
PARTS = (
    "history.csv",
    "history.parquet",
    "history/a.csv",
    "org.yaml",
    "events.csv",
    "sla-policies.yaml",
    "alerts.yaml",
    BOARD,
)
POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes in folders, and links need a privilege")


def refused(root: RootBuilder) -> str:
    began = time.monotonic()
    with pytest.raises(TarsError) as caught:
        root.load()
    assert time.monotonic() - began < 5
    return str(caught.value)


@POSIX
@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize(
    ("make", "found"),
    [
        (getattr(os, "mkfifo", None), "a pipe is there; a file is needed"),
        (lambda path: path.mkdir(), "a folder is there; a file is needed"),
        (lambda path: path.symlink_to("/dev/zero"), "a link leads out of the root; a file inside it is needed"),
        (lambda path: path.symlink_to("/etc/passwd"), "a link leads out of the root; a file inside it is needed"),
        (lambda path: path.symlink_to("nowhere"), "a link that leads nowhere; a file is needed"),
        (lambda path: path.symlink_to(path.name), "a link that leads nowhere; a file is needed"),
    ],
    ids=["pipe", "folder", "device", "outside", "nowhere", "circle"],
)
def test_what_is_no_file_of_the_root_is_refused_and_not_waited_for(
    root: RootBuilder, name: str, make: object, found: str
) -> None:
    path = root.file("other/alerts/alerts.json", {}).folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    make(path)  # type: ignore[operator]
    message = refused(root)
    if name == "sla-policies.yaml" and path.is_dir() and not path.is_symlink():
        # policies may stand in a folder, but one without a file says nothing
        found = "no policy file; a folder of .yaml or .yml files is needed"
    assert message.startswith(f"{name}: {found}")


@POSIX
def test_a_socket_and_a_file_in_place_of_the_history_folder_are_refused(root: RootBuilder) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        place = os.path.relpath(root.write() / "org.yaml")
        if len(place) > 100:
            pytest.skip("the temporary folder's path is too long for a socket")
        server.bind(place)
        assert refused(root) == "org.yaml: a socket is there; a file is needed"
    (root.folder / "org.yaml").unlink()
    root.file("history", "x")
    assert refused(root).startswith("history: something else than a folder is there")


@POSIX
def test_a_link_inside_the_root_is_followed_and_the_root_may_be_one(root: RootBuilder, tmp_path: Path) -> None:
    root.file("data/1/history.csv", HEADER + GOOD)
    (root.folder / "history.csv").symlink_to("data/1/history.csv")
    (tmp_path / "link").symlink_to(root.folder, target_is_directory=True)
    assert len(RootBuilder(tmp_path / "link").load().history) == 1


@POSIX
def test_a_folder_of_a_repo_that_is_a_link_out_of_the_root_is_refused_and_another_one_is_left_alone(
    root: RootBuilder, tmp_path: Path
) -> None:
    other = RootBuilder(tmp_path / "other").file(
        BOARD, {"repository_score": 1, "scan_timestamp": "2026-01-01T00:00:00Z"}
    )
    root.file("history.csv", HEADER + GOOD)
    (root.folder / "tools").symlink_to(tmp_path, target_is_directory=True)
    assert [repo.repo for repo in root.load().repos] == ["a"]
    (root.folder / "web").symlink_to(other.folder / "web", target_is_directory=True)
    assert refused(root).startswith(f"{BOARD}: a link leads out of the root")


@POSIX
def test_a_folder_whose_name_is_not_utf8_is_refused(root: RootBuilder) -> None:
    place = root.write() / os.fsdecode(b"we\xffb") / "alerts"
    try:
        place.mkdir(parents=True)
    except OSError:
        pytest.skip("this file system takes only names in UTF-8")
    (place / "alerts.json").write_text("{}")
    assert refused(root) == "we?b: the folder's name is not UTF-8; a service is called by it"


def test_a_file_beyond_its_size_is_refused_by_name_size_and_limit(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"12345")
    with pytest.raises(InputError, match="^f: 5 bytes; up to 4 are allowed$"):
        open_regular(tmp_path / "f", "f", 4)
    assert read_whole(tmp_path / "f", "f", 5) == b"12345"
    with pytest.raises(ConfigError, match="^f: 5 bytes; up to 4 are allowed$"):
        read_utf8(tmp_path / "f", "f", 4, ConfigError)


def test_a_folder_with_too_many_entries_is_refused(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).touch()
    assert [path.name for path in entries(tmp_path, "x", 3)] == ["a", "b", "c"]
    with pytest.raises(InputError, match="^x: more than 2 entries in the folder; up to 2 are allowed$"):
        entries(tmp_path, "x", 2)


@pytest.mark.parametrize("text", ["[" * 101 + "]" * 101, '{"a":' * 101 + "1" + "}" * 101, "[" * 100_000])
def test_json_nested_too_deep_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="^f: nested deeper than 100 levels$"):
        parse_json(text, "f")


@pytest.mark.parametrize(
    "text", ["[" * 100 + "]" * 100, json.dumps("[" * 500 + "]" * 500), json.dumps(['\\"' + "[" * 200])]
)
def test_json_up_to_the_depth_is_read_whatever_its_texts_hold(text: str) -> None:
    assert parse_json(text, "f") == json.loads(text)


LARGE = {
    "MAX_NAME": HEADER + "2026-01-01T00:00:00Z," + "n" * 1001 + ",health_score,1\n",
    "MAX_MAGNITUDE": HEADER + "2026-01-01T00:00:00Z,a,x,1e31\n",
    "EARLIEST": HEADER + "1969-12-31T00:00:00Z,a,x,1\n",
    "LATEST": HEADER + "2200-12-31T00:00:00Z,a,x,1\n",
    "MAX_COLUMNS": "timestamp,repo,metric,value" + ",x" * 1000 + "\n",
    "MAX_HEADER_BYTES": "timestamp,repo,metric,value," + "x" * 70_000 + "\n",
}


@pytest.mark.parametrize("limit", LARGE)
def test_a_history_beyond_a_limit_is_refused_by_row_and_limit(root: RootBuilder, limit: str) -> None:
    row = 2 if LARGE[limit].startswith(HEADER) else 1
    assert re.match(rf"history.csv, row {row}(, column \w+)?: .*", refused(root.file("history.csv", LARGE[limit])))


SMALL = {
    "tars_lib.model.samples": {"MAX_REPOS": 1, "MAX_METRICS": 1, "MAX_SERIES": 3},
    "tars_lib.files.limits": {"MAX_ROWS": 3},
    "tars_lib.sources.events": {"MAX_EVENTS": 1, "MAX_TEXT": 3, "MAX_EVENT_BYTES": 10},
    "tars_lib.sources.artefacts": {"MAX_EVENTS": 1, "MAX_NAME": 3},
    "tars_lib.sources.alert_files": {"MAX_EVENTS": 0, "MAX_TEXT": 3},
    "tars_lib.sources.root": {"MAX_FILES": 2},
    "tars_lib.config.yaml_file": {"MAX_CONFIG_VALUES": 2, "MAX_TEXT": 3},
}


@pytest.mark.parametrize(("module", "limit"), [(module, limit) for module, them in SMALL.items() for limit in them])
def test_a_limit_bites_where_it_is_reached(
    root: RootBuilder, monkeypatch: pytest.MonkeyPatch, module: str, limit: str
) -> None:
    rows = "".join(f"2026-01-01T00:00:00Z,{repo},{metric},1\n" for repo in "ab" for metric in ("x", "health_score"))
    root.file("history.csv", HEADER + rows).file("org.yaml", "name: Acme Corp")
    root.file("events.csv", "timestamp,repo,kind,title\n" + "2026-01-01T00:00:00Z,a,deploy,Version 1\n" * 2)
    points = [{"timestamp": f"2026-01-0{day}T00:00:00Z", "score": 1} for day in (1, 2)]
    root.file("web/trends/trend-report.json", {"history": points})
    root.file(BOARD, {"repository_name": "Web shop"}).file(
        "web/alerts/alerts.json", {"alerts": [{"severity": "high", "title": "Disk full"}]}
    )
    root.file("sla-policies.yaml", "policies: []")
    assert len(root.load().repos) == 3
    monkeypatch.setattr(f"{module}.{limit}", SMALL[module][limit])
    assert re.search(r"up to .* (is|are) allowed", refused(root))


def test_every_limit_has_a_reason_and_stands_in_the_threat_model() -> None:
    names = {name for name in vars(limits) if name.isupper() and name not in ("REASONS", "TYPE_CHECKING", "UTC")}
    assert set(limits.REASONS) == names
    page = (REPO / "docs" / "security.md").read_text(encoding="utf-8")
    for name, limit in limits.REASONS.items():
        value = getattr(limits, name)
        shown = value.year if hasattr(value, "year") else f"{value:g}" if isinstance(value, float) else f"{value:,}"
        assert f"| {limit.of} | {shown} {limit.unit}".rstrip() + " | " + limit.reason + " |" in page, name


def test_no_limit_stands_unused() -> None:
    sources = "".join(
        path.read_text(encoding="utf-8") for path in (REPO / "tars_lib").rglob("*.py") if path.name != "limits.py"
    )
    assert [name for name in limits.REASONS if not re.search(rf"\b{name}\b", sources)] == []


def test_nothing_that_runs_code_while_it_reads_is_used() -> None:
    traps = re.compile(
        r"\b(pickle|marshal|shelve|dill|joblib|yaml\.(unsafe_)?load\(|yaml\.full_load|FullLoader|UnsafeLoader"
        r"|allow_pickle=True|eval\(|exec\()"
    )
    found = [
        f"{path.name}: {hit[0]}"
        for path in (REPO / "tars_lib").rglob("*.py")
        for hit in traps.finditer(path.read_text(encoding="utf-8"))
        # what the processes of one run send each other is read by nobody else
        if path != REPO / "tars_lib" / "stats" / "scheduler.py"
    ]
    assert found == []


@POSIX
def test_a_root_that_may_not_be_looked_into_is_refused_with_a_code(root: RootBuilder, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may look into everything")
    root.file("history.csv", HEADER + GOOD)
    root.folder.chmod(0o400)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tars_lib.cli.main", "run", "--root", str(root.folder)],
            capture_output=True, text=True, check=False, cwd=tmp_path,
        )  # fmt: skip
    finally:
        root.folder.chmod(0o700)
    assert (done.returncode, done.stderr.count("\n")) == (95, 1)


def test_text_is_read_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"\xef\xbb\xbfx")
    assert read_utf8(tmp_path / "f", "f", 10) == "x"
    assert intake.is_there(tmp_path / "f", "f")
    assert not intake.is_there(tmp_path / "f" / "g", "g")
