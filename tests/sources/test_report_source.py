"""An `org-health-report.json` with its Parquet history is all that a later engine needs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from org_samples import FIVE_MINUTES, RootBuilder, counts, history_of, series

from tars_lib.errors import InputError, VerificationError
from tars_lib.pipeline import HEALTH_FILE, MANIFEST_FILE, analyze, load_run, write_run
from tars_lib.pipeline.health_report import load_report
from tars_lib.pipeline.history_file import history_bytes

HISTORY = "org-health-report.history.parquet"


@pytest.fixture
def run(root: RootBuilder, tmp_path: Path) -> Path:
    root.file(
        "org.yaml", "repos: {a: {shares: [db]}, silent: {}}\nmetrics: {queue: {unit: count, higher_is_better: false}}\n"
    )
    root.file("events.csv", "timestamp,repo,kind,title\n2026-01-01T00:00:00Z,a,deploy,x\n")
    root.add(counts("a", [100] * 40, [1] * 40, step=FIVE_MINUTES) + series("b", "queue", range(40), step=FIVE_MINUTES))
    return write_run(root.analyze(), tmp_path / "runs")


def test_the_organisation_read_back_is_the_one_that_was_judged(run: Path, root: RootBuilder) -> None:
    org, report = load_report(run / HEALTH_FILE)
    was = root.load()
    for name in ("name", "repos", "dependencies", "metrics", "events", "policies", "slos", "inputs", "policies_from"):
        assert getattr(org, name) == getattr(was, name), name
    np.testing.assert_array_equal(org.history.time, was.history.time)
    np.testing.assert_array_equal(org.history.value, was.history.value)
    assert org.history.repos == was.history.repos
    assert report.history.path == HISTORY
    again = analyze(org, report.as_of)
    first = load_run(run)
    assert replace(again.sla, generated_at=first.sla.generated_at, warnings=(), report_id="") == replace(
        first.sla, warnings=(), report_id=""
    )


@pytest.mark.parametrize("content", [None, b"altered"])
def test_a_history_that_is_missing_or_altered_is_refused_by_name(run: Path, content: bytes | None) -> None:
    if content is None:
        (run / HISTORY).unlink()
    else:
        (run / HISTORY).write_bytes(content)
    word = "missing" if content is None else "altered"
    with pytest.raises(InputError, match=rf"{HISTORY}: {word}"):
        load_report(run / HEALTH_FILE)
    with pytest.raises(VerificationError, match=rf"{HISTORY}: {word}"):
        load_run(run)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            '"risk_tier": "',
            '"risk_tier": "X',
            r"risk_tier: 'XUNKNOWN' is not allowed; one of LOW, MEDIUM, HIGH, CRITICAL, UNKNOWN",
        ),
        ('"coverage": ', '"covrage": ', r"coverage: missing"),
        ('"threshold": 60.0', '"threshold": "60"', r"threshold: '60' is not allowed; float is needed"),
    ],
)
def test_a_report_that_does_not_fit_names_the_field(run: Path, before: str, after: str, message: str) -> None:
    path = run / HEALTH_FILE
    path.write_text(path.read_text().replace(before, after))
    # with the manifest gone, nothing but the form of the report can tell
    (run / MANIFEST_FILE).unlink()
    with pytest.raises(InputError, match=message):
        load_report(path)


def test_the_same_history_gives_the_same_bytes_in_any_order_of_rows() -> None:
    rows = series("a", "x", range(9)) + series("b", "y", range(9))
    assert history_bytes(history_of(rows)) == history_bytes(history_of(rows[::-1]))
    assert history_bytes(history_of(rows)) != history_bytes(history_of(rows[1:]))
