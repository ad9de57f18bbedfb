"""`tars playbook show`: what is in force, and the origin of every line."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from tars_lib.cli.main import cli
from tars_lib.playbook.packaged import packaged


def show(*args: object) -> Result:
    return CliRunner().invoke(cli, ["playbook", "show", *map(str, args)])


def test_every_line_names_its_origin() -> None:
    lines = show().stdout.splitlines()
    assert lines[0] == f"playbook {packaged().version}, sha256 {packaged().sha256}"
    assert len(lines) % 2 == 1
    assert all(line.startswith("    from packaged playbook.yaml, row ") for line in lines[2::2])
    assert "escalation.matrix.SEV-1: On-call engineer; Team lead; Engineering manager; VP Engineering" in lines


def test_an_organisations_file_is_named_where_it_speaks(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("severities:\n  SEV-1: {response_time: 5 minutes}\n", encoding="utf-8")
    lines = show("--playbook", own, "--section", "severities").stdout.splitlines()
    row = lines.index("severities.SEV-1.response_time: 5 minutes")
    assert lines[row + 1] == f"    from {own}, row 2"
    assert sum(str(own) in line for line in lines) == 1
    assert not any(line.startswith("escalation") for line in lines)


def test_json_is_one_document_with_the_digest_and_the_origins() -> None:
    document = json.loads(show("--json").stdout)
    assert document["sha256"] == packaged().sha256
    assert document["playbook"]["escalation"]["no_progress_after"] == "30m"
    assert document["origins"]["escalation.no_progress_after"].startswith("packaged playbook.yaml, row ")


def test_a_refused_file_is_one_line_that_names_it(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("escalaton: {}\n", encoding="utf-8")
    done = show("--playbook", own)
    assert done.exit_code == 1
    assert done.stderr.startswith(f"error: {own}: escalaton: unknown key; allowed: version, ")
    assert "Traceback" not in done.output


def test_a_missing_file_and_an_unknown_section_are_refused(tmp_path: Path) -> None:
    assert show("--playbook", tmp_path / "none.yaml").exit_code == 1
    done = show("--section", "nothing")
    assert done.exit_code == 1
    assert "allowed: version, severities" in done.stderr


def test_every_option_changes_what_is_seen(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("version: 9\n", encoding="utf-8")
    base = show().output
    for args in (("--playbook", own), ("--section", "reviews"), ("--json",), ("--quiet",)):
        assert show(*args).output != base, args
    assert show("--section", "x").output != show("--section", "x", "--verbose").output
