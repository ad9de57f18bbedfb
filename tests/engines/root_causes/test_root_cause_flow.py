"""Shares along calls: hand-computed cases, and what holds for any graph."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tars_lib.engines.root_causes.confidence import calibrated, features
from tars_lib.engines.root_causes.flow import measured_callees, own_shares, reachable
from tars_lib.engines.root_causes.series import quantile_weights


def test_chain_hands_all_harm_to_its_end():
    shares = own_shares(np.array([10.0, 10.0, 10.0]), np.ones(3), [[1], [2], []], 0, adds_up=True)
    np.testing.assert_allclose(shares, [0.0, 0.0, 1.0])


def test_shared_callee_is_divided_among_its_callers():
    # b's 30 s are felt by t (10 s) and by another caller (20 s): t gets a third of them, all of its 10 s
    shares = own_shares(np.array([10.0, 30.0, 20.0]), np.ones(3), [[1], [], [1]], 0, adds_up=True)
    np.testing.assert_allclose(shares, [0.0, 1.0, 0.0])


def test_slow_callee_of_others_does_not_excuse_the_target():
    # 30 s in total: the other caller feels 90 of 100, so t's part is 3 of its 10 s
    shares = own_shares(np.array([10.0, 30.0, 90.0]), np.ones(3), [[1], [], [1]], 0, adds_up=True)
    np.testing.assert_allclose(shares, [0.7, 0.3, 0.0])


def test_harm_that_could_be_chance_explains_nothing():
    shares = own_shares(np.array([10.0, 10.0]), np.array([1.0, 0.0]), [[1], []], 0, adds_up=True)
    np.testing.assert_allclose(shares, [1.0, 0.0])


def test_uncounted_calls_may_multiply_a_callees_excess():
    harm = np.array([0.6, 0.2])
    np.testing.assert_allclose(own_shares(harm, np.ones(2), [[1], []], 0, adds_up=False), [0.0, 1.0], atol=1e-9)
    np.testing.assert_allclose(own_shares(harm, np.ones(2), [[1], []], 0, adds_up=True), [2 / 3, 1 / 3])


@given(st.integers(1, 7), st.data())
def test_shares_are_a_distribution_on_any_graph_with_or_without_cycles(n, data):
    callees = [sorted(data.draw(st.sets(st.integers(0, n - 1)))) for _ in range(n)]
    harm = np.array(data.draw(st.lists(st.floats(0, 100), min_size=n, max_size=n)))
    real = np.array(data.draw(st.lists(st.floats(0, 1), min_size=n, max_size=n)))
    shares = own_shares(harm, real, callees, 0, adds_up=data.draw(st.booleans()))
    assert shares.sum() == pytest.approx(1.0)
    assert (shares >= -1e-12).all()
    assert not shares[~reachable(callees, 0)].any()


def test_callees_are_looked_for_behind_those_that_nobody_measures():
    graph = nx.DiGraph([("a", "x"), ("x", "y"), ("y", "b"), ("y", "x"), ("a", "c")])
    assert measured_callees(graph, ["a", "b", "c", "d"], np.array([True, True, False, True])) == [[1], [], [], []]


def test_quantile_weights_are_the_stretches_between_midpoints():
    np.testing.assert_allclose(quantile_weights([0.5, 0.9, 0.99]), [0.7, 0.245, 0.055])
    assert quantile_weights([0.95]) == [1.0]


def test_confidence_rises_with_share_lead_and_strength_and_falls_for_the_target_itself():
    def sure(shares, chance=1e-6, itself=False, has_calls=True):
        return calibrated(np.array(shares), chance, np.array([itself, False][: len(shares)]), has_calls=has_calls)

    alone = sure([0.9, 0.05])
    assert alone[0] > 0.8 > 0.2 > alone[1]
    assert sure([0.5, 0.45])[0] < alone[0]
    assert sure([0.9, 0.05], chance=1e-2)[0] < alone[0]
    assert sure([0.9, 0.05], itself=True)[0] < 0.5
    x = features(np.array([0.9]), 1e-9, np.array([True]), has_calls=False)
    assert x.tolist() == [[1.0, 0.9, 0.9, 1.0, 1.0, 1.0]]
