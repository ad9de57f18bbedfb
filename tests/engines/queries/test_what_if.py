"""What would move a verdict: planted stretches and objectives move exactly the verdicts that they must."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from org_samples import T0, counts, days, org_of, ratio, series, threshold

import tars_lib as tars
from tars_lib.errors import InputError, UnknownNameError
from tars_lib.model.metrics import Metric
from tars_lib.model.names import ReadinessTier, SlaStatus
from tars_lib.model.organisation import OrgData

B, C, U = SlaStatus.BREACHED, SlaStatus.COMPLIANT, SlaStatus.UNKNOWN
BAD = slice(20, 22)
"""The two days on which web fails."""


@pytest.fixture(scope="module")
def org() -> OrgData:
    failed = [0.0] * 30
    failed[BAD] = [500.0, 500.0]
    slow = [0.3] * 30
    slow[BAD] = [5.0, 5.0]
    rows = counts("web", [1000.0] * 30, failed) + counts("api", [1000.0] * 30, [0.0] * 30)
    rows += series("web", "latency_p95", slow) + series("web", "health_score", [90.0] * 30)
    rows += series("api", "health_score", [90.0] * 30)
    return org_of(rows, ratio(0.99), threshold(objective=0.5, sla_id="latency", window=days(30)))


def day(number: int) -> str:
    return f"{T0 + timedelta(days=number):%Y-%m-%dT%H:%M:%SZ}"


def moved(found: tars.WhatIf) -> list[tuple[str, str | None, SlaStatus, SlaStatus]]:  # type: ignore[name-defined]
    return [(move.sla_id, move.repo, move.before, move.after) for move in found.moves]


def test_an_objective_moves_its_own_sla_and_no_other(org: OrgData) -> None:
    found = tars.what_if(org, objective={"latency": 2.0})
    assert moved(found) == [("latency", None, B, C), ("latency", "web", B, C)]
    (latency,) = (move for move in found.slas if move.sla_id == "latency")
    assert (latency.objective_before, latency.objective_after) == (0.5, 2.0)
    assert latency.value_before == latency.value_after == pytest.approx((28 * 0.3 + 2 * 5.0) / 30)
    assert found.changes == ("Objective of latency_p95: 2 s instead of 0.5 s.",)


@pytest.mark.parametrize("at_end", [False, True])
def test_a_stretch_up_to_the_end_of_the_data_holds_the_last_sample(at_end: bool) -> None:
    rows = counts("web", [1000.0] * 30, [0.0] * 29 + [900.0])
    found = tars.what_if(org_of(rows, ratio(0.99), stamp_at_end=at_end), exclude=[(day(28), day(29))])
    assert moved(found)[:1] == [("availability", None, B, C)]
    assert found.slas[0].value_after == 1.0


def test_a_stretch_left_out_moves_every_verdict_that_rests_on_it(org: OrgData) -> None:
    found = tars.what_if(org, exclude=[(day(20), day(22))])
    assert moved(found) == [
        ("availability", None, B, C),
        ("latency", None, B, C),
        ("availability", "web", B, C),
        ("latency", "web", B, C),
    ]
    assert [move.value_after for move in found.slas] == [1.0, pytest.approx(0.3)]
    assert found.before.executive_readiness.tier is ReadinessTier.RED
    assert found.after.executive_readiness.tier is ReadinessTier.GREEN
    assert (
        "Excluded from all services: 2026-01-21 00:00 to 2026-01-23 00:00 UTC, samples: 4 of Availability, 2 of"
        in str(found.told())
    )
    assert "Readiness: RED at " in str(found.told())


def test_a_stretch_of_another_repo_moves_nothing(org: OrgData) -> None:
    found = tars.what_if(org, exclude=[(day(20), day(22), "api")])
    assert found.moves == ()
    assert found.frame.empty
    assert "No verdict changes: all 2 SLAs keep theirs." in str(found.told())
    assert found.before.executive_readiness == found.after.executive_readiness


def test_a_stretch_without_samples_says_so(org: OrgData) -> None:
    found = tars.what_if(org, exclude=[("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z")])
    assert found.moves == ()
    assert "samples: none in any window." in found.changes[0]


def test_all_left_out_is_unknown_and_never_compliant(org: OrgData) -> None:
    found = tars.what_if(org, exclude=[(day(-1), day(40))])
    assert {move.after for move in found.slas} == {U}
    assert all(move.value_after is None and move.reason for move in found.slas)
    assert found.after.executive_readiness.tier is not ReadinessTier.GREEN
    assert "BREACHED before, UNKNOWN after (unknown against" in str(found.told())


def test_no_objective_makes_an_unknown_verdict_known() -> None:
    org = org_of(series("web", "queue_depth", [1.0] * 30), threshold("latency_p95", sla_id="latency"))
    found = tars.what_if(org, objective={"latency": 1e9})
    assert found.moves == ()
    assert found.slas[0].after is U
    assert found.slas[0].reason == "no service reports latency_p95"


def test_nothing_changed_moves_nothing(org: OrgData) -> None:
    found = tars.what_if(org)
    assert found.moves == ()
    assert found.changes == ("Nothing was changed.",)
    same = tars.what_if(org, objective={"latency": 0.5})
    assert same.moves == ()
    assert same.changes == ("Nothing was changed.",)


def test_the_table_has_a_row_for_each_moved_verdict(org: OrgData) -> None:
    found = tars.what_if(org, objective={"latency": 2.0})
    assert found.frame[["sla_id", "before", "after"]].to_numpy().tolist() == [["latency", B, C], ["latency", B, C]]
    assert found.frame["repo"].tolist() == ["", "web"]


def test_as_of_judges_what_was_known_then(org: OrgData) -> None:
    found = tars.what_if(org, objective={"latency": 0.2}, as_of=day(19))
    assert moved(found) == [("latency", None, C, B), ("latency", "web", C, B)]


def test_the_organisation_given_is_left_as_it_was(org: OrgData) -> None:
    policies, events = org.policies, org.events
    tars.what_if(org, objective={"latency": 2.0}, exclude=[(day(20), day(22))])
    assert org.policies is policies
    assert org.events is events


def test_a_share_for_what_is_judged_in_percent_is_refused() -> None:
    metrics = {"availability": Metric("availability", "%", True, minimum=0.0, maximum=100.0)}
    sla = threshold("availability", 99.0, unit="%", higher_is_better=True)
    org = org_of(series("web", "availability", [99.5] * 40), sla, metrics=metrics)
    with pytest.raises(
        InputError, match="objective of availability: 0.9% is not allowed: a share in % is; was 90 meant"
    ):
        tars.what_if(org, objective={"availability": 0.9})


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"objective": {"nope": 1.0}}, UnknownNameError, "SLA 'nope' is not there; there are: availability, latency"),
        ({"objective": {"availability": 99.9}}, InputError, "99.9 is not allowed: a share from 0 to 1 is"),
        ({"objective": 0.99}, InputError, "0.99 is not allowed: a mapping is, such as {'availability': 0.99}"),
        ({"objective": {"latency": float("nan")}}, InputError, "nan is not allowed: a finite number is"),
        ({"objective": {"latency": "fast"}}, InputError, "'fast' is not allowed: a finite number is"),
        ({"exclude": [(day(3), day(2))]}, InputError, r"exclude\[0\]: ends at 2026-01-03.*not after its start"),
        ({"exclude": [("2026-01-05T10:00", day(9))]}, InputError, r"exclude\[0\], begin.*has no time zone"),
        ({"exclude": [(day(1), day(2), "nope")]}, UnknownNameError, "service 'nope' is not in Acme"),
        ({"exclude": [(day(1),)]}, InputError, r"\(begin, end\) or \(begin, end, service\) is"),
        ({"exclude": ["2026"]}, InputError, r"exclude\[0\]: '2026' is not allowed"),
    ],
)
def test_what_is_not_acceptable_is_named_with_what_is(
    org: OrgData, changes: dict[str, object], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        tars.what_if(org, **changes)  # type: ignore[arg-type]


@settings(max_examples=25)
@given(objective=st.floats(0.0, 2.0), first=st.integers(0, 29), length=st.integers(1, 20))
def test_the_verdict_after_is_that_of_an_organisation_made_that_way(
    org: OrgData, objective: float, first: int, length: int
) -> None:
    """The naive twin: drop the samples of the stretch by hand and compare the mean with the objective."""
    found = tars.what_if(org, objective={"latency": objective}, exclude=[(day(first), day(first + length))])
    (latency,) = (move for move in found.slas if move.sla_id == "latency")
    stop = first + length + (first + length == 29)  # an end at the last sample takes it along
    values = [
        value for place, value in enumerate(org.history.series("latency_p95", "web")[1]) if not first <= place < stop
    ]
    assert latency.value_after == pytest.approx(sum(values) / len(values))
    assert (latency.after is B) == (latency.value_after > objective)
