"""A house to keep in order: what stands in it, who looks after it, and what a command is told of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tars_lib.cli.main import cli
from tars_lib.retention import work
from tars_lib.retention.config import read_retention
from tars_lib.retention.things import Places
from tars_lib.retention.work import Clerk

NOW = datetime(2027, 6, 1, tzinfo=UTC)
POLICY = """
run: {archive_after_days: 90, delete_after_days: 400, source: test}
incident: {archive_after_days: 90, source: test}
bundle: {archive_after_days: 90, delete_after_days: 400, source: test}
report: {delete_after_days: 90, source: test}
"""
OPEN, CLOSED = "INC-202701010000", "INC-202701010001"
RUNS = ("tars-run-20270101-000000", "tars-run-20270102-000000", "tars-run-20270520-000000", "tars-run-20260101-000000")
"""Of the open incident, of nobody, young, and older than everything."""


def reseal(run: Path, status: Path, time: datetime) -> None:
    """One analysis serves for runs of several times."""
    import hashlib

    content = json.loads(status.read_bytes()) | {"generated_at": f"{time:%Y-%m-%dT%H:%M:%SZ}"}
    status.write_text(json.dumps(content), encoding="utf-8")
    manifest = json.loads((run / "manifest.json").read_bytes())
    for entry in manifest["files"]:
        if entry["path"] == "status.json":
            entry["sha256"] = hashlib.sha256(status.read_bytes()).hexdigest()
    (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def clerk(house: Path, now: datetime = NOW) -> Clerk:
    places = Places(house / "runs", house / "incidents", house / "bundles", house / "outputs", house / "archive")
    return Clerk(places, read_retention(house / "retention.yaml"), "ada", now)


def decisions(items: tuple[work.Item, ...]) -> dict[str, str]:
    return {f"{item.kind.value} {item.name}": item.decision.value for item in items}


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def call(house: Path, *words: str) -> Result:
    places = [
        "--runs-dir", "runs", "--incidents-dir", "incidents", "--bundles-dir", "bundles", "--reports-dir", "outputs",
        "--policy", "retention.yaml", "--now", "2027-06-01T00:00:00Z",
    ]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(house)
        return CliRunner().invoke(cli, ["retention", *words[:1], *(places if words[0] != "list" else []), *words[1:]])
