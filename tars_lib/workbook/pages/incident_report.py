"""The incident report, block by block: verdict first, and what leadership has to know of it."""

from __future__ import annotations

from tars_lib.engines.health.report import HealthReport, RepositoryReport
from tars_lib.engines.health.risk_text import clash_note
from tars_lib.engines.queries.incident_state import IncidentState
from tars_lib.engines.sla.report import ComplianceResult
from tars_lib.findings.exit_codes import EXIT_CODES
from tars_lib.model.names import Severity, SlaStatus, Trend
from tars_lib.pipeline import Run
from tars_lib.reports.blocks.kinds import (
    Badge,
    Bar,
    Block,
    Callout,
    Column,
    Heading,
    KeyFigure,
    KeyFigures,
    Prose,
    Table,
    TitleBlock,
    Tone,
)
from tars_lib.text.counts import plural
from tars_lib.text.quantities import between_text, value_text
from tars_lib.workbook.parameters.register import state_by
from tars_lib.workbook.sections import outlook, spread
from tars_lib.workbook.sections.labels import label_of, listed, objective_sign, readiness_tone, risk_tone, sla_badge
from tars_lib.workbook.sections.next_commands import (
    check_again,
    next_steps,
    pack_evidence,
    run_again,
    run_place,
    settled_steps,
)
from tars_lib.workbook.sections.run_facts import affected_repos, facing, is_dark, worst_first
from tars_lib.workbook.sections.state import planned_step, settled_step
from tars_lib.workbook.sections.title import breached_since, head

MAX_REPOS = 6


def title(run: Run, incident_id: str = "", state: IncidentState | None = None) -> TitleBlock:
    """Show the head of the report: severity, readiness tier and one sentence that says it all."""
    entry = EXIT_CODES[run.status.exit_code]
    # what is found to move together is looked into, but nothing is wrong yet
    what = "Incident report" if entry.severity in (Severity.SEV_1, Severity.SEV_2) else "Status report"
    state = state or state_by(run, None)
    return head(run, what, None, entry, incident_id, breached_since(run), state)


def key_figures(run: Run) -> KeyFigures:
    """Return the five numbers that leadership should remember."""
    readiness, health, summary = run.sla.executive_readiness, run.health, run.sla.summary
    affected = affected_repos(run)
    spent = [row for row in run.sla.scorecard if row.budget_consumed is not None]
    worst = max(spent, key=lambda row: row.budget_consumed or 0.0, default=None)
    items = [
        KeyFigure(
            "SLAs breached", f"{summary.breached} of {summary.total}",
            note=_counted(summary.at_risk, "at risk", summary.unknown, "unknown"),
            tone="critical" if summary.breached else "good" if summary.total else "unknown",
            word="" if summary.breached or not summary.total else "None",
        ),
        KeyFigure(
            "Services affected", f"{len(affected)} of {len(run.org.repos)}",
            note=_facing_note(facing(run, affected)),
            tone="critical" if affected else "good", word="" if affected else "None",
        ),
        KeyFigure(
            "Readiness", f"{readiness.readiness_score:.0f}", unit="of 100",
            note=f"{readiness.unknown_share:.0%} of it unknown" if readiness.unknown_share else "nothing unknown",
            tone=readiness_tone(readiness.tier), word=readiness.tier.value.capitalize(),
        ),
        KeyFigure(
            "Org health", None if health.aggregate_score is None else f"{health.aggregate_score:.0f}", unit="of 100",
            note=risk_note(health), tone=risk_tone(health.risk_tier),
            word=f"{health.risk_tier.value.capitalize()} risk",
        ),
    ]  # fmt: skip
    if worst is not None and worst.budget_consumed is not None:
        share = worst.budget_consumed
        items.insert(
            1,
            KeyFigure(
                "Error budget used", f"{share:.0%}", note=_whose(run, worst.sla_id),
                tone="critical" if share > 1 else "warning" if share >= 0.8 else "good",
                word="Overspent" if share > 1 else "Nearly spent" if share >= 0.8 else "Left",
            ),
        )  # fmt: skip
    return KeyFigures(tuple(items))


def risk_note(health: HealthReport) -> str:
    """Say why the tier is worse than the score alone; else how much was seen."""
    return clash_note(health) or f"coverage {health.coverage:.0%}"


def scorecard(run: Run) -> Table:
    """Show every SLA in a line: measured with its interval, objective, budget, verdict."""
    rows: list[tuple[object, ...]] = []
    for result in worst_first(run):
        spent = None if result.error_budget is None else result.error_budget.consumed_share
        tone: Tone = "info" if spent is None or spent < 0.8 else "warning" if spent <= 1 else "critical"
        rows.append(
            (
                f"{result.sla_name} ({result.windows[0].window})" if result.windows else result.sla_name,
                f"{objective_sign(result)} {value_text(result.objective, result.unit)}",
                measured(result),
                "n/a" if spent is None else Bar(max(spent, 0.0), tone=tone),
                _where(result),
                sla_badge(result.status),
            )
        )
    rows += _slo_rows(run)
    return Table(
        caption="SLA scorecard, worst first",
        columns=(
            Column("SLA (window)"),
            Column("Objective", "text", "right"),
            Column("Measured (95%)", "text", "right"),
            Column("Budget used", "bar"),
            Column("Services"),
            Column("Verdict", "badge"),
        ),
        rows=tuple(rows),
        empty="No SLA is defined.",
    )


def first_step(run: Run, state: IncidentState | None = None) -> Callout:
    """Say what to do in this minute: the containment of the first breach, and who hears of it next."""
    state = state or state_by(run, None)
    if (settled := settled_step(state)) is not None:
        return settled
    if not run.sla.breaches:
        if run.sla.summary.at_risk:
            return Callout(
                "Watch closely", "No SLA is breached, but some are at risk: run the checks every 15 minutes.", "warning"
            )
        if is_dark(run):
            return Callout(
                "Restore the missing metrics",
                f"No SLA is known to be breached, but {run.sla.summary.unknown} of {run.sla.summary.total} cannot be judged"
                f"{'' if run.health.aggregate_score is not None else ', and the health is not known'}.",
                "unknown",
            )
        return Callout("No containment needed", "No SLA is breached. Keep the hourly checks running.", "good")
    return planned_step(state)


def weakest_repos(run: Run) -> Table:
    """Return the repos with the lowest scores, and why."""
    known = [report for report in run.health.repository_reports if report.score is not None and report.score < 80.0]
    rows = tuple(
        (
            report.repo,
            report.team or "-",
            report.score,
            Badge(report.risk_tier.value.capitalize(), risk_tone(report.risk_tier)),
            _trend(report),
            "; ".join(report.reasons[:2]),
        )
        for report in known[:MAX_REPOS]
    )
    return Table(
        caption=f"Services under 80 points: {len(known)} of {len(run.org.repos)}, lowest first",
        columns=(
            Column("Service", "mono"),
            Column("Team"),
            Column("Score", "number", decimals=0),
            Column("Risk", "badge"),
            Column("Trend"),
            Column("Why"),
        ),
        rows=rows,
        note=f"The first {MAX_REPOS} are shown." if len(known) > MAX_REPOS else "",
        empty="Every service with a known score is at 80 or more."
        if any(report.score is not None for report in run.health.repository_reports)
        else "No service has a known score.",
    )


def spread_and_alerts(run: Run, state: IncidentState) -> list[Block]:
    """Show spread, alerts, budget and outlook; a sentence instead of two sections where there is none of them."""
    found = spread.spread(run, state)
    ahead = [*outlook.budgets(run, 1), *outlook.outlook(run, state)]
    if not run.sla.breaches and not run.alerts.alerts and len(found) == 1 and isinstance(found[0], Callout):
        return [Heading("What else was checked"), Prose((f"No alert is raised. {found[0].text}",)), *ahead]
    alerts = [Heading("Alerts, budget and outlook"), outlook.alerts(run), *ahead]
    return [Heading("Is it spreading?"), *found, *alerts]


def service_health(run: Run) -> list[Block]:
    """Show the section of the weakest services; nothing where every one is known to be well."""
    shown = weakest_repos(run)
    if not shown.rows and all(report.score is not None for report in run.health.repository_reports):
        return []
    return [Heading("Service health"), shown]


def data_quality(run: Run) -> list[Block]:
    """Say what this report cannot know, and what it left out."""
    rows = [
        (f"SLA {result.sla_name}", Badge("Unknown", "unknown"), result.reason or "")
        for result in run.sla.compliance_results
        if result.status is SlaStatus.UNKNOWN
    ]
    silent = [report for report in run.health.repository_reports if report.score is None]
    rows += [
        (f"Health of {report.repo}", Badge("Unknown", "unknown"), "; ".join(report.reasons)) for report in silent[:8]
    ]
    if len(silent) > 8:
        rows.append(
            (f"Health of {len(silent) - 8} more services", Badge("Unknown", "unknown"), "see org-health-report.json")
        )
    excluded = {(x.repo, x.start, x.end, x.title) for result in run.sla.compliance_results for x in result.exclusions}
    rows += [
        (
            f"{repo or 'all services'}, {start:%m-%d %H:%M} to {end:%m-%d %H:%M}",
            Badge("Excluded", "info"),
            f"planned maintenance: {text}",
        )
        for repo, start, end, text in sorted(excluded, key=str)[:6]
    ]
    told = ("UNKNOWN", "have no known score")
    rows += [
        ("Input", Badge("Note", "info"), warning)
        for warning in dict.fromkeys((*run.health.warnings, *run.sla.warnings))
        if not any(part in warning for part in told)
    ][:8]
    history = run.health.history
    extent = (
        "no sample"
        if history.start is None or history.end is None
        else f"{history.start:%Y-%m-%d} to {history.end:%Y-%m-%d}"
    )
    return [
        Table(
            caption=f"Data quality: {run.health.coverage:.0%} of the samples expected recently arrived",
            columns=(Column("What"), Column("State", "badge"), Column("Why")),
            rows=tuple(rows),
            note=f"{history.samples:,} samples of {plural(len(history.metrics), 'metric')}, {extent}; "
            f"SLA policies: {run.sla.policies_from}; {plural(len(run.health.inputs), 'input file')} with digests in the run.",
            empty="Every SLA and every service could be judged, and nothing was excluded.",
        )
    ]


def next_action(run: Run, incident_id: str = "", state: IncidentState | None = None) -> Table:
    """Return the next steps for what was found, in the order of the playbook; once it is settled, those that are left."""
    if (left := settled_steps(run, incident_id, state)) is not None:
        return left
    if run.sla.breaches:
        return next_steps(
            ("Follow the response step by step", f"tars report sla_breach --run {run_place(run)}"),
            *check_again(run, incident_id),
            pack_evidence(incident_id),
        )
    if run.sla.summary.at_risk:
        return next_steps(
            ("See what is at risk", f"tars report at_risk_monitoring --run {run_place(run)}"),
            ("Run the checks again in 15 minutes", run_again(run)),
        )
    return next_steps(("Keep the hourly checks running", run_again(run)))


def _trend(report: RepositoryReport) -> str:
    """Say which way a score goes; after a fall that is what it did since, which the reader has to be told."""
    word = report.trend.value.capitalize()
    return f"{word} since the change" if report.change_points and report.trend is not Trend.UNKNOWN else word


def _where(result: ComplianceResult) -> str:
    """Name the service that was measured, where the verdict is about one of several, and how many more are affected."""
    others = tuple(repo for repo in result.affected_repos if repo != result.scope)
    if result.scope is None or result.judged_repos <= 1:
        return listed(result.affected_repos, 1) or "-"
    return f"{label_of(result.scope)} (worst)" + (f", {len(others)} more" if others else "")


def _counted(at_risk: int, risk_word: str, unknown: int, unknown_word: str) -> str:
    parts = [f"{count} {word}" for count, word in ((at_risk, risk_word), (unknown, unknown_word)) if count]
    return ", ".join(parts) or "none at risk or unknown"


def _whose(run: Run, sla_id: str) -> str:
    result = run.sla[sla_id]
    return result.sla_name if result.scope is None else f"{result.sla_name}, {label_of(result.scope)}"


def _facing_note(facing: tuple[str, ...]) -> str:
    return f"customer facing: {listed(facing, 2)}" if facing else "none customer facing"


def measured(result: ComplianceResult) -> str:
    """Return the value over the SLA's own window, with its interval."""
    if result.value is None:
        return "unknown"
    window = result.windows[0]
    text = value_text(result.value, result.unit)
    if window.ci_low is None or window.ci_high is None:
        return text
    return between_text(result.value, window.ci_low, window.ci_high, result.unit)


def _slo_rows(run: Run) -> list[tuple[object, ...]]:
    """Return the violated objectives of the organisation as a whole, named as such: none is a counted SLA."""
    return [
        (f"SLO (organisation): {slo.name}", f"≥ {slo.objective:g}", "unknown" if slo.value is None else f"{slo.value:.3g}",
         "n/a", "-",
         Badge("Violated" if slo.status == "VIOLATED" else "Unknown", "critical" if slo.status == "VIOLATED" else "unknown"))
        for slo in run.health.slo_results
        if slo.status != "MET"
    ]  # fmt: skip
