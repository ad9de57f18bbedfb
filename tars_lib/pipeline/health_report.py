"""Load an organisation from a health report and the Parquet history beside it."""

from __future__ import annotations

import os
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from tars_lib.engines.health.report import HealthReport, HistoryParts
from tars_lib.engines.queries.standing import Organisation
from tars_lib.errors import InputError
from tars_lib.files.json_records import read_json, read_record
from tars_lib.files.limits import MAX_TABLE_BYTES
from tars_lib.files.reading import inside, open_regular, sha256_of
from tars_lib.legacy.org_report import is_legacy, read_legacy_report
from tars_lib.model.admission import admit
from tars_lib.model.history import History, to_micros
from tars_lib.model.organisation import OrgData
from tars_lib.model.samples import Gathering
from tars_lib.model.slo import counted_together
from tars_lib.model.spelling import Spelling, respelt
from tars_lib.pipeline.sealed import refuse_altered
from tars_lib.pipeline.stamping import clock
from tars_lib.sources.tidy import tidy_parts


def load_report(path: Path) -> tuple[OrgData, HealthReport]:
    """Read a health report and its history.

    Parameters
    ----------
    path : Path
        `org-health-report.json`; the history is looked for beside it under the name that the report gives.

    Raises
    ------
    InputError
        If the report cannot be read, or its history is missing or altered; the message names the file.
    """
    refuse_altered(path)
    report = read_record(HealthReport, path)
    history = History((), (), np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(1, dtype=np.int64))
    reference = report.history
    if reference.parts is not None:
        history = _read_parts(report, reference.parts, path)
    elif reference.path is None and (reference.samples or reference.sha256 is not None):
        raise InputError(
            f"{path}: history.path is null, and the report rests on {reference.samples} samples; a report with its history "
            "beside it is needed, as --output writes it"
        )
    elif reference.path is not None:
        if Path(reference.path).name != reference.path:
            raise InputError(
                f"{path}: history.path {reference.path!r}: the name of a file beside the report is allowed"
            )
        beside = path.parent / reference.path
        if not beside.is_file():
            raise InputError(f"{beside}: missing; the numbers of {path.name} are in it")
        with open_regular(beside, str(beside), MAX_TABLE_BYTES):
            _refuse_another(beside, reference.sha256, path.name)
        gathering = Gathering()
        gathering.add(partial(tidy_parts, beside, str(beside), None))
        history = admit(gathering.all(), report.org.metrics, is_settled=True)
    if len(history) != reference.samples:
        where = path if reference.path is None else path.parent / reference.path
        raise InputError(
            f"{where}: holds {len(history)} samples, but {path.name} says {reference.samples}: one of them was altered"
        )
    described = report.org
    return (
        Organisation(
            name=described.name,
            repos=described.repos,
            history=history.over(tuple(repo.repo for repo in described.repos)),
            dependencies=described.dependencies,
            metrics=described.metrics,
            events=described.events,
            policies=report.policies,
            policies_from=described.policies_from,
            slos=described.slos,
            stamp_at_end=described.stamp_at_end,
            asked_until=to_micros(report.as_of),
            reported_alerts=described.reported_alerts,
            rules=described.rules,
            inputs=report.inputs,
            warnings=report.warnings,
        ),
        report,
    )


def _read_parts(report: HealthReport, parts: HistoryParts, path: Path) -> History:
    """Return the history of a report that refers to the files of its root.

    Raises
    ------
    InputError
        If a file is missing or is not what it was.
    """
    root = Path(os.path.normpath(path.parent.resolve() / parts.root))
    gathering = Gathering()
    for file in parts.files:
        table = root / file.path
        if not table.is_file():
            raise InputError(f"{table}: missing; numbers of {path.name} are in it")
        inside(table, root, file.path)
        with open_regular(table, str(table), MAX_TABLE_BYTES):
            _refuse_another(table, file.sha256, path.name)
        zone = None if parts.zone is None else ZoneInfo(parts.zone)
        gathering.add(partial(tidy_parts, table, file.path, zone))
    samples = respelt(gathering.all(), Spelling(parts.repos, ()), Spelling(parts.metrics, ()))
    return admit(samples, report.org.metrics, counted_together(report.policies)).until(to_micros(report.as_of))


def _refuse_another(path: Path, digest: str | None, report: str) -> None:
    """Refuse a file that has another digest than a report says.

    Raises
    ------
    InputError
    """
    actual = sha256_of(path)
    if actual != digest:
        raise InputError(f"{path}: altered; sha256 {actual[:12]}..., but {report} says {str(digest)[:12]}...")


def load_org_report(path: Path, assume_tz: ZoneInfo | None = None) -> tuple[OrgData, datetime | None]:
    """Organisation of a health report, of this package or of the predecessor, and the time that it was judged at.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    content = read_json(path)
    if is_legacy(content):
        return Organisation.of(read_legacy_report(path, content, assume_tz, clock())), None
    org, report = load_report(path)
    return org, report.as_of
