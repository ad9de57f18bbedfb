"""Every number that a sentence on missing data quotes is what a plain loop over the rows counts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from org_samples import Row, days, org_of, ratio, series

from tars_lib.engines.sla.report import ComplianceResult
from tars_lib.engines.sla.verdict import judge

QUARTER, SLOTS = timedelta(minutes=15), 96
NAMES = ("calls_total", "calls_failed")
TIME = r"(\d{4}-\d\d-\d\d \d\d:\d\d) UTC"
PERCENT = r"([\d.]+)%"
TEMPLATES = {
    "half": re.compile(rf"(\w+) of (\w+) is missing (\d+) of (\d+) times, first at {TIME}"),
    "more": re.compile(rf"calls_failed of (\w+) exceeds calls_total (\d+) of (\d+) times, first at {TIME}"),
    "asked": re.compile(rf"{PERCENT} of the events are in question, so the value lies between {PERCENT} and {PERCENT}"),
    "cover": re.compile(rf"samples of (\w+) cover {PERCENT} of the window"),
    "first": re.compile(rf"samples of (\w+) cover [^:]+: its first sample is from {TIME}"),
    "silent": re.compile(rf"samples of (\w+) cover [^:]+: it has been silent since {TIME}"),
    "gap": re.compile(rf"samples of (\w+) cover [^:]+: there is no sample between {TIME} and {TIME}"),
    "idle": re.compile(rf"(\w+) had no traffic in {PERCENT} of the window"),
    "few": re.compile(r"(\d+) events, fewer than 10"),
    "budget": re.compile(rf"{PERCENT} of the error budget is used"),
}


def spoilt(seed: int) -> list[Row]:
    """A day of two services in quarter hours, of which something is lost, contradicts itself, or did not happen."""
    rng = np.random.default_rng(seed)
    total = {repo: rng.poisson(1000.0, SLOTS).astype(float) for repo in ("api", "web")}
    failed = {repo: rng.binomial(total[repo].astype(int), 0.008).astype(float) for repo in total}
    begin, length = int(rng.integers(0, 60)), int(rng.integers(5, 36))
    hole = slice(begin, begin + length)
    kind = seed % 7
    if kind == 0:
        failed["web"][hole] = np.nan
    elif kind == 1:
        total["web"][rng.choice(SLOTS, length, replace=False)] = np.nan
    elif kind == 2:
        total["web"][hole] = failed["web"][hole] = np.nan
    elif kind == 3:
        lost = slice(-40, None) if seed % 2 else slice(0, 30)
        total["web"][lost] = failed["web"][lost] = np.nan
    elif kind == 4:
        total["web"][30:90] = failed["web"][30:90] = 0.0
    elif kind == 5:
        failed["web"][hole] = total["web"][hole] + 1
    else:
        total["api"], failed["api"] = np.zeros(SLOTS), np.zeros(SLOTS)
    return [
        row
        for repo in total
        for name, values in zip(NAMES, (total[repo], failed[repo]), strict=True)
        for row in series(repo, name, values, step=QUARTER)
        if not np.isnan(row[3])
    ]


def sentences(result: ComplianceResult) -> Iterator[tuple[str | None, str]]:
    """Scope and sentence."""
    yield from ((result.scope, sentence) for sentence in result.missing)
    if result.reason:
        yield result.scope, result.reason
    yield from ((part.repo, part.reason) for part in result.repo_results if part.reason)


def told(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


class Recount:
    """The rows again, looked at one by one."""

    def __init__(self, rows: list[Row]) -> None:
        self.at = {(repo, name): {t: v for t, r, n, v in rows if (r, n) == (repo, name)} for _, repo, name, _ in rows}
        self.as_of = max(row[0] for row in rows)
        self.first = self.as_of - timedelta(days=1)

    def times(self, repo: str) -> list[datetime]:
        both = {t for name in NAMES for t in self.at.get((repo, name), {})}
        return sorted(t for t in both if self.first < t <= self.as_of)

    def lacking(self, repo: str, name: str) -> list[datetime]:
        return [t for t in self.times(repo) if t not in self.at.get((repo, name), {})]

    def contrary(self, repo: str) -> list[datetime]:
        total, failed = (self.at[repo, name] for name in NAMES)
        return [t for t in self.times(repo) if t in total and t in failed and failed[t] > total[t]]

    def covered(self, repo: str) -> float:
        return len(self.times(repo)) / SLOTS

    def idle(self, repo: str) -> float:
        total = self.at[repo, NAMES[0]]
        seen = [t for t in self.times(repo) if t in total]
        return sum(total[t] == 0 for t in seen) / len(seen)


def check(kind: str, found: re.Match[str], count: Recount, scope: str | None, objective: float) -> None:
    part = found.groups()
    if kind == "half":
        lacking = count.lacking(part[1], part[0])
        assert (int(part[2]), int(part[3])) == (len(lacking), len(count.times(part[1])))
        assert told(part[4]) == lacking[0]
    elif kind == "more":
        contrary = count.contrary(part[0])
        assert (int(part[1]), int(part[2]), told(part[3])) == (len(contrary), len(count.times(part[0])), contrary[0])
    elif kind == "asked":
        assert 0 < float(part[0]) <= 100
        assert float(part[1]) <= float(part[2])
    elif kind == "cover":
        assert float(part[1]) == pytest.approx(100 * count.covered(part[0]), abs=0.51)
    elif kind in ("first", "silent"):
        assert told(part[1]) == count.times(part[0])[0 if kind == "first" else -1]
    elif kind == "gap":
        times = count.times(part[0])
        assert times.index(told(part[2])) == times.index(told(part[1])) + 1
        assert told(part[2]) - told(part[1]) == max(later - earlier for earlier, later in pairwise(times))
    elif kind == "idle":
        assert float(part[1]) == pytest.approx(100 * count.idle(part[0]), abs=0.51)
    elif kind == "few":
        assert int(part[0]) == sum(count.at[str(scope), NAMES[0]].get(t, 0) for t in count.times(str(scope))) < 10
    else:
        repos = ("api", "web") if scope is None else (scope,)
        pairs = [
            (count.at[repo, NAMES[0]].get(t), count.at[repo, NAMES[1]].get(t))
            for repo in repos
            for t in count.times(repo)
        ]
        whole = [(total, failed) for total, failed in pairs if None not in (total, failed) and failed <= total]
        share = sum(failed for _, failed in whole) / sum(total for total, _ in whole)
        assert float(part[0]) == pytest.approx(100 * share / (1 - objective), abs=0.51)


def test_every_number_of_every_sentence_is_recounted() -> None:
    met = dict.fromkeys(TEMPLATES, 0)
    for seed in range(28):
        rows = spoilt(seed)
        policy = ratio(0.99 if seed % 2 else 0.991, window=days(1), total=NAMES[0], part=NAMES[1])
        count = Recount(rows)
        result = judge(org_of(rows, policy), policy, count.as_of).result
        for scope, sentence in sentences(result):
            hits = [(kind, found) for kind, form in TEMPLATES.items() for found in form.finditer(sentence)]
            assert hits or not re.search(r"\d", sentence), f"no template recounts: {sentence}"
            for kind, found in hits:
                met[kind] += 1
                check(kind, found, count, scope, policy.objective)
    assert all(met.values()), met


def test_the_share_in_question_and_the_bounds_are_those_of_plain_sums() -> None:
    rows = spoilt(0)
    policy = ratio(0.9, window=days(1), total=NAMES[0], part=NAMES[1])
    count = Recount(rows)
    result = judge(org_of(rows, policy), policy, count.as_of).result
    total = {repo: sum(count.at[repo, NAMES[0]].values()) for repo in ("api", "web")}
    failed = {repo: sum(count.at[repo, NAMES[1]].values()) for repo in ("api", "web")}
    asked = sum(count.at["web", NAMES[0]][t] for t in count.lacking("web", NAMES[1]))
    everything = sum(total.values())
    found = next(filter(None, (TEMPLATES["asked"].search(sentence) for _, sentence in sentences(result))))
    said = [float(part) for part in found.groups()]
    assert said[0] == pytest.approx(100 * asked / everything, abs=0.051)
    bounds = (
        (everything - sum(failed.values()) - asked) / everything,
        (everything - sum(failed.values())) / everything,
    )
    assert (result.value_low, result.value_high) == pytest.approx(bounds)
    assert said[1:] == pytest.approx([100 * bound for bound in bounds], abs=0.06)
