"""The leadership package: one folder with the reports, figures and numbers of a run, whole or not at all."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tars_lib.errors import ReportError
from tars_lib.files.atomic import replace_folder, staged_folder, write_bytes
from tars_lib.files.json_records import dumps
from tars_lib.files.reading import real, sha256_of
from tars_lib.files.scratch import scratch
from tars_lib.leadership.numbers import numbers_of
from tars_lib.pipeline import Run, load_run, write_reports
from tars_lib.reports.pages.contents import ContentsEntry, ContentsGroup, render_contents
from tars_lib.workbook.parameters.register import open_register, state_of

if TYPE_CHECKING:
    from tars_lib.reports.blocks.kinds import Block, FigureBlock
    from tars_lib.reports.notebooks.bulk import Outcome

DEFAULT_DIR = Path("release/leadership")
INDEX_FILE = "index.html"
PACKAGE_FILE = "package.json"
SCHEMA_VERSION = "1.0"
_ABOUT = {
    "executive_summary": "For leadership: verdict, narrative, scorecard, readiness, trends",
    "incident_report": "The whole incident: what broke and why, where it spreads, what contains it, what is unknown",
    "golden_path": "The response so far: minutes, clocks, whom to notify",
    "postmortem": "The review: timeline with sources, impact, action items, reviews",
}
_STEM = re.compile(r"[^a-z0-9]+")
_LONGEST_STEM = 48
_STAGED = ".tars-package-"


@dataclass(frozen=True, slots=True)
class PackageRequest:
    """Request to pack a run, the incident that it belongs to (empty: none), and where incidents live."""

    run_dir: Path
    incident_id: str = ""
    incidents_dir: Path | None = None


def write_package(
    request: PackageRequest,
    output: Path | None = None,
    *,
    workers: int = 2,
    on_done: Callable[[str], None] | None = None,
) -> Path:
    """Write the package of a run.

    Parameters
    ----------
    output : Path, optional
        The package's folder; default ``release/leadership/<run>``. An earlier package there is replaced, anything else is
        refused.
    on_done : callable, optional
        Told each report as it is written.

    Returns
    -------
    Path
        The folder: ``index.html``, ``package.json``, each report as HTML and PDF, ``figures/``, ``numbers/``.

    Raises
    ------
    InputError, VerificationError
        If the run cannot be read or was altered, or the register does not know the incident.
    ReportError
        If a report failed, or `output` lies inside the run or holds something else. Nothing is left behind then.
    """
    run = load_run(request.run_dir)
    target = output or DEFAULT_DIR / run.run_id
    _refuse(target, run)
    calls = _calls(request)
    with staged_folder(target.parent, ".tars-package-") as staged, scratch("package") as working:
        outcomes = write_reports(
            calls, request.run_dir, working, ("html", "pdf"), workers=workers,
            on_done=None if on_done is None else lambda outcome: on_done(outcome.job.name),
        )  # fmt: skip
        _fill(staged, run, request, outcomes)
        replace_folder(staged, target)
    return target


def reports_for(request: PackageRequest) -> tuple[str, ...]:
    """Return the notebooks of a package: leadership's page, the whole report, and for an incident of the register its response.

    Raises
    ------
    InputError
        If there is a register, and the incident is not in it.
    """
    return tuple(_calls(request))


def _calls(request: PackageRequest) -> dict[str, Mapping[str, object]]:
    """Notebook to its parameters."""
    from tars_lib.workbook.pages.executive_summary import case_of

    if not request.incident_id:
        return {"executive_summary": {}, "incident_report": {}}
    where = "" if request.incidents_dir is None else str(real(request.incidents_dir))
    about: Mapping[str, object] = {"incident_id": request.incident_id, "incidents_dir": where}
    case = case_of(open_register(where, ""), request.incident_id)
    names = ["executive_summary", "incident_report"]
    if case is not None:
        names.append("postmortem" if case.facts.is_over else "golden_path")
    return dict.fromkeys(names, about)


def _refuse(target: Path, run: Run) -> None:
    sealed = real(run.directory)
    if sealed in (real(target), *real(target).parents):
        raise ReportError(
            f"output {target}: lies inside the run directory {run.directory}, which is sealed; allowed: any other folder"
        )
    if not target.exists() and not target.is_symlink():
        return
    if target.is_symlink() and not target.exists():
        raise ReportError(
            f"output {target}: a link that leads nowhere; allowed: a new or empty folder, or an earlier package"
        )
    if not target.is_dir() or (any(target.iterdir()) and not (target / PACKAGE_FILE).is_file()):
        raise ReportError(
            f"output {target}: is there already and is no package; allowed: a new or empty folder, or an earlier package"
        )


def _fill(staged: Path, run: Run, request: PackageRequest, outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        if outcome.error is not None:
            name = outcome.job.name
            raise ReportError(
                f"{' '.join(str(outcome.error).split()).partition('; the failed notebook')[0]}; "
                f"`tars report {name} --run {request.run_dir}` keeps the failed notebook"
            ) from outcome.error
    reports = ContentsGroup("Reports", tuple(entry for outcome in outcomes for entry in _reports(staged, outcome)))
    figures = ContentsGroup("Figures, as vector and as pixels", tuple(_figures(staged, outcomes)))
    numbers = []
    for table in numbers_of(run):
        write_bytes(staged / "numbers" / f"{table.name}.csv", table.content)
        numbers.append(ContentsEntry(table.about, (("CSV", f"numbers/{table.name}.csv"),)))
    title = _title(run, request)
    page = render_contents(
        title, (reports, figures, ContentsGroup("Numbers, unrounded", tuple(numbers))), run.status.generated_at
    )
    write_bytes(staged / INDEX_FILE, page.encode("utf-8"))
    files = sorted(path for path in staged.rglob("*") if path.is_file())
    document = {
        "schema_version": SCHEMA_VERSION,
        "run_id": run.run_id,
        "incident_id": request.incident_id or None,
        "generated_at": run.status.generated_at,
        "as_of": run.sla.as_of,
        "tool": run.status.tool,
        "numbers": {row[0]: row[1] for row in numbers_of(run)[0].rows},
        "files": [
            {
                "path": path.relative_to(staged).as_posix(),
                "sha256": sha256_of(path),
                "bytes": path.stat().st_size,
            }
            for path in files
        ],
    }
    write_bytes(staged / PACKAGE_FILE, dumps(document).encode("utf-8"))


def _reports(staged: Path, outcome: Outcome) -> list[ContentsEntry]:
    links = []
    for form in ("pdf", "html"):
        content = outcome.files[form].read_bytes()
        write_bytes(staged / outcome.files[form].name, content)
        links.append((f"{form.upper()}, {max(1, round(len(content) / 1024))} KB", outcome.files[form].name))
    return [ContentsEntry(_ABOUT[outcome.job.name], tuple(links))]


def _figures(staged: Path, outcomes: Sequence[Outcome]) -> list[ContentsEntry]:
    """Return each figure once, in the order of the reports, under a name that says what it shows."""
    from tars_lib.reports.blocks.document import read_blocks
    from tars_lib.reports.blocks.kinds import FigureBlock

    entries = []
    seen: set[bytes] = set()
    for outcome in outcomes:
        notebook = json.loads(outcome.files["notebook"].read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            cell["source"] = "".join(cell["source"])
        for block in read_blocks(notebook):
            if not isinstance(block, FigureBlock) or block.svg in seen:
                continue
            seen.add(block.svg)
            stem = f"{len(seen):02d}-{_stem(block)}"
            for form, content in (("svg", block.svg), ("png", block.png)):
                write_bytes(staged / "figures" / f"{stem}.{form}", content)
            links = tuple((form.upper(), f"figures/{stem}.{form}") for form in ("svg", "png"))
            entries.append(ContentsEntry(block.alt, links))
    return entries


def _stem(block: FigureBlock) -> str:
    first = block.alt.partition(".")[0].encode("ascii", "ignore").decode().lower()
    return _STEM.sub("-", first)[:_LONGEST_STEM].strip("-") or "figure"


def _title(run: Run, request: PackageRequest) -> tuple[Block, ...]:
    from tars_lib.workbook.pages import executive_summary as executive
    from tars_lib.workbook.pages import incident_report as incident

    where = "" if request.incidents_dir is None else str(request.incidents_dir)
    head = executive.title(run, request.incident_id, state_of(run, request.incident_id, where))
    return (replace(head, title=f"Leadership package: {run.health.org.name}"), incident.key_figures(run))
