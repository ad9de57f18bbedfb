"""What the figures on spread, common movement and alerts draw: data, marks and words, not pixels."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from contract.workspaces import PATH, cascade
from matplotlib.colors import to_hex

import tars_lib as tars
from tars_lib.engines.alerts.report import Alert, AlertMember
from tars_lib.engines.relations.turning_points import unfold
from tars_lib.figures.health.alerts import draw_priorities, draw_storm
from tars_lib.figures.relations.lead_lag import bends, curve, draw_leads, place_nodes
from tars_lib.figures.relations.matrix import draw_matrix, matrices, ordered_repos
from tars_lib.figures.relations.turning_points import draw_unfolding
from tars_lib.figures.style.theme import BREACH, render
from tars_lib.pipeline import Analysis
from tars_lib.sources.demo import demo_root


@pytest.fixture(scope="module")
def spread(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    return tars.analyze(tars.load_org(cascade(tmp_path_factory.mktemp("cascade"))))


@pytest.fixture(scope="module")
def demo() -> Analysis:
    return tars.analyze(tars.load_org(demo_root()))


def words(figure: object) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]  # type: ignore[attr-defined]


def test_a_path_stands_in_one_row_in_the_order_of_time(spread: Analysis) -> None:
    nodes, leads = place_nodes(spread.temporal)
    assert [(repo, nodes[repo].at, nodes[repo].row) for repo in PATH] == [
        ("ledger", 0, 0),
        ("payments", 1, 0),
        ("checkout", 2, 0),
    ]
    # ledger before checkout is explained by payments, so it is not drawn
    assert {(lead.leader, lead.follower) for lead in leads} == {("ledger", "payments"), ("payments", "checkout")}


def test_the_network_says_lag_state_and_impact(spread: Analysis) -> None:
    picture = draw_leads(spread.temporal)
    assert picture is not None
    assert words(picture.figure).count("+1 d") == 2
    assert picture.figure.axes[0].get_xlabel() == "days after the first service"
    impact = spread.temporal.propagation_paths[0].impact_score
    assert f"ledger → payments → checkout within 2 d is active now; impact {impact:.0f} of 100" in picture.alt
    dots = picture.figure.axes[0].collections
    assert [to_hex(dot.get_facecolor()[0]) for dot in dots] == [BREACH] * 3
    sizes = [float(dot.get_sizes()[0]) for dot in dots]
    assert sizes[0] > sizes[1] > sizes[2]


def test_repos_that_would_overlap_stand_in_different_rows(spread: Analysis) -> None:
    lead = spread.temporal.lead_lag[0]
    crowd = tuple(replace(lead, leader="ledger", follower=f"follower-{n}", is_direct=True) for n in range(5))
    nodes, _ = place_nodes(replace(spread.temporal, lead_lag=crowd, propagation_paths=()))
    assert len({nodes[f"follower-{n}"].row for n in range(5)}) == 5


def test_leads_in_a_circle_are_drawn_and_time_still_runs_one_way(spread: Analysis) -> None:
    lead = spread.temporal.lead_lag[0]
    circle = tuple(replace(lead, leader=a, follower=b, is_direct=True) for a, b in (("a", "b"), ("b", "c"), ("c", "a")))
    report = replace(spread.temporal, lead_lag=circle, propagation_paths=())
    nodes, leads = place_nodes(report)
    assert len(leads) == 3
    assert (nodes["a"].at, nodes["b"].at, nodes["c"].at) == (0, 1, 2)
    assert draw_leads(report) is not None


def test_long_arrows_run_around_the_repos_between_their_ends(spread: Analysis) -> None:
    lead = spread.temporal.lead_lag[0]
    edges = {("a", "b"): 1, ("b", "c"): 1, ("a", "c"): 2, ("c", "d"): 2, ("b", "d"): 3, ("a", "d"): 4}
    many = tuple(
        replace(lead, leader=one, follower=other, lag=lag, is_direct=True) for (one, other), lag in edges.items()
    )
    nodes, leads = place_nodes(replace(spread.temporal, lead_lag=many, propagation_paths=()))
    assert {node.row for node in nodes.values()} == {0}, "a chain keeps to one row"
    ways = dict(zip(((one.leader, one.follower) for one in leads), bends(nodes, leads, 4), strict=True))
    assert [ways[pair] for pair in (("a", "b"), ("b", "c"), ("c", "d"))] == [0.0, 0.0, 0.0]
    for pair in (("a", "c"), ("b", "d"), ("a", "d")):
        assert abs(ways[pair]) > 0.3
    picture = draw_leads(replace(spread.temporal, lead_lag=many, propagation_paths=()))
    assert picture is not None
    axes = picture.figure.axes[0]
    rads = [text.arrow_patch.get_connectionstyle().rad for text in axes.texts if getattr(text, "arrow_patch", None)]
    assert [rad == 0 for rad in rads] == [way == 0 for way in ways.values()]


def test_a_bent_way_keeps_its_ends_and_leaves_the_middle() -> None:
    way = curve((0.0, 0.0), (4.0, 0.0), 0.4)
    assert way[len(way) // 2] == pytest.approx((2.0, 0.4))
    assert max(y for _, y in way) == pytest.approx(0.4)
    assert all(y == 0 for _, y in curve((0.0, 0.0), (4.0, 0.0), 0.0))


def test_a_follower_stands_in_its_leaders_row_where_it_fits(spread: Analysis) -> None:
    lead = spread.temporal.lead_lag[0]
    pairs = (("x", "y", 1), ("p", "q", 1), ("q", "r", 1))
    many = tuple(replace(lead, leader=a, follower=b, lag=lag, is_direct=True) for a, b, lag in pairs)
    nodes, _ = place_nodes(replace(spread.temporal, lead_lag=many, propagation_paths=()))
    assert len({nodes[name].row for name in "pqr"}) == 1
    assert nodes["x"].row == nodes["y"].row != nodes["p"].row


def test_without_leads_there_is_no_network(demo: Analysis) -> None:
    assert draw_leads(demo.temporal) is None


def test_the_matrix_holds_the_reports_numbers_and_keeps_clusters_together(demo: Analysis) -> None:
    report = demo.correlation
    repos = ordered_repos(report)
    coefficients, q_values = matrices(report, repos)
    assert np.isfinite(coefficients).sum() == report.correlations_found == np.isfinite(q_values).sum()
    for pair in report.correlations:
        column, row = sorted((repos.index(pair.repo_a), repos.index(pair.repo_b)))
        assert coefficients[row, column] == pair.coefficient
    first = report.clusters[0].repos
    assert set(repos[: len(first)]) == set(first)


def test_only_what_is_told_from_chance_is_numbered(demo: Analysis) -> None:
    report = demo.correlation
    picture = draw_matrix(report)
    assert picture is not None
    assert len(words(picture.figure)) == report.correlations_found
    dots = next(line for line in picture.figure.axes[0].lines if line.get_marker() == "o")
    n = len(ordered_repos(report))
    assert len(dots.get_xdata()) == n * (n - 1) // 2 - report.correlations_found
    assert f"{report.correlations_found} of {report.pairs_tested} pairs move together" in picture.alt
    assert draw_matrix(replace(report, correlations=(), correlations_found=0)) is None


def test_an_opposite_pair_is_told_by_its_sign_not_by_colour_alone(demo: Analysis) -> None:
    pair = replace(demo.correlation.correlations[0], coefficient=-0.8)
    picture = draw_matrix(replace(demo.correlation, correlations=(pair,), correlations_found=1, clusters=()))
    assert picture is not None
    assert words(picture.figure)[0].startswith("-")


def test_the_planted_order_and_levels_are_told(spread: Analysis) -> None:
    path = spread.temporal.propagation_paths[0]
    assert path.started_at is not None
    shown = unfold(spread.org, path.path, path.started_at, spread.as_of)
    assert shown is not None
    assert [turn.repo for turn in shown.turned] == list(PATH)
    gaps = [later.at - earlier.at for earlier, later in zip(shown.turned, shown.turned[1:], strict=False)]  # type: ignore[operator]
    assert gaps == [timedelta(days=1)] * 2
    # planted: 0.02 % of requests fail before, and 5, 3 and 2 percent more after
    assert [turn.after for turn in shown.turned] == pytest.approx([0.0502, 0.0302, 0.0202], rel=0.03)
    assert [turn.before for turn in shown.turned] == pytest.approx([0.0002] * 3, rel=0.3)
    assert all(turn.is_worse for turn in shown.turned)


def test_turns_are_those_that_the_engines_found(demo: Analysis) -> None:
    from tars_lib.engines.relations.pair_evidence import gather_evidence

    cluster = next(one for one in demo.correlation.clusters if one.is_anomalous)
    assert cluster.onset is not None
    shown = unfold(demo.org, cluster.repos, cluster.onset, demo.as_of)
    assert shown is not None
    evidence = gather_evidence(demo.org)
    found = {
        (evidence.movement.repos[one.column], evidence.movement.metrics[one.metric], evidence.time(one.index))
        for group in evidence.groups
        for one in group.members
    }
    assert {(turn.repo, turn.metric, turn.at) for turn in shown.turned} <= found
    assert [turn.repo for turn in shown.turns if turn.at is None] == ["fraud-check"]


def test_the_unfolding_marks_order_levels_and_the_change(spread: Analysis) -> None:
    path = spread.temporal.propagation_paths[0]
    assert path.started_at is not None
    shown = unfold(spread.org, path.path, path.started_at, spread.as_of)
    assert shown is not None
    picture = draw_unfolding(shown, spread.org.changes())
    axes = picture.figure.axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == list(PATH)
    assert any("Connection pool rewrite" in text for text in words(picture.figure))
    assert any("+2 d" in text for text in words(picture.figure))
    assert axes.get_xlabel() == "time, UTC"
    assert "ledger turned at 2026-03-26 00:00 UTC, payments 1 d later, checkout 2 d later" in picture.alt


def test_repos_that_turned_in_one_sample_get_no_order(demo: Analysis) -> None:
    cluster = next(one for one in demo.correlation.clusters if one.is_anomalous)
    assert cluster.onset is not None
    shown = unfold(demo.org, cluster.repos, cluster.onset, demo.as_of)
    assert shown is not None
    assert "checkout, ledger, payments and web (in the same sample) turned at" in draw_unfolding(shown).title


def test_nothing_unfolds_where_nothing_turned(spread: Analysis) -> None:
    assert unfold(spread.org, ("calm-1", "calm-2"), spread.as_of - timedelta(days=30), spread.as_of) is None
    assert unfold(spread.org, ("nobody",), spread.as_of, spread.as_of) is None


def storm(spread: Analysis, size: int) -> Analysis:
    """The cascade with one more alert that stands for many."""
    since = datetime(2026, 3, 28, tzinfo=UTC)
    first = spread.alerts.alerts[0]
    members = tuple(AlertMember(f"repo-{n}", first.severity, None, since) for n in range(size))
    extra: Alert = replace(first, members=members, first_seen=since, priority=9, title=f"{size} services at once")
    alerts = replace(spread.alerts, alerts=(*spread.alerts.alerts, extra), raised=spread.alerts.raised + size)
    return spread.with_reports(alerts=alerts)


def test_the_storm_counts_before_and_after(spread: Analysis) -> None:
    report = storm(spread, 200).alerts
    picture = draw_storm(report)
    assert picture is not None
    bars, lanes = picture.figure.axes
    heights = [
        sum(bar.get_height() for bar in bars.patches if round(bar.get_x() + bar.get_width() / 2) == x) for x in (0, 1)
    ]
    assert heights == [report.raised, len(report.alerts)] == [207, 4]
    assert bars.get_ylabel() == "alerts"
    assert (
        "207 alerts raised, 4 open after combining; the largest storm, 200 services at once, combines 200"
        in picture.alt
    )
    assert len([text for text in lanes.texts if text.get_text()]) == 4


def test_priorities_stand_by_group_and_impact_with_a_letter_for_the_severity(demo: Analysis) -> None:
    picture = draw_priorities(demo.alerts)
    assert picture is not None
    axes = picture.figure.axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == [
        "1. Customer facing",
        "2. Data integrity",
        "3. Performance",
        "4. Other",
    ]
    rows = {
        tick.get_text(): round(place) for tick, place in zip(axes.get_yticklabels(), axes.get_yticks(), strict=True)
    }
    assert set(rows) >= {"Health degradation", "SLO violation", "Trend anomaly", "Escalation timeout"}
    drawn = {text.get_text(): text.get_position() for text in axes.texts}
    assert drawn["1C"][1] == rows["SLO violation"]
    assert int(drawn["1C"][0]) == 0
    assert {name for name in drawn if name[0].isdigit()} == {
        f"{a.priority}{a.severity.value[0]}" for a in demo.alerts.alerts
    }


def test_without_alerts_nothing_is_drawn(spread: Analysis) -> None:
    none = replace(spread.alerts, alerts=(), raised=0, groups={}, severities={})
    assert draw_storm(none) is None
    assert draw_priorities(none) is None


def test_relation_figures_are_the_same_bytes_every_time(spread: Analysis) -> None:
    first, second = draw_leads(spread.temporal), draw_leads(spread.temporal)
    assert first is not None
    assert second is not None
    assert render(first.figure) == render(second.figure)


def test_hostile_names_are_drawn_as_text(spread: Analysis, tmp_path: Path) -> None:
    lead = replace(spread.temporal.lead_lag[0], leader="$x$\u202e<b>", follower="y" * 10_000, is_direct=True)
    picture = draw_leads(replace(spread.temporal, lead_lag=(lead,), propagation_paths=()))
    assert picture is not None
    assert any("[U+202E]" in text for text in words(picture.figure))
    assert max(len(text) for text in words(picture.figure)) < 60
    render(picture.figure)
