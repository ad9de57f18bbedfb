"""Load an organisation from a health report and the Parquet history beside it."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tars_lib.engines.health.report import HealthReport
from tars_lib.engines.queries.standing import Organisation
from tars_lib.errors import InputError
from tars_lib.files.json_records import read_json, read_record
from tars_lib.files.limits import MAX_TABLE_BYTES
from tars_lib.files.reading import open_regular
from tars_lib.legacy.org_report import is_legacy, read_legacy_report
from tars_lib.model.admission import admit
from tars_lib.model.history import History
from tars_lib.model.organisation import OrgData
from tars_lib.pipeline.sealed import refuse_altered
from tars_lib.pipeline.stamping import clock
from tars_lib.sources.tidy import read_tidy

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


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
    told = report.history
    if told.path is None and (told.samples or told.sha256 is not None):
        raise InputError(
            f"{path}: history.path is null, and the report rests on {told.samples} samples; a report with its history "
            "beside it is needed, as --output writes it"
        )
    if told.path is not None:
        if Path(told.path).name != told.path:
            raise InputError(f"{path}: history.path {told.path!r}: the name of a file beside the report is allowed")
        beside = path.parent / told.path
        if not beside.is_file():
            raise InputError(f"{beside}: missing; the numbers of {path.name} are in it")
        with open_regular(beside, str(beside), MAX_TABLE_BYTES) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != report.history.sha256:
            raise InputError(
                f"{beside}: altered; sha256 {digest[:12]}..., but {path.name} says {str(report.history.sha256)[:12]}..."
            )
        history = admit(read_tidy(beside, str(beside)), report.org.metrics, is_settled=True)
        if history.value.size != told.samples:
            raise InputError(
                f"{beside}: holds {history.value.size} samples, but {path.name} says {told.samples}: one of them was altered"
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
            reported_alerts=described.reported_alerts,
            rules=described.rules,
            inputs=report.inputs,
            warnings=report.warnings,
        ),
        report,
    )


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
