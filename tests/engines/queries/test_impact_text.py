"""The impact in words: counted from the samples of the service, in the past where it is over, and silent on what is unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
from run_samples import RunSamples

from tars_lib.engines.queries.impact_text import hourly, impact_text, leading_breach, span_text
from tars_lib.model.history import to_micros
from tars_lib.pipeline import Run


def counted(run: Run, repo: str, metric: str) -> float:
    """Sum of a count from the start of the leading breach on, straight from the history."""
    breach = leading_breach(run.sla)
    assert breach is not None
    assert breach.started_at is not None
    times, values = run.org.history.series(metric, repo)
    return float(np.nansum(values[(times >= to_micros(breach.started_at)) & (times <= to_micros(run.sla.as_of))]))


def test_what_failed_is_the_sum_of_the_samples_since_the_start(samples: RunSamples) -> None:
    run = samples.run("demo")
    breach = leading_breach(run.sla)
    assert breach is not None
    assert breach.impact is not None
    assert breach.impact.failed == counted(run, breach.impact.repo, "requests_failed") == 5855
    assert breach.impact.requests == counted(run, breach.impact.repo, "requests_total")
    assert impact_text(run.sla).startswith("One in six requests to ledger fails: 5,855 of ")
    assert "Customers see it at checkout and web; at this rate" in impact_text(run.sla)


def test_the_past_has_no_pace(samples: RunSamples) -> None:
    sla = samples.run("demo").sla
    assert "at this rate 836 more fail every hour." in impact_text(sla)
    past = impact_text(sla, is_past=True)
    assert "from 2026-11-02 08:00 to 15:00 UTC (7 h)" in past
    assert "at this rate" not in past.lower()
    assert "fails" not in past


def test_a_metric_without_counts_says_its_level_before_and_since(samples: RunSamples) -> None:
    sla = samples.run("demo").sla
    latency = replace(sla, breaches=sla.breaches[1:])
    assert impact_text(latency).startswith("latency_p95 of checkout is 1.15 s since 2026-11-02 08:00 UTC, 7 h so far")
    unknown = replace(latency.breaches[0].impact, during=None, before=None)
    assert "is unknown since" in impact_text(replace(sla, breaches=(replace(latency.breaches[0], impact=unknown),)))


def test_nothing_is_said_of_what_is_not_known(samples: RunSamples) -> None:
    sla = samples.run("demo").sla
    assert impact_text(replace(sla, breaches=())) == ""
    assert impact_text(replace(sla, breaches=tuple(replace(one, impact=None) for one in sla.breaches))) == ""
    silent = replace(sla.breaches[0], impact=replace(sla.breaches[0].impact, failed=0, requests=0))
    assert "is unknown: none was counted" in impact_text(replace(sla, breaches=(silent,)))


def test_minutes_have_no_hourly_pace_and_an_early_start_says_so(samples: RunSamples) -> None:
    breach = samples.run("demo").sla.breaches[0]
    assert breach.impact is not None
    assert breach.started_at is not None
    assert hourly(breach.impact, timedelta(minutes=59)) is None
    before = span_text(replace(breach, started_before=True), breach.started_at + timedelta(days=1))
    assert before == "from 2026-11-02 08:00 or earlier to 2026-11-03 08:00 UTC (1 d)"
