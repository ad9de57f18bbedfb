"""Reports of the predecessor name a repo in several ways; each is read, and what has no name is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tars_lib.errors import InputError
from tars_lib.legacy.org_report import is_legacy, read_legacy_report

POINTS = [{"timestamp": f"2026-01-{day:02}T00:00:00Z", "score": 40.0} for day in (1, 2, 3)]


def report(tmp_path: Path, repositories: Any) -> tuple[Path, dict[str, Any]]:
    path = tmp_path / "org-health-report.json"
    content = {"generated_at": "2026-01-03T10:00:00Z", "repositories": repositories}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path, content


@pytest.mark.parametrize("key", ["repository_name", "repo", "repo_id", "repository_id", "repository", "name", "id"])
def test_a_repo_is_found_under_each_of_its_keys(tmp_path: Path, key: str) -> None:
    path, content = report(tmp_path, [{key: "ledger", "trend_history": POINTS}])
    org = read_legacy_report(path, content)
    assert [repo.repo for repo in org.repos] == ["ledger"]
    assert org.history.series("health_score", "ledger")[1].tolist() == [40.0] * 3


def test_repos_may_stand_under_their_names(tmp_path: Path) -> None:
    path, content = report(tmp_path, {"ledger": {"trend_history": POINTS}, "web": {"repository_score": 90}})
    assert is_legacy(content)
    org = read_legacy_report(path, content)
    assert [repo.repo for repo in org.repos] == ["ledger", "web"]
    assert org.history.series("health_score", "web")[1].tolist() == [90.0]


def test_a_repo_without_a_name_is_refused_with_the_keys_that_may_hold_it(tmp_path: Path) -> None:
    path, content = report(tmp_path, [{"title": "ledger", "trend_history": POINTS}])
    with pytest.raises(InputError, match="repositories entry 1: no name; one of repository_name, repo, repo_id, "):
        read_legacy_report(path, content)


def test_a_point_that_is_later_than_the_clock_is_refused(tmp_path: Path) -> None:
    path, content = report(tmp_path, [{"repo_id": "ledger", "trend_history": POINTS}])
    org = read_legacy_report(path, content, None, datetime(2026, 1, 2, tzinfo=UTC))
    with pytest.raises(
        InputError, match="trend_history entry 3: 2026-01-03T00:00:00Z is later than the clock, 2026-01-02"
    ):
        org.at(None)
    assert read_legacy_report(path, content, None, datetime(2026, 1, 4, tzinfo=UTC)).at(None)[1].day == 3
