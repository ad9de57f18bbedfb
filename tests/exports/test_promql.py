"""Queries over other windows and fewer repos, by text: what is certain is changed, all else refused."""

from __future__ import annotations

import pytest

from tars_lib.errors import ConfigError
from tars_lib.exports.promql import Query, matcher_of, queries_of


@pytest.mark.parametrize(
    ("text", "repos", "counted"),
    [
        ("http_requests_total", (), "rate(http_requests_total[1h])"),
        ("http_requests_total", ("web",), 'rate(http_requests_total{service="web"}[1h])'),
        ('requests{code=~"5.{2}"}', ("web",), 'rate(requests{service="web",code=~"5.{2}"}[1h])'),
        ('{__name__="a:b"}', (), 'rate({__name__="a:b"}[1h])'),
        ("x{}", ("a", "b"), 'rate(x{service=~"a|b"}[1h])'),
        ("sum by (service) (increase(x[5m]))", (), "sum by (service) (increase(x[1h]))"),
        ("sum by (service) (increase(x[5m]))", ("web",), 'sum by (service) (increase(x{service="web"}[1h]))'),
        # one answer: it is about the repo that the policy names as it stands
        ('sum(rate(x{job="[a]"}[{{.window}}]))', ("web",), 'sum(rate(x{job="[a]"}[1h]))'),
        ("sum(rate(x[$__rate_interval]))", (), "sum(rate(x[1h]))"),
        ("sum(rate(x[window]))", (), "sum(rate(x[1h]))"),
    ],
)
def test_a_count_over_another_window(text: str, repos: tuple[str, ...], counted: str) -> None:
    assert Query("m", text).counted("1h", "service", repos) == counted


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("sum(http_requests_5m)", "no range"),
        ("sum(rate(x[5m])) / sum(rate(y[1h]))", "several ranges"),
        ("sum(max_over_time(x[1h:5m]))", "plain duration"),
        ("sum(irate(x[5m]))", "rate"),
        ("sum(increase(x[5m]) + rate(x[5m]))", "one of"),
    ],
)
def test_what_cannot_be_counted_over_another_window_is_refused(text: str, why: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Query("m", text).counted("1h", "service", ())
    assert why in str(refused.value)
    assert "--selector 'm=SELECTOR'" in str(refused.value)


def test_a_level_is_the_mean_of_a_repos_series() -> None:
    assert Query("m", "x").level("app", ("web",), "5m") == 'avg by (app) (x{app="web"})'
    assert Query("m", "sum(rate(x[{{.window}}]))").level("app", (), "5m") == "avg by (app) (sum(rate(x[5m])))"


def test_a_name_cannot_leave_its_matcher() -> None:
    assert matcher_of("service", ['a"} or up #', "b"]) == 'service=~"a\\"\\\\}\\\\ or\\\\ up\\\\ \\\\#|b"'
    assert matcher_of("service", ['a"b\\']) == 'service="a\\"b\\\\"'


def test_where_a_metric_is_found() -> None:
    query_map = {"sum(rate(a[5m]))": "mapped", "x": "twice", "y": "twice"}
    found, faults = queries_of(["mapped", "given", "plain", "twice", "odd.name"], {"given": "g{a='b'}"}, query_map)
    assert {name: query.text for name, query in found.items()} == {
        "mapped": "sum(rate(a[5m]))",
        "given": "g{a='b'}",
        "plain": "plain",
    }
    assert [fault.split(":")[0] for fault in faults] == ["twice", "odd.name"]
    assert all("--selector" in fault for fault in faults)
