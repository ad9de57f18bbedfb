"""`tars metrics --root`: incidents that other systems kept are measured beside the register's own."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from tars_lib.cli.main import cli

ROWS = """detected,repo,title,started,resolved,source,ref
2026-01-05T09:10:00Z,web,Down,2026-01-05T09:00:00Z,2026-01-05T10:10:00Z,pagerduty,1
2026-01-06T09:02:00Z,web,Down,2026-01-06T09:00:00Z,2026-01-06T09:32:00Z,pagerduty,2
2026-01-07T09:00:00Z,api,Slow,,,statuspage,3
"""


def told(folder: Path, *options: str) -> str:
    """Output of the command on these incidents and an empty register."""
    (folder / "incidents.csv").write_text(ROWS, encoding="utf-8")
    arguments = ["metrics", "--root", str(folder), "--incidents-dir", str(folder / "none"), *options]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_metrics_are_those_of_the_past_incidents_with_their_numbers(tmp_path: Path) -> None:
    document = json.loads(told(tmp_path, "--json", "--now", "2026-01-08T00:00:00Z"))
    assert (document["incidents"], document["register"]) == (3, 0)
    assert document["imported"] == {"pagerduty": 2, "statuspage": 1}
    by_id = {one["metric_id"]: one for one in document["metrics"]}
    # (10 + 2) / 2 minutes; (60 + 30) / 2 minutes; one of three came again
    assert (by_id["MTTD"]["n"], by_id["MTTD"]["value"]) == (2, 6.0)
    assert (by_id["MTTR"]["n"], by_id["MTTR"]["value"]) == (2, 45.0)
    assert by_id["MTTR"]["open_incidents"] == ["statuspage:3"]
    assert by_id["RECURRENCE"]["value"] == 1 / 3


def test_people_are_told_how_many_come_from_where(tmp_path: Path) -> None:
    output = told(tmp_path)
    assert "from: register 0, incidents.csv 3 (pagerduty 2, statuspage 1)" in output
    assert "one outage that several systems tell of counts once for each" in output


def test_without_the_file_it_is_said_where_it_comes_from(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["metrics", "--root", str(tmp_path), "--incidents-dir", str(tmp_path)])
    assert done.exit_code == 1
    assert "incidents.csv: not there; tars import makes it" in done.output
