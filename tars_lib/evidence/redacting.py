"""Redaction of a bundle: the runs and the incident before a notebook is executed, the rest before it is sealed.

A picture or a PDF cannot be edited, so nothing that holds one is made before the data are redacted: the kernels see the
redacted runs alone. What is left out and what was replaced stands in ``redaction-report.json``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tars_lib.engines.health.report import HealthReport
from tars_lib.engines.sla.report import SlaReport
from tars_lib.errors import InputError, VerificationError
from tars_lib.evidence.incident_part import IncidentPart
from tars_lib.evidence.payload import Payload
from tars_lib.evidence.runs import PackedRun
from tars_lib.files.json_records import dumps, from_json
from tars_lib.pipeline import HEALTH_FILE, SLA_FILE, SUMMARY_FILE
from tars_lib.redaction.payload import REPORT_FILE, Redaction, Unsearched
from tars_lib.redaction.sealed import redact_records
from tars_lib.reports.summaries.executive_summary import executive_summary

_NOTE = (
    f"REDACTED. {REPORT_FILE} says what was replaced and left out, and names the files that were not searched afterwards: "
    "PDF and pictures, which were made from redacted data."
)


def redact_sources(
    packed: Sequence[PackedRun], part: IncidentPart | None, redaction: Redaction
) -> tuple[list[PackedRun], IncidentPart | None]:
    """Return runs and incident with placeholders; the runs are whole again, under manifests of their own.

    Raise InputError if a run cannot be read any more once it is redacted; the message says which rule's work to look at.
    """
    files = {} if part is None else dict(part.files)
    for packed_run in packed:
        files |= {f"runs/{packed_run.name}/{name}": content for name, content in packed_run.files.items()}
    made = redact_records(files, redaction, _summary_again)
    runs = []
    for packed_run in packed:
        inside = {name: made[f"runs/{packed_run.name}/{name}"] for name in packed_run.files}
        if not packed_run.faults:
            _check(inside, packed_run.name)
        runs.append(replace(packed_run, files=inside, faults=tuple(map(redaction.redactor.text, packed_run.faults))))
    if part is None:
        return runs, None
    return runs, replace(part, files={path: made[path] for path in part.files})


def redact_rest(payload: Payload, redaction: Redaction) -> Payload:
    """Return everything else with placeholders, and the report; pages and pictures are made from what this returns."""
    rendered = [path for path in payload.files if path.startswith("reports/")]
    files, report = redaction.payload(payload.files, rendered)
    text = redaction.redactor.text
    return replace(
        payload,
        files={**files, REPORT_FILE: report.text.encode()},
        partial=tuple(map(text, payload.partial)),
        absent={topic: text(reason) for topic, reason in payload.absent.items()},
        notes=(*payload.notes, _NOTE),
    )


def name_unsearched(payload: Payload, unsearched: Sequence[Unsearched]) -> Payload:
    """Return the finished payload whose report names the files in which no rule could look for what is left."""
    report = json.loads(payload.files[REPORT_FILE]) | {"not_searched": unsearched}
    return payload.with_files({REPORT_FILE: dumps(report).encode()})


def refuse_remains(payload: Payload, name: str, redaction: Redaction) -> None:
    """Look through everything that is to be sealed once more.

    Raise VerificationError if a rule still finds something.
    """
    left = redaction.remaining(payload.files)
    left += [("the bundle's name", span.rule) for span in redaction.redactor.find(name)]
    left += [("the identifier", span.rule) for span in redaction.redactor.find(payload.identifier)]
    if left:
        where = "; ".join(f"{path}: {rule}" for path, rule in left[:5])
        raise VerificationError(f"redaction left {len(left)} matches ({where}); nothing was written")


def _summary_again(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The summary of a run from its redacted reports: it shortens names, so its text cannot be redacted after the fact."""
    if not {HEALTH_FILE, SLA_FILE, SUMMARY_FILE} <= files.keys():
        return {}
    try:
        health = from_json(HealthReport, json.loads(files[HEALTH_FILE]), HEALTH_FILE)
        sla = from_json(SlaReport, json.loads(files[SLA_FILE]), SLA_FILE)
    except (ValueError, InputError):
        return {}
    return {SUMMARY_FILE: executive_summary(health, sla).encode()}


def _check(files: Mapping[str, bytes], name: str) -> None:
    for file, kind in ((HEALTH_FILE, HealthReport), (SLA_FILE, SlaReport)):
        try:
            from_json(kind, json.loads(files[file]), file)
        except (KeyError, ValueError, InputError) as error:
            raise InputError(
                f"{name}: not readable any more once it is redacted: {error}; a rule of the redaction file takes what "
                "reports need, such as a time, a number or an enumeration"
            ) from error
