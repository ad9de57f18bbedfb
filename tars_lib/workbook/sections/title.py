"""The head of every notebook's report: what was found on its path of the playbook, as of when, in which run."""

from __future__ import annotations

from tars_lib.engines.queries.incident_state import IncidentState
from tars_lib.findings.exit_codes import EXIT_CODES, ExitCode
from tars_lib.model.names import Severity
from tars_lib.pipeline import Run
from tars_lib.reports.blocks.kinds import Badge, TitleBlock, Tone
from tars_lib.text.counts import plural
from tars_lib.text.times import MINUTES
from tars_lib.workbook.parameters.register import state_by
from tars_lib.workbook.sections.labels import readiness_tone
from tars_lib.workbook.sections.run_facts import is_dark
from tars_lib.workbook.sections.state import state_badge


def head(
    run: Run,
    what: str,
    headline: str | None,
    entry: ExitCode | None,
    incident_id: str = "",
    since: str = "",
    state: IncidentState | None = None,
) -> TitleBlock:
    """Return the title, badges and facts.

    Parameters
    ----------
    run : Run
    what : str
        Kind of report; the organisation's name follows it.
    headline : str or None
        The page's own sentence, which follows the impact where there is one; None: that of every page of the run.
    entry : ExitCode or None
        The finding that the report is about; None: not found.
    incident_id, since : str
        Facts; empty ones are left out.
    state : IncidentState, optional
        By default what the run alone says. Once it is settled, its sentence takes the place of the headline.
    """
    state = state or state_by(run, None)
    readiness = run.sla.executive_readiness
    first, then = state.headline, state.detail
    if headline is not None and not state.is_settled:
        first, then = (state.headline, headline) if state.detail else (headline, "")
    facts = (
        ("Incident", incident_id),
        ("Data as of", f"{run.sla.as_of:{MINUTES}}"),
        ("Breached since", since),
        ("Run", run.run_id),
    )
    return TitleBlock(
        title=f"{what}: {run.health.org.name}",
        subtitle=f"{plural(run.sla.summary.total, 'SLA')} over {plural(len(run.org.repos), 'service')}",
        headline=first,
        detail=then,
        badges=(
            *state_badge(state),
            *finding_badges(run, entry, is_settled=state.is_settled),
            Badge(f"Readiness {readiness.tier.value.lower()}", readiness_tone(readiness.tier)),
        ),
        facts=tuple(fact for fact in facts if fact[1]),
        label="Synthetic data" if "(synthetic)" in run.health.org.name else "",
    )


def finding_badges(run: Run, entry: ExitCode | None, *, is_settled: bool = False) -> tuple[Badge, ...]:
    """Return severity and name of a finding; where there is none, whether that is good or merely not known.

    What is settled is named without alarm.
    """
    if entry is None or entry.severity is None:
        return (Badge("Nothing known to be wrong", "unknown") if is_dark(run) else Badge("No incident", "good"),)
    tone: Tone = "neutral" if is_settled else "critical" if entry.severity is Severity.SEV_1 else "warning"
    return Badge(entry.severity.value, tone), Badge(finding_name(entry), tone)


def finding_name(entry: ExitCode) -> str:
    """Name of a finding in words.

    Examples
    --------
    >>> finding_name(EXIT_CODES[142])
    'SLA breach'
    """
    return entry.finding.replace("_", " ").capitalize().replace("Sla", "SLA")


def breached_since(run: Run) -> str:
    """Return the onset of the first breach in words; empty where it has none."""
    if not run.sla.breaches or (began := run.sla.breaches[0].started_at) is None:
        return ""
    return f"{'at or before ' if run.sla.breaches[0].started_before else ''}{began:{MINUTES}}"


def of_code(run: Run, *codes: int) -> ExitCode | None:
    """Return the first of these findings that some step of the run has made."""
    made = {step.exit_code for step in run.status.steps}
    return next((EXIT_CODES[code] for code in codes if code in made), None)
