"""Files of a bundle by line of the playbook's evidence section, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from tars_lib.evidence.payload import Payload
from tars_lib.files.json_records import dumps
from tars_lib.text.visible import markdown_text

INDEX_JSON = "compliance-index.json"
INDEX_TEXT = "compliance-index.md"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the evidence section, or of what this project adds to it.

    `needed` are patterns of files, each of which must match for the line to be answered; `also` match files that help.
    `field` is the place inside the first file; `topic` the key of `Payload.absent` that says why it is not there.
    """

    section: str
    line: str
    needed: tuple[str, ...]
    also: tuple[str, ...] = ()
    field: str = ""
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Files of a bundle that answer a line; `reason` says why files are missing, empty where none is."""

    section: str
    line: str
    status: str
    files: tuple[str, ...]
    field: str
    reason: str


_STANDARD = "Evidence Collection: Standard Evidence Bundle"
_MANUAL = "Evidence Collection: Manual Evidence Collection"
_MODES = "Evidence Collection: JSON and Summary-Only Modes"
_LEADERSHIP = "Evidence Collection: Leadership Evidence Package"
_BEYOND = "Beyond the playbook"
_SLA = "runs/*/sla-intelligence-report.json"

LINES = (
    Line(
        _STANDARD, "Incident-specific run by the pipeline orchestrator", ("runs/*/status.json", "runs/*/manifest.json")
    ),
    Line(_STANDARD, "Evidence bundle that can be checked", ("environment.json",), ("inputs.json",)),
    Line(
        _MANUAL,
        "org-health-report.json",
        ("runs/*/org-health-report.json", "runs/*/org-health-report.history.parquet"),
        topic="samples",
    ),
    Line(_MANUAL, "org-alerts.json", ("runs/*/org-alerts.json",)),
    Line(_MANUAL, "trend-correlation.json", ("runs/*/trend-correlation-report.json",)),
    Line(_MANUAL, "temporal-intelligence.json", ("runs/*/temporal-intelligence-report.json",)),
    Line(_MANUAL, "sla-intelligence.json", (_SLA,)),
    Line(_MODES, "JSON output for automated processing", (_SLA, "runs/*/incident-context.json")),
    Line(_MODES, "Summary for human communication", ("runs/*/executive-summary.md",)),
    Line(
        _LEADERSHIP,
        "Executive Summary",
        (_SLA, "reports/*/executive_summary.pdf", "reports/*/executive_summary.html"),
        ("runs/*/executive-summary.md",),
        "executive_readiness",
    ),
    Line(_LEADERSHIP, "Risk Narrative", (_SLA, "reports/*/executive_summary.pdf"), field="risk_narrative"),
    Line(_LEADERSHIP, "SLA Scorecard", (_SLA, "reports/*/executive_summary.pdf"), field="scorecard"),
    Line(
        _LEADERSHIP,
        "Trend Visualization (if available)",
        ("figures/*/executive_summary-*.svg",),
        ("figures/*.svg", "figures/*.png", "figures/captions.json"),
    ),
    Line(_BEYOND, "Incident record", ("incident/*/incident.json",), topic="incident"),
    Line(_BEYOND, "Timeline, chained by digests", ("incident/*/timeline.jsonl",), topic="incident"),
    Line(
        _BEYOND, "Run before and run after containment, and their difference", ("difference.json",), topic="difference"
    ),
    Line(_BEYOND, "Executed notebooks", ("reports/*.ipynb",), ("reports/*.html", "reports/*.pdf")),
    Line(_BEYOND, "Digests of the inputs", ("inputs.json",), topic="inputs"),
    Line(_BEYOND, "The inputs themselves", ("inputs/*",), topic="inputs"),
    Line(_BEYOND, "SLA policies in force", ("rules/sla-policies.json",), topic="policies"),
    Line(_BEYOND, "Playbook in force", ("rules/playbook.json",), ("rules/playbook-own.yaml",)),
    Line(_BEYOND, "Environment", ("environment.json",)),
)


def answers(payload: Payload) -> tuple[Answer, ...]:
    """Return one answer a line, in the order of the playbook."""
    return tuple(_answer(line, payload) for line in LINES)


def index_files(payload: Payload) -> dict[str, bytes]:
    """Return the index as JSON and as a page."""
    answered = answers(payload)
    missing = sum(answer.status != "ANSWERED" for answer in answered)
    document = {
        "identifier": payload.identifier,
        "partial": list(payload.partial),
        "notes": list(payload.notes),
        "missing": missing,
        "lines": list(answered),
    }
    return {INDEX_JSON: dumps(document).encode(), INDEX_TEXT: _page(payload, answered, missing).encode()}


def _answer(line: Line, payload: Payload) -> Answer:
    gaps = [pattern for pattern in line.needed if not _matches(pattern, payload)]
    files = tuple(dict.fromkeys(path for pattern in (*line.needed, *line.also) for path in _matches(pattern, payload)))
    status = "ANSWERED" if not gaps else "PARTLY" if len(gaps) < len(line.needed) else "MISSING"
    reason = ""
    if gaps:
        why = payload.absent.get(line.topic) or (payload.partial[0] if payload.partial else "no such file was made")
        reason = f"no {', '.join(gaps)}: {why}"
    return Answer(line.section, line.line, status, files, line.field, reason)


def _matches(pattern: str, payload: Payload) -> list[str]:
    return [path for path in sorted(payload.files) if fnmatchcase(path, pattern)]


def _page(payload: Payload, answered: tuple[Answer, ...], missing: int) -> str:
    lines = [f"# Evidence of {payload.identifier}", ""]
    if payload.partial:
        lines += [
            "**PARTIAL: this evidence is not whole.**",
            "",
            *(f"- {markdown_text(gap)}" for gap in payload.partial),
            "",
        ]
    lines += [f"**{markdown_text(note)}**\n" for note in payload.notes]
    lines += [f"{len(answered) - missing} of {len(answered)} lines are answered. Paths are below `data/`.", ""]
    section = ""
    for answer in answered:
        if answer.section != section:
            section = answer.section
            lines += [f"## {section}", "", "| line | status | files |", "|---|---|---|"]
        where = f" (`{answer.field}`)" if answer.field else ""
        cell = "<br>".join(f"`{path}`" for path in answer.files)
        reason = f"{'<br>' if cell else ''}{markdown_text(answer.reason)}" if answer.reason else ""
        lines.append(f"| {answer.line}{where} | {answer.status} | {cell}{reason} |")
        following = answered[answered.index(answer) + 1 :]
        if not following or following[0].section != section:
            lines.append("")
    return "\n".join(lines)
