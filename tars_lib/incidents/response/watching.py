"""Watching: one run after another, what each one changed, and the course of every propagation path.

The playbook's at-risk monitoring: hourly, every 15 minutes while an SLA is at risk or breached.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tars_lib.engines.difference import Difference
from tars_lib.engines.queries.run_difference import compare
from tars_lib.incidents.response.acts import Writer, note
from tars_lib.incidents.response.observing import record_run
from tars_lib.incidents.store.journal import Written, read_incident
from tars_lib.incidents.views.overdue import overdue_in
from tars_lib.incidents.views.run_facts import find_run
from tars_lib.model.names import SlaStatus
from tars_lib.pipeline import RUN_PREFIX, Run, analyze, latest_run, load_run, now, write_run
from tars_lib.pipeline.loading import load_org
from tars_lib.playbook.escalation import NOTHING_OVERDUE
from tars_lib.text.times import MINUTES

CALM = timedelta(hours=1)
TENSE = timedelta(minutes=15)
"""Between runs: the playbook's "Run checks every 15 min instead of hourly"."""

_TENSE = (SlaStatus.AT_RISK, SlaStatus.BREACHED)


@dataclass(frozen=True, slots=True)
class Round:
    """One run of a watch.

    Attributes
    ----------
    has_new_data : bool
        Its data goes further than that of the run before.
    changes : tuple of Difference
        Against the run before, worst first; empty without one.
    impacts : Mapping of str to float
        Propagation path to its impact score, 0-100.
    """

    run_id: str
    directory: str
    as_of: datetime
    exit_code: int
    finding: str
    has_new_data: bool
    changes: tuple[Difference, ...]
    impacts: Mapping[str, float]


def baseline(outdir: Path, writer: Writer | None) -> Run | None:
    """Return the run that the first round is compared with: the incident's last one, else the newest in `outdir`."""
    if writer is not None:
        incident = read_incident(writer.folder)
        known = None if incident is None else incident.after or incident.before
        return None if known is None else find_run(known, writer.folder)
    there = [path for path in outdir.glob(f"{RUN_PREFIX}*") if path.is_dir()]
    return load_run(latest_run(there)) if there else None


def look(
    root: Path, outdir: Path, last: Run | None, assume_tz: str | None = None, register: Path | None = None
) -> tuple[Run, Round]:
    """Run the pipeline once and compare.

    Parameters
    ----------
    root, outdir : Path
        The org-health folder, and where run directories go.
    register : Path, optional
        Incidents whose overdue escalations become alerts of the run.
    """
    org = load_org(root, assume_tz=assume_tz)
    late = NOTHING_OVERDUE if register is None else overdue_in(register, now())
    run = load_run(write_run(analyze(org, None, overdue=late), outdir, root=root))
    changes = () if last is None else compare(last.reports, run.reports)
    paths = run.temporal.propagation_paths
    return run, Round(
        run_id=run.run_id,
        directory=str(run.directory),
        as_of=run.status.as_of,
        exit_code=run.status.exit_code,
        finding=run.status.finding,
        has_new_data=last is None or run.status.as_of > last.status.as_of,
        changes=changes,
        impacts={" -> ".join(path.path): path.impact_score for path in paths},
    )


def pause(run: Run, every: timedelta | None) -> timedelta:
    """Say how long until the next run: `every`, else an hour, or 15 minutes while an SLA is at risk or breached."""
    if every is not None:
        return every
    return TENSE if any(result.status in _TENSE for result in run.sla.compliance_results) else CALM


def courses(rounds: Sequence[Round]) -> dict[str, tuple[float, ...]]:
    """Impact score of every path over the rounds, 0 where it was absent.

    Examples
    --------
    >>> from datetime import UTC
    >>> time = datetime(2026, 1, 5, tzinfo=UTC)
    >>> one = Round("r1", "r1", time, 132, "CRITICAL_PROPAGATION", True, (), {"a -> b": 60.0})
    >>> other = Round("r2", "r2", time, 0, "NONE", True, (), {})
    >>> courses([one, other])
    {'a -> b': (60.0, 0.0)}
    """
    names = dict.fromkeys(name for look_back in rounds for name in look_back.impacts)
    return {name: tuple(look_back.impacts.get(name, 0.0) for look_back in rounds) for name in names}


def keep(writer: Writer, run: Run, rounds: Sequence[Round]) -> Written:
    """Write the last round into the incident: as its run after containment, or, without new data, as a note.

    A note does not overwrite what an earlier run said of containment.

    Raise InputError if the incident takes no runs any more.
    """
    last = rounds[-1]
    course = "; ".join(
        f"impact_score of {name}: {', '.join(f'{value:.0f}' for value in values)}"
        for name, values in courses(rounds).items()
    )
    if last.has_new_data:
        return record_run(writer, run, course)
    text = f"watched: {last.run_id}: no new data since {last.as_of:{MINUTES}}"
    return note(writer, f"{text}; {course}" if course else text)
