"""The ordered steps from an organisation to a run directory, in process."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tars_lib.engines.alert_report import AlertReport
from tars_lib.engines.alerts import assess_alerts
from tars_lib.engines.correlation import assess_correlation
from tars_lib.engines.correlation_report import CorrelationReport
from tars_lib.engines.evidence import MAX_LAG, gather_evidence
from tars_lib.engines.health import assess_health
from tars_lib.engines.health_report import HealthReport
from tars_lib.engines.report import SCHEMA_VERSION, Report, Stamp
from tars_lib.engines.sla import assess_slas
from tars_lib.engines.sla_report import SlaReport
from tars_lib.engines.temporal import assess_temporal
from tars_lib.engines.temporal_report import TemporalReport
from tars_lib.engines.upstream import join_upstream
from tars_lib.engines.verdict import INFORMING
from tars_lib.errors import ConfigError, InputError, ReportError, VerificationError
from tars_lib.exit_codes import EXIT_CODES, highest
from tars_lib.org import OrgData
from tars_lib.playbook.escalation import NOTHING_OVERDUE, Overdue
from tars_lib.policies import Window
from tars_lib.records import (
    PARTIAL,
    dumps,
    flush_folder,
    leftovers,
    read_record,
    record_text,
    write_bytes,
    write_text,
)
from tars_lib.reports.glance import glance
from tars_lib.reports.html import preview
from tars_lib.reports.plain import plain_text
from tars_lib.reports.summary import executive_summary
from tars_lib.schema import InputFile
from tars_lib.sources.report import history_bytes, load_report
from tars_lib.times import read_time

if TYPE_CHECKING:
    from tars_lib.reports.blocks import Block
    from tars_lib.reports.bulk import Job, Outcome

logger = logging.getLogger(__name__)

R = TypeVar("R", bound=Report)

HEALTH_FILE = "org-health-report.json"
ALERTS_FILE = "org-alerts.json"
CORRELATION_FILE = "trend-correlation-report.json"
TEMPORAL_FILE = "temporal-intelligence-report.json"
SLA_FILE = "sla-intelligence-report.json"
CONTEXT_FILE = "incident-context.json"
SUMMARY_FILE = "executive-summary.md"
STATUS_FILE = "status.json"
MANIFEST_FILE = "manifest.json"
RUN_PREFIX = "tars-run-"
_STAGED = f".{RUN_PREFIX}"
_RUN_NAME = re.compile(r"tars-run-(\d{8}-\d{6})(?:-(\d+))?")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Analysis:
    """What the engines found in an organisation at one time."""

    org: OrgData
    as_of: datetime
    health: HealthReport
    alerts: AlertReport
    correlation: CorrelationReport
    temporal: TemporalReport
    sla: SlaReport

    @property
    def codes(self) -> dict[str, int]:
        """Engine to the exit code of its report."""
        engines = ("health", "alerts", "correlation", "temporal", "sla")
        return {engine: getattr(self, engine).exit_code for engine in engines}

    @property
    def exit_code(self) -> int:
        """The finding that stands highest in the playbook's decision tree."""
        return highest(tuple(self.codes.values()))

    def blocks(self) -> tuple[Block, ...]:
        """What was found at a glance, as blocks of a report."""
        return glance(self.health, self.alerts, self.sla, self.exit_code, _asks(self.sla))

    def __repr__(self) -> str:
        return "\n".join(plain_text(block) for block in self.blocks())

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": preview(*self.blocks())}


@dataclass(frozen=True, slots=True, eq=False)
class Upstream:
    """Reports of other engines that were given; None: made in memory. `inputs` are their files."""

    alerts: AlertReport | None = None
    correlation: CorrelationReport | None = None
    temporal: TemporalReport | None = None
    inputs: tuple[InputFile, ...] = ()

    def mark(self, report: R) -> R:
        """The report with these files among its inputs, and a warning where one is of another time."""
        given = (self.alerts, self.correlation, self.temporal)
        others = [one for one in given if one is not None and one.as_of != report.as_of]
        notes = [
            f"{one.report_id} was judged as of {one.as_of:%Y-%m-%d %H:%M} UTC, this report as of "
            f"{report.as_of:%Y-%m-%d %H:%M} UTC"
            for one in others
        ]
        return replace(report, inputs=(*report.inputs, *self.inputs), warnings=(*report.warnings, *notes))


@dataclass(frozen=True, slots=True)
class StepStatus:
    """One step of a run: its report file and what it found."""

    step: str
    report: str
    exit_code: int
    finding: str


@dataclass(frozen=True, slots=True)
class RunStatus:
    """`status.json` of a run directory.

    `root` is the org-health folder as it was named to the run, null where nobody named it.
    """

    schema_version: str
    run_id: str
    generated_at: datetime
    as_of: datetime
    tool: str
    exit_code: int
    finding: str
    incident_type: str | None
    severity: str | None
    steps: tuple[StepStatus, ...]
    root: str | None = None


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """A file of a run directory."""

    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """`manifest.json`: every other file of a run directory."""

    schema_version: str
    run_id: str
    files: tuple[ManifestEntry, ...]


@dataclass(frozen=True, slots=True)
class IncidentContext:
    """`incident-context.json`: the five reports under the names that the playbook's dotted paths use."""

    org_health: HealthReport
    org_alerts: AlertReport
    trend_correlation: CorrelationReport
    temporal_intelligence: TemporalReport
    sla_intelligence: SlaReport


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Run:
    """A run directory read back."""

    directory: Path
    status: RunStatus
    org: OrgData
    health: HealthReport
    alerts: AlertReport
    correlation: CorrelationReport
    temporal: TemporalReport
    sla: SlaReport

    @property
    def run_id(self) -> str:
        """Name of the run."""
        return self.status.run_id

    def blocks(self) -> tuple[Block, ...]:
        """What the run found at a glance, as blocks of a report."""
        return glance(self.health, self.alerts, self.sla, self.status.exit_code, _asks(self.sla))

    def __repr__(self) -> str:
        return f"{self.run_id}\n" + "\n".join(plain_text(block) for block in self.blocks())

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": preview(*self.blocks())}


def _asks(sla: SlaReport) -> tuple[str, ...]:
    """What to type next, with names that are there."""
    first = [f".sla[{result.sla_id!r}].why()" for result in sla.compliance_results[:1]]
    return (*first, ".health.frame", ".sla.frame", ".alerts.frame", ".org.repo(name)")


def now() -> datetime:
    """The time that reports are stamped with, to the second: `SOURCE_DATE_EPOCH` where it is set, else the clock.

    Raises
    ------
    ConfigError
        If `SOURCE_DATE_EPOCH` is not a number of seconds.
    """
    pinned = os.environ.get("SOURCE_DATE_EPOCH")
    if not pinned:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        return datetime.fromtimestamp(int(pinned), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise ConfigError(f"SOURCE_DATE_EPOCH {pinned!r}: a whole number of seconds since 1970 is allowed") from error


def stamp() -> Stamp:
    """Clock and version for the head of reports."""
    from tars_lib import __version__

    return Stamp(now(), f"tars-incident-workbook {__version__}")


def analyze(
    org: OrgData,
    as_of: datetime | str | None = None,
    *,
    on_step: Callable[[str], None] | None = None,
    overdue: Overdue = NOTHING_OVERDUE,
) -> Analysis:
    """Run all engines over an organisation.

    Parameters
    ----------
    org : OrgData
        From `load_org`.
    as_of : datetime or str, optional
        Judge what was known at this time (a time zone is needed); default the last sample.
    on_step : callable, optional
        Told the name of each step before it begins.
    overdue : Overdue
        Rungs of incidents that become alerts; by default the register is not asked, and the result follows from the data.

    Returns
    -------
    Analysis
        ``.health``, ``.alerts``, ``.correlation``, ``.temporal`` and ``.sla``, each with a ``frame``.

    Raises
    ------
    InputError
        If there are samples, and none at or before `as_of`.
    """
    time = None if as_of is None else read_time(as_of, "as_of")
    mark = stamp()
    known, judged_at = org.at(time, mark.generated_at)
    tell = on_step or (lambda step: None)
    tell("health")
    health = assess_health(known, judged_at, mark)
    tell("sla")
    judged = assess_slas(known, judged_at, health, mark)
    tell("alerts")
    alerts = assess_alerts(known, judged_at, health, judged, mark, overdue)
    tell("correlation")
    evidence = gather_evidence(known)
    correlation = assess_correlation(known, judged_at, mark, evidence)
    tell("temporal")
    temporal = assess_temporal(known, judged_at, correlation, judged, mark, evidence=evidence)
    sla = join_upstream(judged, alerts, correlation, temporal)
    return Analysis(known, judged_at, health, alerts, correlation, temporal, sla)


def analyze_alerts(org: OrgData, as_of: datetime, overdue: Overdue = NOTHING_OVERDUE) -> AlertReport:
    """Alerts of an organisation as returned by `OrgData.at`; health and SLAs are judged in memory."""
    mark = stamp()
    health = assess_health(org, as_of, mark)
    return assess_alerts(org, as_of, health, assess_slas(org, as_of, health, mark), mark, overdue)


def analyze_correlation(org: OrgData, as_of: datetime) -> CorrelationReport:
    """Correlations and clusters of an organisation as returned by `OrgData.at`."""
    return assess_correlation(org, as_of, stamp())


def analyze_temporal(
    org: OrgData, as_of: datetime, given: Upstream | None = None, max_lag: int = MAX_LAG
) -> TemporalReport:
    """Lead-lag and propagation of an organisation as returned by `OrgData.at`; the rest is made in memory."""
    mark, upstream = stamp(), given or Upstream()
    evidence = gather_evidence(org, max_lag)
    health = assess_health(org, as_of, mark)
    # of the SLAs only what is left of the budgets is asked for, so no window informs
    judged = assess_slas(org, as_of, health, mark, ())
    clusters = upstream.correlation or assess_correlation(org, as_of, mark, evidence)
    return upstream.mark(assess_temporal(org, as_of, clusters, judged, mark, max_lag, evidence))


def analyze_slas(
    org: OrgData, as_of: datetime, given: Upstream | None = None, windows: tuple[Window, ...] = ()
) -> SlaReport:
    """SLAs of an organisation as returned by `OrgData.at`, with causes from all upstream engines.

    Parameters
    ----------
    org : OrgData
    as_of : datetime
    given : Upstream, optional
        Reports that are there already; what is missing is made in memory.
    windows : tuple of Window
        Measured besides the usual ones.
    """
    mark, upstream = stamp(), given or Upstream()
    health = assess_health(org, as_of, mark)
    judged = assess_slas(org, as_of, health, mark, (*windows, *(w for w in INFORMING if w not in windows)))
    if not judged.breaches:
        return upstream.mark(judged)
    alerts = upstream.alerts or assess_alerts(org, as_of, health, judged, mark)
    correlation, temporal = upstream.correlation, upstream.temporal
    if correlation is None or temporal is None:
        evidence = gather_evidence(org)
        correlation = correlation or assess_correlation(org, as_of, mark, evidence)
        temporal = temporal or assess_temporal(org, as_of, correlation, judged, mark, evidence=evidence)
    return upstream.mark(join_upstream(judged, alerts, correlation, temporal))


def read_upstream(
    alerts: Path | None = None, correlation: Path | None = None, temporal: Path | None = None
) -> Upstream:
    """Reports of other engines from their files.

    Raises
    ------
    InputError
        If one cannot be read.
    """
    files = [path for path in (alerts, correlation, temporal) if path is not None]
    return Upstream(
        None if alerts is None else read_record(AlertReport, alerts),
        None if correlation is None else read_record(CorrelationReport, correlation),
        None if temporal is None else read_record(TemporalReport, temporal),
        tuple(InputFile(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files),
    )


def write_run(
    analysis: Analysis, outdir: str | Path, *, timestamp: str | None = None, root: str | Path | None = None
) -> Path:
    """Write a run directory, whole or not at all.

    Parameters
    ----------
    analysis : Analysis
    outdir : path
        Made if need be.
    timestamp : str, optional
        ``YYYYMMDD-HHMMSS`` for the directory's name; default the present time in UTC.
    root : path, optional
        The org-health folder, to be written down as it is given here: whoever makes the next run needs it.

    Returns
    -------
    Path
        The run directory; its name gets a suffix ``-2``, ``-3``... where it is taken, and is the run's id.

    Raises
    ------
    ConfigError
        If the timestamp has another form.
    OSError
        If `outdir` cannot be written to; nothing is left behind.
    """
    name = run_name(timestamp)
    folder = Path(outdir)
    folder.mkdir(parents=True, exist_ok=True)
    with _staging(folder) as staged:
        own = staged.lstat()
        _fill(staged, analysis)
        if not os.path.samestat(own, staged.lstat()):
            raise ReportError(f"{staged}: exchanged for something else while the run was written; nothing was kept")
        return _settle(staged, folder, analysis, name, None if root is None else str(root))


def run_name(timestamp: str | None = None) -> str:
    """Name of a run directory for a time ``YYYYMMDD-HHMMSS``, by default the present one in UTC.

    Raises
    ------
    ConfigError
        If the timestamp has another form.
    """
    name = RUN_PREFIX + (now().strftime("%Y%m%d-%H%M%S") if timestamp is None else timestamp)
    try:
        parsed = datetime.strptime(name, f"{RUN_PREFIX}%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        parsed = None
    if parsed is None or parsed.strftime(f"{RUN_PREFIX}%Y%m%d-%H%M%S") != name:
        raise ConfigError(f"timestamp {timestamp!r}: YYYYMMDD-HHMMSS is allowed, such as 20260105-143000")
    return name


def load_run(directory: str | Path) -> Run:
    """Read a run directory.

    Raises
    ------
    InputError
        If it is not a run directory or a file in it cannot be read.
    VerificationError
        If a file is not what the manifest says.
    """
    folder = Path(directory)
    if not (folder / STATUS_FILE).is_file():
        raise InputError(f"{folder}: no run directory; one has {STATUS_FILE}, {MANIFEST_FILE} and the reports")
    status = read_record(RunStatus, folder / STATUS_FILE)
    manifest = read_record(Manifest, folder / MANIFEST_FILE)
    for entry in manifest.files:
        path = folder / Path(entry.path).name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != entry.sha256:
            raise VerificationError(f"{path}: {'altered' if path.exists() else 'missing'} since the run was written")
    org, health = load_report(folder / HEALTH_FILE)
    return Run(
        folder,
        status,
        org,
        health,
        read_record(AlertReport, folder / ALERTS_FILE),
        read_record(CorrelationReport, folder / CORRELATION_FILE),
        read_record(TemporalReport, folder / TEMPORAL_FILE),
        read_record(SlaReport, folder / SLA_FILE),
    )


def latest_run(matches: Sequence[Path]) -> Path:
    """The newest of several run directories, or of files in them, by the time in the directory's name.

    Examples
    --------
    >>> latest_run([Path("tars-run-20260105-143000-10"), Path("tars-run-20260105-143000-9")]).name
    'tars-run-20260105-143000-10'
    """

    def age(path: Path) -> tuple[str, int, str]:
        found = [match for part in path.parts if (match := _RUN_NAME.fullmatch(part))]
        return (found[-1][1], int(found[-1][2] or 1), str(path)) if found else ("", 0, str(path))

    return max(matches, key=age)


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    staged = folder / f"{_STAGED}{secrets.token_hex(8)}{PARTIAL}"
    staged.mkdir()
    made = staged.lstat()
    for old in leftovers(folder, _STAGED, made.st_mtime):
        shutil.rmtree(old, ignore_errors=True)
    try:
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _fill(staged: Path, analysis: Analysis) -> None:
    beside = HEALTH_FILE.replace(".json", ".history.parquet")
    samples = history_bytes(analysis.org.history)
    write_bytes(staged / beside, samples)
    extent = replace(analysis.health.history, path=beside, sha256=hashlib.sha256(samples).hexdigest())
    health = replace(analysis.health, history=extent)
    context = IncidentContext(health, analysis.alerts, analysis.correlation, analysis.temporal, analysis.sla)
    for file, report in (
        (HEALTH_FILE, health),
        (ALERTS_FILE, analysis.alerts),
        (CORRELATION_FILE, analysis.correlation),
        (TEMPORAL_FILE, analysis.temporal),
        (SLA_FILE, analysis.sla),
    ):
        write_text(staged / file, record_text(report))
    write_text(staged / CONTEXT_FILE, dumps(context))
    write_text(staged / SUMMARY_FILE, executive_summary(health, analysis.sla))


def _name(staged: Path, analysis: Analysis, name: str, root: str | None) -> None:
    """Write the two files that name the run."""
    write_text(staged / STATUS_FILE, record_text(_status(analysis, name, root)))
    files = sorted(path for path in staged.iterdir() if path.is_file() and path.name != MANIFEST_FILE)
    entries = tuple(_entry(path) for path in files)
    write_text(staged / MANIFEST_FILE, dumps(Manifest(SCHEMA_VERSION, name, entries)))


def _entry(path: Path) -> ManifestEntry:
    content = path.read_bytes()
    return ManifestEntry(path.name, hashlib.sha256(content).hexdigest(), len(content))


def _settle(staged: Path, folder: Path, analysis: Analysis, name: str, root: str | None) -> Path:
    """Name the finished directory and rename it into place; a name that is taken gets the next suffix."""
    for number in count(1):
        place = folder / (name if number == 1 else f"{name}-{number}")
        if os.path.lexists(place):
            continue
        _name(staged, analysis, place.name, root)
        try:
            staged.rename(place)
        except OSError:
            if not os.path.lexists(place):
                raise
            continue
        flush_folder(folder)
        return place
    raise AssertionError  # count() does not end


def _status(analysis: Analysis, name: str, root: str | None) -> RunStatus:
    steps: tuple[tuple[str, str, Report], ...] = (
        ("health", HEALTH_FILE, analysis.health),
        ("alerts", ALERTS_FILE, analysis.alerts),
        ("correlation", CORRELATION_FILE, analysis.correlation),
        ("temporal", TEMPORAL_FILE, analysis.temporal),
        ("sla", SLA_FILE, analysis.sla),
    )
    entry = EXIT_CODES[analysis.exit_code]
    return RunStatus(
        schema_version=SCHEMA_VERSION,
        run_id=name,
        generated_at=analysis.sla.generated_at,
        as_of=analysis.as_of,
        tool=analysis.sla.tool,
        exit_code=entry.code,
        finding=entry.finding,
        incident_type=entry.incident_type,
        severity=None if entry.severity is None else entry.severity.value,
        steps=tuple(StepStatus(step, file, report.exit_code, report.finding) for step, file, report in steps),
        root=root,
    )


def write_report(
    notebook: str,
    run: Path,
    output: Path | None,
    formats: tuple[str, ...],
    *,
    parameters: Mapping[str, object] | None = None,
) -> dict[str, Path]:
    """Execute a notebook on a run directory and export it.

    Parameters
    ----------
    notebook : str
        Name of a packaged notebook, or the path of one.
    run : Path
        Run directory; checked before a kernel starts.
    output : Path or None
        Folder for the executed notebook and the exports; default ``outputs/<run>``.
    formats : tuple of str
        ``html``, ``pdf``.
    parameters : mapping, optional
        Beyond `run_dir`.

    Returns
    -------
    dict of str to Path
        ``notebook`` and one entry a format.

    Raises
    ------
    InputError, VerificationError
        If the run cannot be read or was altered.
    ReportError
        If the notebook fails; it is kept, and not exported.
    """
    (outcome,) = write_reports({notebook: parameters or {}}, run, output, formats)
    if outcome.error is not None:
        raise outcome.error
    return dict(outcome.files)


def write_reports(
    notebooks: Mapping[str, Mapping[str, object]],
    run: Path,
    output: Path | None,
    formats: tuple[str, ...],
    *,
    workers: int = 2,
    on_done: Callable[[Outcome], None] | None = None,
) -> tuple[Outcome, ...]:
    """Execute several notebooks on a run directory and export them; one that fails stops no other.

    Parameters
    ----------
    notebooks : mapping
        Name or path of each to its parameters beyond `run_dir`.
    run, output, formats
        As for `write_report`.
    workers : int
        Kernels at once.
    on_done : callable, optional
        Told each outcome as it comes.

    Returns
    -------
    tuple of Outcome
        In the order of `notebooks`.

    Raises
    ------
    InputError, VerificationError, ReportError
        If the run cannot be read, `output` lies inside it, or a parameter is not allowed; no kernel was started then.
    """
    return write_reports_of({run: notebooks}, output, formats, workers=workers, on_done=on_done)


def write_reports_of(
    runs: Mapping[Path, Mapping[str, Mapping[str, object]]],
    output: Path | None,
    formats: tuple[str, ...],
    *,
    workers: int = 2,
    on_done: Callable[[Outcome], None] | None = None,
) -> tuple[Outcome, ...]:
    """Execute notebooks on several run directories and export them; all are checked before the first kernel starts.

    Parameters
    ----------
    runs : mapping
        Run directory to what `write_reports` takes for it.
    output : Path or None
        Of one run its folder; of several each gets ``<output>/<run>``. Default ``outputs/<run>``.
    formats, workers, on_done
        As for `write_reports`.

    Returns
    -------
    tuple of Outcome
        Run by run, in the order of `runs`.

    Raises
    ------
    InputError, VerificationError, ReportError
        As for `write_reports`.
    """
    from tars_lib.reports.bulk import run_jobs

    jobs = [job for run, notebooks in runs.items() for job in _jobs(run, notebooks, output, is_one=len(runs) == 1)]
    return run_jobs(jobs, formats, workers=workers, on_done=on_done)


def _jobs(run: Path, notebooks: Mapping[str, Mapping[str, object]], output: Path | None, *, is_one: bool) -> list[Job]:
    from tars_lib.reports.bulk import Job

    checked = load_run(run)
    folder = Path("outputs") / checked.run_id if output is None else output if is_one else output / checked.run_id
    sealed = run.resolve()
    if sealed in (folder.resolve(), *folder.resolve().parents):
        raise ReportError(
            f"output {folder}: lies inside the run directory {run}, which is sealed; allowed: any other folder"
        )
    return [
        Job(name, {"run_dir": str(sealed), **parameters}, folder, checked.status.generated_at)
        for name, parameters in notebooks.items()
    ]
