"""Each option of `tars import` changes what is understood or refused."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tars_lib.cli.data.import_files import import_files
from tars_lib.cli.main import cli
from tars_lib.sources.exported.formats import FORMATS

PLAIN = "time,web,api\n2026-01-05T00:00:00Z,1,2\n2026-01-05T00:05:00Z,3,4\n"
LABELS = 'Time,"{service=""web"", app=""shop""}"\n1767571200000,1\n'
GROUPED = "time;web;api\n2026-01-05T00:00:00Z;1,234;2,345\n"
LOCAL = PLAIN.replace("Z,", ",")
NUMBERS = "time,web\n100000000,1\n100000300,2\n"
SLASHES = "time,web\n05/01/2026 00:00,1\n"
MAP = "columns: {api: skip}\n"
CASES = {
    "--root": (PLAIN, "--metric depth", "--metric depth --root elsewhere"),
    "--format": (PLAIN, "--metric depth", "--metric depth --format grafana"),
    "--map": (PLAIN, "--metric depth", "--metric depth --map map.yaml"),
    "--unit": (PLAIN, "--metric age", "--metric age --unit ms"),
    "--tz": (LOCAL, "--metric depth", "--metric depth --tz Asia/Kathmandu"),
    "--repo-from": (LABELS, "--metric depth", "--metric depth --repo-from app"),
    "--repo": (PLAIN, "", "--repo web"),
    "--metric": (PLAIN, "", "--metric depth"),
    "--kind": (PLAIN, "--metric jobs", "--metric jobs --kind counter"),
    "--epoch": (NUMBERS, "--metric depth", "--metric depth --epoch s"),
    "--time-format": (SLASHES, "--metric depth --tz UTC", "--metric depth --tz UTC --time-format '%d/%m/%Y %H:%M'"),
    "--decimal": (GROUPED, "--metric depth", "--metric depth --decimal comma"),
    "--dry-run": (PLAIN, "--metric depth", "--metric depth --dry-run"),
    "--verbose": (PLAIN, "", "--verbose"),
    "--quiet": (PLAIN, "--metric depth", "--metric depth --quiet"),
}
"""Option: a file, what is typed without it, and with it."""


def seen(folder: Path, text: str, options: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, dict[str, bytes]]:
    """Code, output and files of a call in a folder of its own."""
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "file.csv").write_text(text, encoding="utf-8")
    (folder / "map.yaml").write_text(MAP, encoding="utf-8")
    done = CliRunner().invoke(cli, ["import", "file.csv", "--root", "root", *shlex.split(options)])
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return done.exit_code, done.output, files


def test_every_option_is_tried() -> None:
    known = {one.opts[0] for one in import_files.params if isinstance(one, click.Option)}
    assert known == set(CASES)


@pytest.mark.parametrize("option", CASES)
def test_an_option_changes_what_is_seen(option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, without, with_it = CASES[option]
    one = seen(tmp_path / "one", text, without, monkeypatch)
    assert one == seen(tmp_path / "same", text, without, monkeypatch)
    assert one != seen(tmp_path / "other", text, with_it, monkeypatch)


def test_the_help_lists_every_format_and_an_example() -> None:
    done = CliRunner().invoke(cli, ["import", "--help"])
    assert [one.name for one in FORMATS if f"  {one.name} " not in done.output] == []
    assert "Example: tars import grafana.csv --root" in done.output
