"""What an analyst asks an analysis: what moved, why a service, what changed, what if; the planted incident answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from org_samples import T0, RootBuilder, series

from tars_lib.engines.queries.moved_metrics import MIN_WINDOWS, moved
from tars_lib.errors import InputError, UnknownNameError
from tars_lib.model.names import Event
from tars_lib.model.organisation import OrgData
from tars_lib.pipeline import Analysis, analyze
from tars_lib.pipeline.loading import load_org
from tars_lib.sources.demo import demo_root

DEPLOY = "Connection pool rewrite"


@pytest.fixture(scope="module")
def org() -> OrgData:
    return load_org(demo_root())


@pytest.fixture(scope="module")
def analysis(org: OrgData) -> Analysis:
    return analyze(org)


def test_the_metrics_that_moved_are_those_of_the_planted_incident(org: OrgData, analysis: Analysis) -> None:
    found = analysis.moved(DEPLOY)
    frame = found.frame
    assert set(frame[frame["is_moved"]]["repo"]) == {"ledger", "payments", "checkout", "web"}
    assert found.expected < 1.0
    first = found.metrics[0]
    # by hand: the median before the deploy and the mean since, of the samples themselves
    values = org.frame(first.metric)[first.repo]
    at = found.event.timestamp
    assert first.before == pytest.approx(values[values.index < at].median())
    assert first.after == pytest.approx(values[values.index >= at].mean())
    assert "14 of 55 metrics moved by 2026-11-02 15:00 UTC" in str(found.told())


def test_nothing_moves_in_noise_but_by_chance(build_noise: Callable[[], OrgData]) -> None:
    quiet = build_noise()
    found = moved(quiet, Event(T0 + timedelta(days=150), None, "deploy", "nothing", None), timedelta(days=5))
    assert sum(one.is_moved for one in found.metrics) <= 2
    assert 0.5 < found.expected < 2.0
    # too short a past shows nothing, however far it jumps
    early = moved(quiet, Event(T0 + timedelta(days=12), None, "deploy", "early", None), timedelta(days=2))
    assert all(one.windows < MIN_WINDOWS and not one.is_moved for one in early.metrics)


@pytest.fixture
def build_noise(tmp_path: object) -> Callable[[], OrgData]:
    def build() -> OrgData:
        rng = np.random.default_rng(3)
        builder = RootBuilder(tmp_path / "noise")  # type: ignore[operator]
        for number in range(30):
            builder.add(series(f"s{number}", "latency", rng.uniform(0.1, 0.2, 160).tolist()))
        return load_org(builder.write())

    return build


def test_an_event_is_found_by_title_or_ref_and_a_wrong_one_is_refused(org: OrgData, analysis: Analysis) -> None:
    assert analysis.moved("ledger@41").event == analysis.moved(DEPLOY.upper()).event
    with pytest.raises(UnknownNameError, match="the latest are: "):
        analysis.moved("never happened")
    with pytest.raises(InputError, match="more than nothing"):
        analysis.moved(DEPLOY, timedelta(0))
    late = Event(datetime(2027, 1, 1, tzinfo=UTC), None, "deploy", "late", None)
    with pytest.raises(InputError, match="no sample follows"):
        moved(org, late)


def test_why_answers_for_an_sla_and_for_a_service(analysis: Analysis) -> None:
    assert str(analysis.why("availability")).startswith("Availability is BREACHED in ledger")
    story = str(analysis.why("ledger"))
    assert (
        "It is the most likely cause of the breach of Availability (88% confidence): deploy 'Connection pool" in story
    )
    calm = str(analysis.why("inventory"))
    assert "No alert names it." in calm
    assert "cause" not in calm
    with pytest.raises(UnknownNameError, match="services: "):
        analysis.why("nobody")


def test_compare_says_what_changed_since_an_earlier_time(analysis: Analysis) -> None:
    found = analysis.compare("2026-11-01T00:00:00Z")
    row = found.frame.set_index("subject").loc["SLA checkout-latency"]
    assert (row["direction"], row["before"], row["after"]) == ("WORSE", "COMPLIANT 0.576 s", "BREACHED 1.24 s")
    assert str(analysis.compare(analysis.as_of).told()).endswith("nothing changed.")


def test_what_if_reads_a_percentage_for_every_share(analysis: Analysis) -> None:
    found = analysis.what_if("99.5 %")
    assert {move.sla_id: move.objective_after for move in found.slas}["availability"] == pytest.approx(0.995)
    assert {move.sla_id for move in found.slas if move.objective_before != move.objective_after} == {"availability"}
    assert analysis.what_if(0.5, "checkout-latency").slas[1].objective_after == pytest.approx(0.5)
    for wrong in ("lots", ""):
        with pytest.raises(InputError, match="such as '99.5%'"):
            analysis.what_if(wrong)
    with pytest.raises(UnknownNameError, match="there are: availability"):
        analysis.what_if("99%", "nothing")
    bare = replace(analysis, org=replace(analysis.org, policies=()))
    with pytest.raises(InputError, match="no SLA of .* is a share"):
        bare.what_if("99%")


def test_a_plot_shows_the_services_around_the_event(org: OrgData) -> None:
    picture = org.plot("error_rate", ["ledger", "checkout"], around=DEPLOY, window=timedelta(hours=6))
    panels = picture.figure.axes
    assert [axes.get_title("left") for axes in panels] == ["ledger", "checkout"]
    times, values = panels[0].lines[0].get_data()
    assert max(values) > 10.0, "in percent"
    assert max(times) - min(times) <= timedelta(hours=6)
    assert picture._repr_png_().startswith(b"\x89PNG")
    assert repr(picture) == "error_rate of ledger, checkout around deploy 'Connection pool rewrite'."
    assert [axes.get_title("left") for axes in org.plot("latency", "web").figure.axes] == ["web"]
    with pytest.raises(InputError, match="name up to 8"):
        org.plot("latency")
    with pytest.raises(UnknownNameError, match="is not reported"):
        org.plot("nothing", "web")
