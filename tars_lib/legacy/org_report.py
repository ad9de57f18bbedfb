"""Reads the predecessor's `org-health-report.json`, whose histories stand inside the report."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tars_lib.errors import InputError
from tars_lib.files.reading import sha256_of
from tars_lib.model.admission import admit
from tars_lib.model.clock import ahead_of
from tars_lib.model.history import to_micros
from tars_lib.model.names import InputFile, Repo
from tars_lib.model.organisation import OrgData
from tars_lib.model.samples import Origin, Samples, merge
from tars_lib.model.times import read_time

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_NAME_KEYS = ("repository_name", "repo", "repo_id", "repository_id", "repository", "name", "id")
_SCORE_KEYS = ("repository_score", "score", "health_score")
_POINT_KEYS = ("score", "repository_score", "health_score", "value")


def is_legacy(content: Any) -> bool:
    """Return whether a report is of the predecessor: repositories with inline histories."""
    return (
        isinstance(content, dict)
        and isinstance(content.get("repositories"), list | dict)
        and "repository_reports" not in content
    )


def read_legacy_report(
    path: Path, content: dict[str, Any], assume_tz: ZoneInfo | None = None, clock: datetime | None = None
) -> OrgData:
    """Return an organisation from the predecessor's report: health scores alone, judged by the packaged policies.

    Samples that are later than `clock` are known only to who names a time (`OrgData.at`).

    Raise InputError if a repo has no name, or a point no time or score that can be read.
    """
    from tars_lib.sources.root import default_policies

    parts: list[Samples] = []
    repos: list[Repo] = []
    listed = content["repositories"]
    if isinstance(listed, dict):  # by name
        listed = [{"repo": name, **entry} if isinstance(entry, dict) else entry for name, entry in listed.items()]
    for number, entry in enumerate(listed, start=1):
        where = f"{path.name}, repositories entry {number}"
        if not isinstance(entry, dict):
            raise InputError(f"{where}: an object is needed")
        name = next((str(entry[key]) for key in _NAME_KEYS if entry.get(key)), None)
        if name is None:
            raise InputError(f"{where}: no name; one of {', '.join(_NAME_KEYS)} is needed")
        repos.append(Repo(name, name))
        points = list(_points(entry, content, where, assume_tz))
        if points:
            parts.append(_samples(name, points))
    samples = merge(parts)
    history = admit(samples, {})
    return OrgData(
        name=str(content.get("organization") or content.get("org_name") or path.parent.name or "organisation"),
        repos=tuple(sorted(repos, key=lambda repo: repo.repo)),
        history=history.over(tuple(sorted(repo.repo for repo in repos))),
        policies=default_policies(),
        inputs=(InputFile(path.name, sha256_of(path)),),
        warnings=(f"{path.name} is a report of the predecessor: health scores alone, packaged default policies",),
        ahead="" if clock is None else ahead_of(samples, clock),
    )


def _points(
    entry: dict[str, Any], content: dict[str, Any], where: str, assume_tz: ZoneInfo | None
) -> list[tuple[int, float, str]]:
    listed = entry.get("trend_history") or entry.get("history") or entry.get("data_points") or []
    if not isinstance(listed, list):
        raise InputError(f"{where}, trend_history: a list is needed")
    points = []
    for number, point in enumerate(listed, start=1):
        label = f"{where}, trend_history entry {number}"
        if not isinstance(point, dict) or "timestamp" not in point:
            raise InputError(f"{label}: an object with timestamp and score is needed")
        value = next((point[key] for key in _POINT_KEYS if point.get(key) is not None), None)
        points.append((to_micros(read_time(point["timestamp"], label, assume_tz)), _score(value, label), label))
    generated = content.get("generated_at") or content.get("timestamp")
    own = next((entry[key] for key in _SCORE_KEYS if entry.get(key) is not None), None)
    if not points and own is not None and generated is not None:
        points.append((to_micros(read_time(generated, f"{where}, generated_at", assume_tz)), _score(own, where), where))
    return points


def _score(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{where}: {str(value)[:60]!r} is not a score; a number from 0 to 100 is needed")
    try:
        return float(value)
    except OverflowError as error:
        raise InputError(f"{where}: a whole number too large for a score; a number from 0 to 100 is needed") from error


def _samples(name: str, points: list[tuple[int, float, str]]) -> Samples:
    return Samples(
        (name,),
        ("health_score",),
        np.zeros(len(points), dtype=np.int32),
        np.zeros(len(points), dtype=np.int32),
        np.array([time for time, _, _ in points], dtype=np.int64),
        np.array([value for _, value, _ in points], dtype=np.float64),
        tuple(Origin(where, 1, 0) for *_, where in points),
    )
