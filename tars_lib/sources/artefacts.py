"""Reads the per-repo artefacts of T.A.R.S.: health dashboard, alerts, trend report.

Each `<repo>/` folder may hold `dashboard/health-dashboard.json`, `alerts/alerts.json` and `trends/trend-report.json`. Scores
and issue counts become samples of `health_score`, `critical_issues` and `total_issues`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tars_lib.errors import InputError
from tars_lib.files.limits import MAX_EVENTS, MAX_NAME
from tars_lib.files.reading import inside, is_there, read_json
from tars_lib.model.history import to_micros
from tars_lib.model.names import AlertSeverity, Repo, ReportedAlert, read_severity
from tars_lib.model.samples import Origin, Samples
from tars_lib.model.times import read_time
from tars_lib.sources.alert_files import read_alerts

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

DASHBOARD = Path("dashboard") / "health-dashboard.json"
ALERTS = Path("alerts") / "alerts.json"
TRENDS = Path("trends") / "trend-report.json"
_HISTORY_KEYS = ("history", "data_points", "trend_history")
_SCORE_KEYS = ("repository_score", "overall_health")
_FEW_POINTS = 8
"""Fewer points than a trend can be tested on."""
_COUNTS = ("critical_issues", "total_issues")


@dataclass(frozen=True, slots=True, eq=False)
class Artefacts:
    """Content of the artefacts of one repo."""

    repo: Repo
    samples: tuple[Samples, ...]
    alerts: tuple[ReportedAlert, ...]
    files: tuple[Path, ...]
    warnings: tuple[str, ...]


def has_artefacts(folder: Path) -> bool:
    """Return whether a folder is a repo in the artefact layout."""
    return any(_has(folder, name) for name in (DASHBOARD, ALERTS, TRENDS))


def _has(folder: Path, name: Path) -> bool:
    return is_there(folder / name, f"{folder.name}/{name.as_posix()}")


def read_artefacts(folder: Path, root: Path, assume_tz: ZoneInfo | None = None) -> Artefacts:
    """Read the artefacts of one repo.

    Parameters
    ----------
    folder : Path
        Its name is the repo's key.
    root : Path
        Out of which no link may lead.

    Raises
    ------
    InputError
        If a file is not JSON, or a time or score in it cannot be understood.
    """
    key = folder.name
    if _text(key) != key:
        raise InputError(f"{_text(key)}: the folder's name is not UTF-8; a service is called by it")
    name, files, warnings = key, [], []
    points: list[tuple[str, int, float, str]] = []
    alerts: list[ReportedAlert] = []
    if _has(folder, TRENDS):
        files.append(folder / TRENDS)
        label = f"{key}/{TRENDS.as_posix()}"
        report = read_json_object(inside(folder / TRENDS, root, label), label)
        points.extend(_trend_points(report, label, assume_tz))
        if not any(history in report for history in _HISTORY_KEYS):
            warnings.append(_nothing_read(report, label, _HISTORY_KEYS))
        if len(points) < _FEW_POINTS and report.get("overall_trend") is not None:
            warnings.append(_untested_trend(report, label, len(points)))
    known = {(metric, time): value for metric, time, value, _ in points}
    if _has(folder, DASHBOARD):
        files.append(folder / DASHBOARD)
        label = f"{key}/{DASHBOARD.as_posix()}"
        board = read_json_object(inside(folder / DASHBOARD, root, label), label)
        if not any(board.get(field) is not None and not _is_light(board, field) for field in (*_SCORE_KEYS, *_COUNTS)):
            warnings.append(_nothing_read(board, label, (*_SCORE_KEYS, *_COUNTS)))
        if isinstance(board.get("repository_name"), str):
            name = _short(board["repository_name"], f"{label}, repository_name", MAX_NAME)
        for point in _dashboard_points(board, label, assume_tz):
            metric, time, value, where = point
            if not math.isnan(value) and known.get((metric, time), value) != value:
                warnings.append(f"{where}: {metric} {value:g} differs from the trend report; the trend report is used")
            elif (metric, time) not in known:
                points.append(point)
    if _has(folder, ALERTS):
        files.append(folder / ALERTS)
        label = f"{key}/{ALERTS.as_posix()}"
        content = read_json(inside(folder / ALERTS, root, label), label)
        listed, notes = read_alerts(content, key, label, assume_tz)
        alerts += listed
        warnings += notes
        if isinstance(content, dict):
            alerts += _unlisted(content, key, label, listed, warnings)
    samples = tuple(_samples(key, points)) if points else ()
    return Artefacts(Repo(key, name), samples, tuple(alerts), tuple(files), tuple(warnings))


def read_json_object(path: Path, label: str) -> dict[str, object]:
    """Return a JSON file whose top level is an object.

    Raises
    ------
    InputError
        If it is anything else; the message names file and row.
    """
    content = read_json(path, label)
    if not isinstance(content, dict):
        raise InputError(f"{label}: {type(content).__name__} at top level; an object is needed")
    return content


def _trend_points(
    report: dict[str, object], label: str, assume_tz: ZoneInfo | None
) -> Iterator[tuple[str, int, float, str]]:
    for key in _HISTORY_KEYS:
        entries = report.get(key)
        if entries is None:
            continue
        if not isinstance(entries, list):
            raise InputError(f"{label}: {key}: a list is needed, {type(entries).__name__} was found")
        _refuse_many(entries, f"{label}: {key}")
        for number, entry in enumerate(entries, start=1):
            where = f"{label}, {key} entry {number}"
            if not isinstance(entry, dict) or "timestamp" not in entry:
                raise InputError(f"{where}: an object with timestamp and score is needed")
            time = to_micros(read_time(entry["timestamp"], f"{where}, timestamp", assume_tz))
            for metric, field in (("health_score", "score"), *((count, count) for count in _COUNTS)):
                if entry.get(field) is not None:
                    yield metric, time, _number(entry[field], f"{where}, {field}"), f"{where}, {field}"
        return


def _dashboard_points(
    board: dict[str, object], label: str, assume_tz: ZoneInfo | None
) -> Iterator[tuple[str, int, float, str]]:
    # `overall_health` may be a traffic light, which is no score
    scores = [key for key in _SCORE_KEYS if board.get(key) is not None and not _is_light(board, key)]
    fields = [("health_score", key) for key in scores[:1]]
    fields += [(count, count) for count in _COUNTS if board.get(count) is not None]
    if not fields:
        return
    if board.get("scan_timestamp") is None:
        raise InputError(f"{label}: scan_timestamp is missing; a score without a time cannot be used")
    time = to_micros(read_time(board["scan_timestamp"], f"{label}, scan_timestamp", assume_tz))
    for metric, field in fields:
        yield metric, time, _number(board[field], f"{label}, {field}"), f"{label}, {field}"


def _unlisted(
    content: dict[str, object], repo: str, label: str, listed: tuple[ReportedAlert, ...], warnings: list[str]
) -> Iterator[ReportedAlert]:
    """Critical alerts that the file counts but does not list; of others a warning."""
    critical = sum(read_severity(alert.severity) is AlertSeverity.CRITICAL for alert in listed)
    for field, there in (("critical_alerts", critical), ("total_alerts", len(listed))):
        if content.get(field) is None:
            continue
        missing = _number(content[field], f"{label}, {field}") - there
        if missing > 0 and field == "critical_alerts":
            yield ReportedAlert(repo, "CRITICAL", f"critical alerts that are counted but not listed: {missing:g}", None)
        elif missing != 0:
            warnings.append(f"{label}: {field} is {content[field]}, {there} are listed")


def _untested_trend(report: dict[str, object], label: str, points: int) -> str:
    told = [
        f"{word} {_text(report[field])[:20]}"
        for field, word in (("trend_confidence", "confidence"), ("score_volatility", "volatility"))
        if report.get(field) is not None
    ]
    said = f" ({', '.join(told)})" if told else ""
    return (
        f"{label}: overall_trend is {_text(report['overall_trend'])[:40]!r}{said}; "
        f"{points} points are too few to test it, so it is not taken over"
    )


def _is_light(board: dict[str, object], key: str) -> bool:
    return key == "overall_health" and isinstance(board[key], str)


def _nothing_read(content: dict[str, object], label: str, needed: tuple[str, ...]) -> str:
    keys = ", ".join(map(str, content))[:200] or "nothing"
    return f"{label}: nothing was read: none of {', '.join(needed)} is there as it is needed; found: {keys}"


def _refuse_many(entries: list[object], where: str) -> None:
    if len(entries) > MAX_EVENTS:
        raise InputError(f"{where}: {len(entries)} entries; up to {MAX_EVENTS} are allowed")


def _short(value: object, where: str, most: int) -> str:
    text = _text(value)
    if len(text) > most:
        raise InputError(f"{where}: a text of {len(text)} characters; up to {most} are allowed")
    return text


def _text(value: object) -> str:
    """Text that UTF-8 can carry: JSON may escape half of a surrogate pair, which is shown as ``?``; null is empty."""
    return "" if value is None else str(value).encode("utf-8", "replace").decode("utf-8")


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{where}: {str(value)[:60]!r} is not a number")
    try:
        return float(value)
    except OverflowError as error:
        raise InputError(f"{where}: a whole number too large to compute with") from error


def _samples(repo: str, points: list[tuple[str, int, float, str]]) -> Iterator[Samples]:
    # one origin a point: an artefact names the entry, not a row
    metrics = tuple(sorted({metric for metric, *_ in points}))
    yield Samples(
        (repo,),
        metrics,
        np.zeros(len(points), dtype=np.int32),
        np.array([metrics.index(metric) for metric, *_ in points], dtype=np.int32),
        np.array([time for _, time, _, _ in points], dtype=np.int64),
        np.array([value for *_, value, _ in points], dtype=np.float64),
        tuple(Origin(where, 1, 0) for *_, where in points),
    )
