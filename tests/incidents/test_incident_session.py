"""One shell session from a run with a planted breach to metrics: no blank to fill in, no fact typed by hand."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from org_samples import T0
from workspaces import DAYS, cascade

from tars_lib.incidents.store.journal import read_entries
from tars_lib.incidents.store.verification import verify

Tars = Callable[..., subprocess.CompletedProcess[str]]
BLANK = re.compile(
    r"\[[A-Z][A-Z _./|-]{3,}\]|_{4,}|WHAT |HOW IT|\bTBD\b|\bTODO\b|\{\w+\}|None\b(?! (known|recorded|is due))"
)
"""Brackets in capitals, lines to write on, unfilled fields."""
DURING = "2026-03-28T00:00:00Z"


def go_on_calmly(root: Path) -> None:
    """Forty more days, which are those before the incident once more."""
    path = root / "history.csv"
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    calm = T0 + timedelta(days=40)
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for stamp, *rest in rows[1:]:
            time = datetime.fromisoformat(stamp)
            if time < calm:
                writer.writerow([(time + timedelta(days=DAYS)).isoformat(), *rest])


@pytest.fixture
def organisation(tmp_path: Path) -> Path:
    return cascade(tmp_path / "org-health")


def readable(text: str) -> None:
    """Eighty columns, but for commands and texts that are to be copied as they are."""
    page = text.partition("\n--- ")[0]
    lines = [
        line
        for line in page.splitlines()
        if not line.lstrip().startswith(("Next:", "tars ", "Check:", "|", "run:", "impact_score"))
    ]
    assert max((len(line) for line in lines), default=0) <= 80, max(lines, key=len)
    assert not BLANK.search(text), BLANK.search(text)


def test_from_a_breach_to_metrics_in_one_session(tars: Tars, tmp_path: Path, organisation: Path) -> None:
    organisation.rename(tmp_path / "our data")
    assert tars("run", "--root", "our data", "--as-of", DURING).returncode == 142
    opened = tars("incident", "open", "--from-run", "reports/runs/tars-run-*")
    assert opened.returncode == 0, opened.stderr
    (folder,) = (tmp_path / "incidents").iterdir()
    name = folder.name
    readable(opened.stdout)
    pages = {}

    def say(*words: str, code: int = 0) -> str:
        done = tars(*words, TARS_NOTIFY_URLS="pagerduty://s3cr3t@any", COLUMNS="80")
        assert done.returncode == code, (words, done.stdout, done.stderr)
        pages[" ".join(words)] = done.stdout
        return done.stdout

    for words in (
        ("incident", "ack", name),
        ("incident", "golden", name),
        ("incident", "contain", name, "--show"),
        ("incident", "contain", name),
        ("incident", "contain", name, "--done", "A1"),
        ("incident", "escalate", name, "--show"),
        ("incident", "escalate", name),
        ("notify", "--incident", name),
    ):
        readable(say(*words))
    assert len(read_entries(folder)) == 5, "a dry run is not recorded"
    template = say("incident", "update", name)
    assert not BLANK.search(template)
    assert "no new data since 2026-03-28 00:00 UTC" in template
    assert re.search(r"\*\*Next Update:\*\*\n\d{4}-\d\d-\d\d \d\d:\d\d UTC", template)
    go_on_calmly(tmp_path / "our data")
    # the page's next commands are typed as they stand: they name the folder that the run was told of
    for rung in ("Team lead", "Engineering manager"):
        told = say("incident", "escalate", name)
        assert f"notified {rung}" in told
    commands = re.findall(r"^Next: +tars (.+)$", told, re.MULTILINE)
    assert commands[0].startswith("run --root 'our data' --outdir incidents/INC-")
    tars(*shlex.split(commands[0]))
    say(*shlex.split(commands[1]))
    assert f"tars incident resolve {name}\n" in say("incident", "golden", name)
    say("incident", "resolve", name)
    say("incident", "action", name, "add", "Alert on pool size", "--owner", "grace", "--due", "2026-01-01")
    say("incident", "close", name)
    text = say("incident", "postmortem", name)
    assert not BLANK.search(text)
    for part in ("Connection pool rewrite", "Availability (availability)", "508% consumed", f"{name}-AI1", "Overdue"):
        assert part in text
    assert "OVERDUE" in say("review", code=1)
    say("incident", "action", name, "done", "ai1")
    assert "OVERDUE" not in say("review")
    assert "Initial debrief" in pages["review"]
    say("incident", "review", name, "debrief")
    assert "Initial debrief" not in say("review")
    readable(say("metrics"))
    readable(say("incident", "status", name))
    readable(say("incident", "timeline", name))
    measured = {one["metric_id"]: one for one in json.loads(say("metrics", "--json"))["metrics"]}
    assert (measured["MTTR"]["n"], measured["MTTR"]["verdict"]) == (1, "MET")
    assert (measured["RECURRENCE"]["n"], measured["RECURRENCE"]["value"]) == (1, 0.0)
    assert measured["SLA_RECOVERY"]["n"] == 1
    assert measured["MTTR"]["open_incidents"] == []
    assert verify(folder).is_intact
    assert "s3cr3t" not in (folder / "timeline.jsonl").read_text(encoding="utf-8") + "".join(pages.values())
