"""Planted causes are found, noise is left alone, names are never read, bad input is refused."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from tars_lib.engines.root_causes.ranking import COLUMNS, rank_root_causes
from tars_lib.errors import InputError

CALLS = [
    ("web", "cart"),
    ("web", "search"),
    ("cart", "db"),
    ("search", "db"),
    ("search", "index"),
    ("batch", "db"),
]
CALLS_PER_REQUEST = {"web": 1.0, "cart": 0.5, "search": 1.0, "db": 1.5, "index": 2.0, "batch": 0.2}
OWN_S = {"web": 0.05, "cart": 0.03, "search": 0.02, "db": 0.004, "index": 0.01, "batch": 0.5}
SAMPLES, PAST = 130, 120


def system(seed=0, slow=None, failing=None, requests=400, extra_s=0.1, failure_rate=0.05):
    """Shop of six repos in which time and failures add up along calls: 120 samples of past, then ten more.

    `slow` and `failing` name the repo with the fault in the last eight samples.
    """
    rng = np.random.default_rng(seed)
    time = pd.date_range("2024-03-01", periods=SAMPLES, freq="5min", tz="UTC")
    during = np.arange(SAMPLES) >= PAST + 2
    latency, failed, total = {}, {}, {}
    for repo in ("db", "index", "cart", "search", "web", "batch"):
        total[repo] = rng.poisson(requests * CALLS_PER_REQUEST[repo], SAMPLES).astype(float)
        noise = rng.lognormal(0.0, 0.05, SAMPLES)
        latency[repo] = OWN_S[repo] * noise + (extra_s * during if repo == slow else 0.0)
        rate = np.full(SAMPLES, 1e-4) + (failure_rate * during if repo == failing else 0.0)
        for callee in [b for a, b in CALLS if a == repo]:
            each = CALLS_PER_REQUEST[callee] / sum(CALLS_PER_REQUEST[a] for a, b in CALLS if b == callee)
            latency[repo] = latency[repo] + each * latency[callee]
            rate = rate + each * failed[callee] / np.maximum(total[callee], 1.0)
        failed[repo] = rng.binomial(total[repo].astype(int), np.minimum(rate, 1.0)).astype(float)
    columns = {}
    for repo in OWN_S:
        columns[repo, "latency"] = latency[repo]
        columns[repo, "requests_total"] = total[repo]
        columns[repo, "availability"] = 1.0 - failed[repo] / np.maximum(total[repo], 1.0)
    frame = pd.DataFrame(columns, index=time)
    frame.columns = pd.MultiIndex.from_tuples(list(columns), names=["repo", "metric"])
    return frame


def rank(frame, metric="latency", graph=CALLS, **options):
    options.setdefault("started_at", frame.index[PAST + 2])
    calls = None if graph is None else nx.DiGraph(graph)
    return rank_root_causes(frame[PAST:], frame[:PAST], ("web", metric), calls, **options)


def only(frame, *metrics):
    return frame.loc[:, frame.columns.get_level_values("metric").isin(metrics)]


@pytest.mark.parametrize("repo", ["web", "cart", "search", "db", "index"])
@pytest.mark.parametrize("metric", ["latency", "availability"])
def test_planted_fault_is_named_first_wherever_it_sits(repo, metric):
    frame = system(1, slow=repo) if metric == "latency" else system(1, failing=repo)
    causes = rank(frame, metric)
    assert causes["repo"].iloc[0] == repo
    assert causes["metric"].iloc[0] == metric
    assert causes["contribution"].iloc[0] > 0.6
    assert causes.attrs["onset"] == frame.index[PAST + 2]
    assert causes.attrs["reason"] is None


def test_noise_is_left_alone():
    metrics = ("latency", "availability")
    named = [not rank(system(seed), metric).empty for seed in range(60) for metric in metrics]
    assert sum(named) <= 5  # 1.2 expected at the 1 % level; 6 or more would be a chance of 0.2 %


def test_quiet_target_says_why_and_leaves_all_unexplained():
    causes = rank(system(2, slow="batch"))  # a repo that the target does not depend on
    assert causes.empty
    assert list(causes.columns) == list(COLUMNS)
    assert causes.attrs["unexplained"] == 1.0
    assert causes.attrs["onset"] is None
    assert "within its usual range" in causes.attrs["reason"]
    assert " s to " in causes.attrs["reason"]


def test_two_failed_requests_are_an_incident_where_there_was_never_one():
    frame = system(3)
    frame.loc[:, (slice(None), "availability")] = 1.0
    for repo in ("web", "search"):
        total = frame[repo, "requests_total"].iloc[PAST + 3]
        frame.loc[frame.index[PAST + 3], (repo, "availability")] = 1.0 - 2.0 / total
    causes = rank(frame, "availability")
    assert causes["repo"].iloc[0] == "search"
    assert "2 more failed requests" in causes["evidence"].iloc[0][1]


def test_faster_is_no_incident():
    assert rank(system(4, slow="db", extra_s=-0.003)).empty


@pytest.mark.parametrize("seed", [5, 6])
def test_names_and_column_order_change_nothing(seed):
    frame = system(seed, slow="db")
    rng = np.random.default_rng(seed)
    codes = dict(zip(OWN_S, [f"{code:05x}" for code in rng.permutation(2**20)[: len(OWN_S)]], strict=True))
    shuffled = frame.iloc[:, rng.permutation(frame.shape[1])].rename(columns=codes, level="repo")
    graph = nx.DiGraph([(codes[a], codes[b]) for a, b in reversed(CALLS)])
    target = (codes["web"], "latency")
    there = rank_root_causes(shuffled[PAST:], shuffled[:PAST], target, graph, frame.index[PAST + 2])
    here = rank(frame)
    assert there["repo"].tolist() == [codes[repo] for repo in here["repo"]]
    for column in ("score", "confidence", "contribution"):
        np.testing.assert_allclose(there[column], here[column], rtol=1e-9)


def test_contributions_and_the_unexplained_share_add_up_to_one():
    causes = rank(system(7, slow="cart"))
    assert causes["contribution"].sum() + causes.attrs["unexplained"] == pytest.approx(1.0)
    assert causes["confidence"].between(0.0, 1.0).all()
    assert causes["score"].is_monotonic_decreasing


@pytest.mark.parametrize("lost", ["cart", "search"])
def test_cause_is_found_through_a_repo_that_nobody_measures(lost):
    frame = system(8, slow="db")
    frame = frame.drop(columns=lost, level="repo")
    assert rank(frame)["repo"].iloc[0] == "db"


def test_fault_of_an_unmeasured_callee_stays_with_its_caller():
    frame = system(9, slow="index").drop(columns="index", level="repo")
    assert rank(frame)["repo"].iloc[0] == "search"


def test_callee_that_was_never_called_before_is_evidence_and_not_the_cause():
    frame = system(10, failing="cart")
    new = pd.DataFrame({("new", "availability"): 0.0, ("new", "requests_total"): 20.0}, index=frame.index[PAST + 2 :])
    frame = pd.concat([frame, new], axis=1)
    frame.columns = frame.columns.set_names(["repo", "metric"])
    causes = rank(frame, "availability", [*CALLS, ("cart", "new")])
    assert causes["repo"].iloc[0] == "cart"
    assert "began to call new, which reported nothing before" in causes["evidence"].iloc[0]


@pytest.mark.parametrize("drop", [["requests_total"], ["requests_total", "availability"]])
def test_latency_cause_is_found_without_counts(drop):
    frame = system(11, slow="search").drop(columns=drop, level="metric")
    assert rank(frame)["repo"].iloc[0] == "search"


def test_failure_counts_error_rate_and_availability_are_one_metric():
    frame = system(12, failing="search")
    ratio = frame.xs("availability", axis=1, level="metric")
    total = frame.xs("requests_total", axis=1, level="metric")
    failed = ((1.0 - ratio) * total).round()
    forms = {
        "availability": frame,
        "error_rate": pd.concat({"error_rate": 1.0 - ratio, "requests_total": total}, axis=1).swaplevel(axis=1),
        "requests_failed": pd.concat({"requests_failed": failed, "requests_total": total}, axis=1).swaplevel(axis=1),
    }
    found = {name: rank(form, name) for name, form in forms.items()}
    for name, causes in found.items():
        assert causes["repo"].iloc[0] == "search"
        assert causes["metric"].iloc[0] == name
        np.testing.assert_allclose(causes["contribution"], found["availability"]["contribution"], atol=1e-6)


def test_quantiles_stand_in_for_the_mean():
    frame = system(13, slow="search")
    latency = frame.xs("latency", axis=1, level="metric")
    parts = {"latency_p50": 0.8 * latency, "latency_p90": 1.5 * latency, "latency_p99": 3.0 * latency}
    quantiles = pd.concat(parts, axis=1).swaplevel(axis=1)
    quantiles = pd.concat([quantiles, only(frame, "requests_total")], axis=1)
    causes = rank(quantiles, "latency_p90")
    assert causes["repo"].iloc[0] == "search"
    assert causes["metric"].iloc[0] == "latency_p90"
    assert "from quantiles" in causes["evidence"].iloc[0][0]


def test_breach_noticed_late_is_dated_back():
    frame = system(14, slow="db")
    causes = rank(frame, started_at=frame.index[PAST + 4])
    assert causes.attrs["onset"] == frame.index[PAST + 2]
    assert causes["repo"].iloc[0] == "db"


def test_onset_is_estimated_where_nobody_noticed():
    frame = system(15, slow="db")
    causes = rank(frame, started_at=None)
    assert causes.attrs["onset"] == frame.index[PAST + 2]
    assert causes["repo"].iloc[0] == "db"


def test_incident_frame_may_start_at_the_breach_with_a_baseline_of_another_day():
    frame = system(16, slow="db")
    past = frame[:PAST].set_axis(frame.index[:PAST] - pd.Timedelta("100D"), axis=0)
    now = frame[PAST + 2 :]
    causes = rank_root_causes(now, past, ("web", "latency"), nx.DiGraph(CALLS), now.index[0])
    assert causes["repo"].iloc[0] == "db"


@pytest.mark.parametrize("length", [1, 3])
def test_one_sample_can_be_enough(length):
    frame = system(17, slow="search", extra_s=0.5)
    now = frame[PAST + 2 : PAST + 2 + length]
    causes = rank_root_causes(now, frame[: PAST + 2], ("web", "latency"), nx.DiGraph(CALLS))
    assert causes["repo"].iloc[0] == "search"


def test_drift_of_all_levels_since_the_baseline_is_no_cause():
    frame = system(18, slow="search")
    drifted = frame.copy()
    drifted.loc[drifted.index[PAST:], [("index", "latency"), ("db", "latency")]] += 0.02
    past = drifted[:PAST].set_axis(frame.index[:PAST] - pd.Timedelta("100D"), axis=0)
    causes = rank_root_causes(drifted[PAST:], past, ("web", "latency"), nx.DiGraph(CALLS), frame.index[PAST + 2])
    assert causes["repo"].iloc[0] == "search"
    assert not set(causes["repo"][causes["contribution"] > 0.05]) & {"index", "db"}


def test_gaps_constant_columns_duplicates_and_disorder_are_survived():
    frame = system(19, slow="search")
    frame = frame.mask(np.random.default_rng(0).random(frame.shape) < 0.1)
    frame["index", "latency"] = 0.01
    frame = pd.concat([frame, frame.iloc[[5, PAST + 4]]]).sample(frac=1.0, random_state=1)
    past, now = frame[frame.index < system().index[PAST]], frame[frame.index >= system().index[PAST]]
    causes = rank_root_causes(now, past, ("web", "latency"), nx.DiGraph(CALLS))
    assert causes["repo"].iloc[0] == "search"


def test_calls_in_a_circle_and_nodes_without_data_are_survived():
    causes = rank(system(20, slow="db"), graph=[*CALLS, ("db", "web"), ("db", "cart"), ("web", "nowhere")])
    assert causes["repo"].iloc[0] == "db"
    assert causes["contribution"].sum() <= 1.0 + 1e-9


def test_without_calls_the_strongest_deviation_no_later_than_the_target_is_named():
    rng = np.random.default_rng(21)
    time = pd.date_range("2024-01-01", periods=120, freq="D", tz="UTC")
    score = rng.normal(90.0, 1.0, (120, 50))
    score[100:, 7] -= 35.0  # leads
    score[102:, 3] -= 20.0  # the target follows
    score[108:, 9] -= 40.0  # comes too late to be the cause
    repos = [f"repo-{i}" for i in range(50)]
    columns = pd.MultiIndex.from_product([repos, ["health_score"]], names=["repo", "metric"])
    frame = pd.DataFrame(score, index=time, columns=columns)
    causes = rank_root_causes(frame[102:], frame[:102], ("repo-3", "health_score"), None, time[102])
    assert causes["repo"].iloc[0] == "repo-7"
    late = causes.set_index("repo")["contribution"].get("repo-9", 0.0)
    assert late < 0.1 * causes["contribution"].iloc[0]
    assert "health_score went from 89.7 to 5" in causes["evidence"].iloc[0][0]
    assert "time order" in causes["evidence"].iloc[0][1]


def test_metric_of_the_users_own_needs_its_direction():
    rng = np.random.default_rng(22)
    time = pd.date_range("2024-01-01", periods=60, freq="h", tz="UTC")
    columns = pd.MultiIndex.from_product([["a", "b"], ["queue"]], names=["repo", "metric"])
    depth = pd.DataFrame(rng.normal(10, 1, (60, 2)), index=time, columns=columns)
    depth.iloc[55:] += 30.0
    graph = nx.DiGraph([("a", "b")])
    with pytest.raises(InputError, match=r"queue.*higher_is_better"):
        rank_root_causes(depth[55:], depth[:55], ("a", "queue"), graph)
    worse = rank_root_causes(depth[55:], depth[:55], ("a", "queue"), graph, higher_is_better={"queue": False})
    assert worse["repo"].iloc[0] == "b"
    assert rank_root_causes(depth[55:], depth[:55], ("a", "queue"), graph, higher_is_better={"queue": True}).empty


def test_evidence_has_numbers_units_and_times():
    first, second, *_ = rank(system(23, slow="search"))["evidence"].iloc[0]
    assert first.startswith("latency went from 0.0")
    assert " s (" in first
    assert "at 2024-03-01 10:10 UTC" in first
    assert "s of extra request time over 8 samples" in second
    assert "net of the services it calls" in second


def test_no_past_at_all_is_an_empty_answer_with_a_reason():
    frame = system(24, slow="db")
    causes = rank_root_causes(frame[PAST + 2 :], frame[:0], ("web", "latency"), nx.DiGraph(CALLS))
    assert causes.empty
    assert "no past" in causes.attrs["reason"]


def test_target_that_reports_nothing_now_is_an_empty_answer_with_a_reason():
    frame = system(25, slow="db")
    frame.loc[frame.index[PAST:], ("web", "latency")] = np.nan
    assert "reports no latency" in rank(frame).attrs["reason"]


def test_repo_without_the_metric_of_the_target_is_looked_through():
    frame = system(26, slow="index").drop(columns=[("search", "latency"), ("cart", "latency")])
    assert rank(frame)["repo"].iloc[0] == "index"


def test_caller_of_a_busy_repo_without_the_metric_is_not_blamed_for_it():
    frame = system(26, slow="search").drop(columns=[("cart", "latency"), ("db", "latency")])
    told = rank(frame).attrs["unmeasured"]
    assert (told.near, told.calls) == ("search", ("db",))


def test_callers_frames_are_not_changed():
    frame = system(27, slow="db")
    now, past = frame[PAST:].copy(), frame[:PAST].copy()
    rank_root_causes(now, past, ("web", "latency"), nx.DiGraph(CALLS))
    pd.testing.assert_frame_equal(now, frame[PAST:], check_freq=False)
    pd.testing.assert_frame_equal(past, frame[:PAST], check_freq=False)


def test_answer_is_the_same_in_any_time_zone():
    frame = system(28, slow="db")
    local = frame.tz_convert("America/New_York")
    pd.testing.assert_frame_equal(rank(frame), rank(local, started_at=local.index[PAST + 2]))


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (("nope", "latency"), "'nope'.*web"),
        (("web", "lead_time"), "'lead_time'.*latency"),
        (("web", "requests_total"), "direction"),
    ],
)
def test_target_that_cannot_be_explained_is_refused_with_what_there_is(target, message):
    frame = system(29)
    with pytest.raises(InputError, match=message):
        rank_root_causes(frame[PAST:], frame[:PAST], target)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: f.tz_localize(None), "time zone"),
        (lambda f: f.reset_index(drop=True), "DatetimeIndex"),
        (lambda f: f.droplevel("metric", axis=1), "MultiIndex"),
        (lambda f: pd.concat([f, f.iloc[:, :1]], axis=1), "more than once"),
        (lambda f: f.astype({("db", "latency"): object}), "not numeric"),
    ],
)
def test_malformed_frame_is_refused(spoil, message):
    frame = system(30)
    with pytest.raises(InputError, match=message):
        rank_root_causes(spoil(frame[PAST:]), frame[:PAST], ("web", "latency"))


def test_incident_without_a_row_and_a_time_without_a_zone_are_refused():
    frame = system(31)
    with pytest.raises(InputError, match="no row"):
        rank_root_causes(frame[:0], frame, ("web", "latency"))
    with pytest.raises(InputError, match="time zone"):
        rank(frame, started_at=pd.Timestamp("2024-03-01 10:10"))
