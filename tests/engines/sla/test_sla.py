"""All SLAs together: order of breaches, their targets, the report."""

from __future__ import annotations

from typing import Any

import pytest
from org_samples import DAILY, STAMP, T0, Row, counts, days, org_of, ratio, series, threshold

from tars_lib.engines.health.assess import assess_health
from tars_lib.engines.sla.assess import assess_slas
from tars_lib.engines.sla.report import SlaReport
from tars_lib.model.names import Repo, Severity, SlaStatus
from tars_lib.model.slo import AnyPolicy


def report(rows: list[Row], *policies: AnyPolicy, **fields: Any) -> SlaReport:
    known, at = org_of(rows, *policies, **fields).at(None)
    return assess_slas(known, at, assess_health(known, at, STAMP), STAMP)


@pytest.mark.parametrize(
    ("failed", "code", "finding"), [(0, 0, "NONE"), (9, 141, "SLA_AT_RISK"), (11, 142, "SLA_BREACH")]
)
def test_the_exit_code_is_that_of_the_worst_verdict(failed: int, code: int, finding: str) -> None:
    found = report(counts("a", [1000] * 30, [failed] * 30), ratio(0.99))
    assert (found.exit_code, found.finding) == (code, finding)


def test_an_unknown_sla_changes_no_code_but_is_a_warning() -> None:
    found = report(counts("a", [1000] * 30, [0] * 30), ratio(0.99), threshold("latency"))
    assert found.exit_code == 0
    assert "SLA latency is UNKNOWN: no service reports latency" in found.warnings
    assert found["latency"].status is SlaStatus.UNKNOWN


def test_a_repo_that_cannot_be_judged_is_a_warning() -> None:
    rows = counts("a", [1000] * 30, [50] * 30) + counts("b", [1000] * 5, [0] * 5)
    assert "SLA availability cannot be judged in 1 service: b" in report(rows, ratio(0.99)).warnings


def test_breaches_stand_in_order_of_severity_magnitude_and_id() -> None:
    rows = series("a", "latency", [3.0] * 30)
    policies = [
        threshold("latency", objective, sla_id=name, severity_on_breach=severity)
        for name, objective, severity in (
            ("b-same", 1.0, Severity.SEV_1),
            ("small", 2.0, Severity.SEV_1),
            ("huge-but-minor", 0.001, Severity.SEV_3),
            ("a-same", 1.0, Severity.SEV_1),
            ("large", 0.5, Severity.SEV_1),
            ("second", 2.9, Severity.SEV_2),
        )
    ]
    assert [b.sla_id for b in report(rows, *policies).breaches] == [
        "large",
        "a-same",
        "b-same",
        "small",
        "second",
        "huge-but-minor",
    ]


def test_magnitude_is_relative_to_what_the_objective_allows() -> None:
    rows = counts("a", [1000] * 30, [20] * 30) + series("a", "latency", [3.0] * 30)
    # the budget of one in a hundred is spent twice over; the latency is half as much again as allowed
    found = report(rows, threshold("latency", 2.0, sla_id="a-latency"), ratio(0.99, sla_id="z-ratio"))
    assert [b.sla_id for b in found.breaches] == ["z-ratio", "a-latency"]


def facing(*names: str) -> list[Repo]:
    return [Repo(name, name, customer_facing=True) for name in names]


@pytest.mark.parametrize(
    ("repos", "target"),
    [((), "worst"), (("facing",), "facing"), (("facing", "facing2"), "facing2"), (("fine",), "worst")],
)
def test_the_target_is_the_customer_facing_repo_with_the_most_harm_else_the_one_with_the_most(
    repos: tuple[str, ...], target: str
) -> None:
    bad = {"worst": 90, "facing": 30, "facing2": 50, "fine": 0}
    rows = [row for repo, failed in bad.items() for row in counts(repo, [1000] * 30, [failed] * 30)]
    (breach,) = report(rows, ratio(0.99), repos=facing(*repos)).breaches
    assert breach.target == target
    assert breach.repos == ("facing", "facing2", "worst")
    assert breach.customer_facing is bool(set(repos) - {"fine"})


def test_harm_is_what_exceeds_the_budget_and_not_the_share() -> None:
    rows = counts("tiny", [100] * 30, [90] * 30) + counts("busy", [100_000] * 30, [5000] * 30)
    (breach,) = report(rows, ratio(0.99)).breaches
    assert breach.target == "busy"


def test_a_repo_outside_the_policy_is_never_its_target() -> None:
    # each of the two has too few events to be judged alone, so only their sum is breached
    rows = [row for repo in "ab" for row in counts(repo, [0] * 27 + [2] * 3, [0] * 27 + [1] * 3)] + counts(
        "c", [1000] * 30, [0] * 30
    )
    (breach,) = report(rows, ratio(0.9, repos=("a", "b")), repos=facing("c")).breaches
    assert breach.value == 0.5
    assert breach.target in ("a", "b")
    assert breach.repos == ()


def test_started_at_is_the_planted_onset_and_an_end_is_given_once_it_is_over() -> None:
    (lasting,) = report(counts("a", [1000] * 60, [0] * 45 + [50] * 15), ratio(0.99)).breaches
    assert (lasting.started_at, lasting.ended_at, lasting.started_before) == (T0 + 45 * DAILY, None, False)
    (over,) = report(counts("a", [1000] * 60, [0] * 45 + [500] * 5 + [0] * 10), ratio(0.99)).breaches
    assert (over.started_at, over.ended_at) == (T0 + 45 * DAILY, T0 + 49 * DAILY)


def test_a_breach_whose_interval_holds_the_objective_could_be_chance() -> None:
    (chance,) = report(counts("a", [10] * 30, [0] * 29 + [4]), ratio(0.99)).breaches
    (sure,) = report(counts("a", [1000] * 30, [0] * 29 + [400]), ratio(0.99)).breaches
    assert chance.value is not None
    assert chance.could_be_chance
    assert not sure.could_be_chance


def test_an_objective_of_one_hundred_percent_is_breached_by_one_failure() -> None:
    (breach,) = report(counts("a", [1000] * 60, [0] * 50 + [1] + [0] * 9), ratio(1.0)).breaches
    assert (breach.started_at, breach.ended_at) == (T0 + 50 * DAILY, T0 + 50 * DAILY)


def test_a_breach_keeps_its_id_from_run_to_run_while_it_lasts() -> None:
    rows = counts("a", [1000] * 60, [0] * 40 + [50] * 20)
    policy = ratio(0.99)
    org = org_of(rows, policy)
    ids = set()
    for day in (55, 57, 59):
        known, at = org.at(T0 + day * DAILY)
        ids |= {b.breach_id for b in assess_slas(known, at, assess_health(known, at, STAMP), STAMP).breaches}
    assert len(ids) == 1


def test_scorecard_and_frame_have_a_row_an_sla() -> None:
    found = report(counts("a", [1000] * 30, [5] * 30), ratio(0.99), threshold("latency"))
    assert [(row.sla_id, row.status, row.affected_repos) for row in found.scorecard] == [
        ("availability", SlaStatus.COMPLIANT, 0),
        ("latency", SlaStatus.UNKNOWN, 0),
    ]
    assert found.scorecard[0].budget_consumed == pytest.approx(0.5)
    frame = found.frame
    assert list(frame.index) == ["availability", "latency"]
    assert frame.loc["availability", "value"] == pytest.approx(0.995)
    assert frame["coverage"].tolist() == [1.0, 0.0]


def test_asking_for_an_sla_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        report(series("a", "health_score", [9] * 9))["nope"]


def test_no_policy_gives_an_empty_report() -> None:
    found = report(series("a", "health_score", [90] * 9))
    assert (found.compliance_results, found.breaches, found.exit_code, found.summary.total) == ((), (), 0, 0)
    assert found.frame.empty


@pytest.mark.parametrize(
    "rows",
    [
        series("a", "latency", [9.0]),
        series("a", "latency", [float("nan")] * 9 + [9.0]),
        series("a", "latency", [9.0] * 30),
    ],
)
def test_one_missing_and_constant_samples_are_judged_without_stumbling(rows: list[Row]) -> None:
    found = report(rows, threshold("latency", 1.0), ratio())
    assert found["latency"].status is (SlaStatus.BREACHED if len(rows) == 30 else SlaStatus.UNKNOWN)


def test_the_order_of_rows_does_not_matter() -> None:
    rows = counts("a", [1000] * 60, [0] * 45 + [50] * 15) + series("a", "latency", range(60))
    policies = (ratio(0.99), threshold("latency", 10.0, window=days(7)))
    assert report(rows, *policies) == report(rows[::-1], *policies)
