"""Why an SLA is breached: the cause that was planted, the change just before it, and what kind of containment it needs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from org_samples import DAILY, FIVE_MINUTES, STAMP, T0, Row, counts, days, org_of, ratio, series, threshold

from tars_lib.engines.health.assess import assess_health
from tars_lib.engines.sla.assess import assess_slas
from tars_lib.engines.sla.report import Breach
from tars_lib.model.metrics import Metric
from tars_lib.model.names import CauseType, ContainmentType, Dependency, Event, Repo
from tars_lib.model.slo import AnyPolicy, Window

BEGAN = 380
ONSET = T0 + BEGAN * FIVE_MINUTES
HALF_HOUR = Window(minutes=30)


def breach(rows: list[Row], policy: AnyPolicy, **fields: Any) -> Breach:
    known, at = org_of(rows, policy, **fields).at(None)
    (found,) = assess_slas(known, at, assess_health(known, at, STAMP), STAMP).breaches
    return found


def latencies(slow: dict[str, float], *others: str, seed: int = 1) -> list[Row]:
    """Quiet latencies of 0.1 s; `slow` repos gain that many seconds from the onset on. A hundred requests a sample."""
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    for repo in (*slow, *others):
        level = 0.1 + rng.normal(0, 0.004, 400) + slow.get(repo, 0.0) * (np.arange(400) >= BEGAN)
        rows += series(repo, "latency", level, step=FIVE_MINUTES)
        rows += series(repo, "requests_total", rng.poisson(100, 400), step=FIVE_MINUTES)
    return rows


def calls(*edges: tuple[str, str]) -> tuple[Dependency, ...]:
    return tuple(Dependency(*edge) for edge in edges)


POLICY = threshold("latency", 0.3, window=HALF_HOUR, repos=("web",))


def test_the_planted_cause_down_the_calls_is_named_first() -> None:
    found = breach(
        latencies({"web": 0.5, "api": 0.5, "db": 0.5}, "mail"),
        POLICY,
        dependencies=calls(("web", "api"), ("api", "db"), ("web", "mail")),
    )
    assert found.started_at == ONSET
    first = found.root_causes[0]
    assert (first.repo, first.cause_type) == ("db", CauseType.REPO_DEGRADATION)
    assert first.cause.startswith("db: ")
    assert first.confidence > 0.5
    assert first.evidence
    assert 0 <= found.unexplained < 0.5


def test_a_repo_that_the_target_does_not_call_is_never_its_cause() -> None:
    found = breach(latencies({"web": 0.5, "stranger": 9.0}), POLICY, dependencies=calls(("stranger", "web")))
    assert {cause.repo for cause in found.root_causes} == {"web"}


@pytest.mark.parametrize(
    ("repos", "containment"),
    [
        ((), ContainmentType.CASCADING_FAILURE),
        ((Repo("db", "db", external=True),), ContainmentType.EXTERNAL_DEPENDENCY),
    ],
)
def test_a_failure_two_calls_away_cascades_unless_somebody_else_runs_it(
    repos: tuple[Repo, ...], containment: ContainmentType
) -> None:
    rows = latencies({"web": 0.5, "api": 0.5, "db": 0.5})
    found = breach(rows, POLICY, repos=repos, dependencies=calls(("web", "api"), ("api", "db")))
    assert found.root_causes[0].repo == "db"
    assert found.root_causes[0].containment_type is containment


@pytest.mark.parametrize("slow", [{"web": 0.5}, {"web": 0.5, "api": 0.5}])
def test_a_failure_of_the_repo_itself_or_of_what_it_calls_is_a_single_repo_degradation(slow: dict[str, float]) -> None:
    found = breach(latencies(slow, *({"api"} - set(slow))), POLICY, dependencies=calls(("web", "api")))
    assert found.root_causes[0].repo == list(slow)[-1]
    assert found.root_causes[0].containment_type is ContainmentType.SINGLE_REPO_DEGRADATION


def test_causes_that_share_infrastructure_are_an_infrastructure_issue() -> None:
    repos = (Repo("api", "api", shares=("postgres",)), Repo("cart", "cart", shares=("postgres", "redis")))
    rows = latencies({"web": 0.6, "api": 0.3, "cart": 0.3})
    found = breach(rows, POLICY, repos=repos, dependencies=calls(("web", "api"), ("web", "cart")))
    assert {cause.repo for cause in found.root_causes[:2]} == {"api", "cart"}
    assert {cause.containment_type for cause in found.root_causes[:2]} == {ContainmentType.INFRASTRUCTURE_ISSUE}


def test_the_action_is_that_of_the_containment_table() -> None:
    found = breach(latencies({"web": 0.5}), POLICY)
    assert any(action.startswith("Freeze deployments") and "web" in action for action in found.recommended_actions)


def deploy(before: timedelta, repo: str | None = "web", kind: str = "deploy") -> Event:
    return Event(ONSET - before, repo, kind, "Release 4.12", "v4.12")


@pytest.mark.parametrize(
    ("event", "is_cause"),
    [
        (deploy(timedelta(minutes=10)), True),
        (deploy(timedelta(minutes=59)), True),
        (deploy(timedelta(0), kind="config"), True),
        (deploy(timedelta(minutes=10), repo=None), True),
        (deploy(timedelta(hours=2)), False),
        (deploy(-timedelta(minutes=20)), False),
        (deploy(timedelta(minutes=10), repo="mail"), False),
        (deploy(timedelta(minutes=10), kind="incident"), False),
    ],
)
def test_a_change_just_before_the_onset_becomes_the_cause(event: Event, is_cause: bool) -> None:
    first = breach(latencies({"web": 0.5}, "mail"), POLICY, events=(event,)).root_causes[0]
    assert (first.cause_type is CauseType.CHANGE_EVENT) is is_cause
    assert ("Release 4.12" in first.cause) is is_cause
    assert first.cause.startswith("web: ")


@pytest.mark.parametrize(("repo", "is_clear"), [("web", True), ("api", False), (None, False)])
def test_a_change_of_the_target_itself_makes_it_the_clear_cause_though_it_calls_others(
    repo: str | None, is_clear: bool
) -> None:
    change = deploy(timedelta(minutes=10), repo)
    breached = breach(latencies({"web": 0.5}, "api"), POLICY, dependencies=calls(("web", "api")), events=(change,))
    found = breached.root_causes[0]
    assert found.repo == "web"
    assert (breached.unmeasured is None) is is_clear
    assert (found.confidence > 0.8) is is_clear
    assert (found.confidence <= 0.5) is not is_clear


def test_a_repo_that_changes_all_the_time_is_not_blamed_on_its_last_change() -> None:
    many = tuple(deploy(timedelta(minutes=10 + 25 * n)) for n in range(60))[::-1]
    first = breach(latencies({"web": 0.5}), POLICY, events=many).root_causes[0]
    assert first.cause_type is CauseType.REPO_DEGRADATION
    assert any("changes often" in line for line in first.evidence)


def test_a_ratio_is_explained_by_its_own_failures() -> None:
    rng = np.random.default_rng(3)
    failed = rng.poisson(1, 400) + 200 * (np.arange(400) >= BEGAN)
    rows = counts("web", [1000] * 400, failed, step=FIVE_MINUTES) + counts(
        "api", [1000] * 400, failed, step=FIVE_MINUTES
    )
    found = breach(rows, ratio(0.99, window=HALF_HOUR, repos=("web",)), dependencies=calls(("web", "api")))
    assert found.root_causes[0].repo == "api"
    assert found.target_metric == "requests_failed"


def test_a_ratio_over_counts_of_the_users_own_is_explained_too() -> None:
    rows = series("web", "orders", [1000] * 400, step=FIVE_MINUTES)
    rows += series("web", "orders_ok", [999] * BEGAN + [700] * (400 - BEGAN), step=FIVE_MINUTES)
    policy = ratio(0.99, total="orders", part="orders_ok", part_is_good=True, window=HALF_HOUR)
    found = breach(rows, policy)
    assert found.root_causes[0].repo == "web"
    assert found.started_at == ONSET


@pytest.mark.parametrize(
    "policy",
    [
        threshold("queue_depth", 20, higher_is_better=False, unit="", window=HALF_HOUR),
        threshold(
            "queue_depth",
            0.9,
            aggregate="good_share",
            threshold=20.0,
            unit="ratio",
            higher_is_better=True,
            window=HALF_HOUR,
        ),
    ],
)
def test_a_metric_whose_direction_only_the_policy_knows_is_explained(policy: AnyPolicy) -> None:
    rng = np.random.default_rng(4)
    rows = series("web", "queue_depth", 10 + rng.normal(0, 1, 400) + 50 * (np.arange(400) >= BEGAN), step=FIVE_MINUTES)
    found = breach(rows, policy)
    assert found.root_causes[0].repo == "web"
    assert found.root_causes[0].metric == "queue_depth"


def test_a_metric_of_the_users_own_that_should_be_high_is_explained() -> None:
    rng = np.random.default_rng(5)
    rows = series("web", "stock", 90 + rng.normal(0, 1, 400) - 60 * (np.arange(400) >= BEGAN), step=FIVE_MINUTES)
    policy = threshold("stock", 50, higher_is_better=True, unit="", window=HALF_HOUR)
    found = breach(rows, policy, metrics={"stock": Metric("stock", "", True)})
    assert found.root_causes[0].repo == "web"


def test_a_derived_error_rate_is_explained() -> None:
    rng = np.random.default_rng(6)
    rows = counts("web", [1000] * 400, rng.poisson(2, 400) + 90 * (np.arange(400) >= BEGAN), step=FIVE_MINUTES)
    found = breach(rows, threshold("error_rate", 0.02, unit="ratio", window=HALF_HOUR))
    assert found.started_at == ONSET
    assert found.root_causes[0].repo == "web"


def test_a_breach_that_was_always_there_claims_no_cause_and_says_why() -> None:
    rng = np.random.default_rng(7)
    found = breach(series("web", "latency", 0.9 + rng.normal(0, 0.01, 400), step=FIVE_MINUTES), POLICY)
    assert found.root_causes == ()
    assert found.unexplained == 1.0
    assert found.reason
    assert found.started_before


@pytest.mark.parametrize("n", [8, 20, 40])
def test_a_short_past_is_enough_for_a_plain_step(n: int) -> None:
    found = breach(series("web", "latency", [0.1] * n + [0.9] * 9), threshold("latency", 0.2, window=days(9)))
    assert [cause.repo for cause in found.root_causes] == ["web"]


@pytest.mark.parametrize("n", [3, 7])
def test_a_breach_without_a_past_claims_no_cause_and_says_why(n: int) -> None:
    found = breach(series("web", "latency", [0.1] * n + [0.9] * 9), threshold("latency", 0.2, window=days(9)))
    assert found.started_at == T0 + n * DAILY
    assert found.root_causes == ()
    assert f"too little history before 2026-01-{n + 1:02} 00:00 UTC to compare with: {n} samples of web" in str(
        found.reason
    )


def test_a_count_that_stopped_is_named_and_not_the_past_of_the_other() -> None:
    rows = series("web", "requests_total", [1000 + n % 7 for n in range(20)])
    rows += series("web", "requests_failed", [1.0] * 20 + [600.0] * 5)
    found = breach(rows, ratio(0.99, window=days(5)))
    said = "requests_total of web is missing since 2026-01-21 00:00 UTC, so nothing can be compared with its past"
    assert (found.root_causes, found.reason) == ((), said)


def test_half_of_noise_beyond_an_objective_is_no_cause() -> None:
    """The target breaches an objective that lies in the middle of its everyday noise: nothing happened."""
    claimed = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        rows = series("web", "latency", np.abs(1 + rng.normal(0, 0.2, 400)), step=FIVE_MINUTES)
        rows += series("api", "latency", np.abs(1 + rng.normal(0, 0.2, 400)), step=FIVE_MINUTES)
        known, at = org_of(rows, threshold("latency", 0.9, window=HALF_HOUR), dependencies=calls(("web", "api"))).at(
            None
        )
        breaches = assess_slas(known, at, assess_health(known, at, STAMP), STAMP).breaches
        claimed += any(found.root_causes for found in breaches)
    assert claimed <= 5


def test_a_past_behind_days_of_silence_is_compared_with_and_told() -> None:
    wait = 0.1 + np.random.default_rng(1).normal(0, 0.004, 240)
    rows = series("web", "latency", wait, step=FIVE_MINUTES)
    rows += series("web", "latency", np.full(30, 0.9), start=T0 + timedelta(days=12), step=FIVE_MINUTES)
    found = breach(rows, threshold("latency", 0.3, window=HALF_HOUR))
    assert [cause.repo for cause in found.root_causes] == ["web"]
    # the past ends with the sample at 19:55 of the first day
    assert "ends 11 d 4 h earlier" in found.root_causes[0].evidence[0]


def test_too_little_past_is_counted_in_samples_of_the_target() -> None:
    rows = series("web", "latency", [0.1] * 5, step=FIVE_MINUTES)
    rows += series("web", "latency", [0.9] * 20, start=T0 + timedelta(days=2), step=FIVE_MINUTES)
    found = breach(rows, threshold("latency", 0.3, window=HALF_HOUR))
    assert found.root_causes == ()
    assert found.reason is not None
    assert "5 samples of web" in found.reason


def test_a_cause_that_nobody_measures_is_a_result_of_its_own() -> None:
    rows = latencies({"web": 0.5, "api": 0.5, "db": 0.5}, "mail")
    silent = [row for row in rows if not (row[1] == "db" and row[0] >= ONSET)]
    found = breach(silent, POLICY, dependencies=calls(("web", "api"), ("api", "db"), ("web", "mail")))
    assert found.root_causes == ()
    assert found.unmeasured is not None
    assert (found.unmeasured.near, found.unmeasured.calls) == ("api", ("db",))
    assert found.reason is not None
    assert "the cause lies in a service that is not measured, next to api" in found.reason
    assert found.recommended_actions[0] == "Instrument db, which api calls"
