"""A cause that another kind of metric led to: nobody measured how much of the impact begins there, so no page says it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tars_lib.engines.sla.report import Breach
from tars_lib.figures.sla.causes import draw_causes
from tars_lib.pipeline import analyze
from tars_lib.pipeline.loading import load_org
from tars_lib.reports.blocks.plain_text import plain_text
from tars_lib.reports.summaries.executive_summary import executive_summary
from tars_lib.workbook.sections.breach_story import causes_of

HOURS, FAILED = 24 * 14, 6


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Breach, str]:
    """The breach, and the summary: requests of web fail while the processor of db is busy, and db counts no requests."""
    root, rng = tmp_path_factory.mktemp("org-health"), np.random.default_rng(3)
    times = pd.date_range("2026-01-01", periods=HOURS, freq="h", tz="UTC").strftime("%Y-%m-%dT%H:%M:%SZ")
    late = np.arange(HOURS) >= HOURS - FAILED
    values = {
        ("web", "requests_total"): np.full(HOURS, 1000.0),
        ("web", "requests_failed"): np.where(late, 200.0, rng.integers(0, 2, HOURS)),
    }
    for repo in ("db", "cache", "auth"):
        values[repo, "cpu_percent"] = 30.0 + rng.normal(0.0, 3.0, HOURS) + 60.0 * (late & (repo == "db"))
    frames = [pd.DataFrame({"timestamp": times, "repo": r, "metric": m, "value": v}) for (r, m), v in values.items()]
    pd.concat(frames).to_csv(root / "history.csv", index=False)
    calls = [{"from": "web", "to": callee} for callee in ("db", "cache", "auth")]
    (root / "org.yaml").write_text(json.dumps({"name": "Acme", "dependencies": calls}), encoding="utf-8")
    policy = {"sla_id": "a", "sla_type": "availability", "objective": 0.999, "period_days": 14}
    policy["good"] = {"total": "requests_total", "bad": "requests_failed"}
    (root / "sla-policies.yaml").write_text(json.dumps({"policies": [policy]}), encoding="utf-8")
    analysis = analyze(load_org(root))
    return analysis.sla.breaches[0], executive_summary(analysis.health, analysis.sla)


def test_a_page_says_that_the_share_is_unknown(told: tuple[Breach, str]) -> None:
    breach, summary = told
    assert (breach.root_causes[0].repo, breach.is_weighed) == ("db", False)
    text = " ".join(" ".join(plain_text(causes_of(breach)).split()).split("\u200b"))
    for said in (text, summary):
        assert "How much of the impact has a cause is unknown" in said
        assert "of the impact has no known cause" not in said


def test_a_figure_draws_no_share(told: tuple[Breach, str]) -> None:
    picture = draw_causes(told[0])
    assert picture is not None
    assert picture.title == "a: db is the likely cause (60% confidence)"
    sure, share = picture.figure.axes
    assert [len(axes.patches) for axes in (sure, share)] == [1, 0]
    assert [text.get_text() for text in share.texts] == ["not measured"]
