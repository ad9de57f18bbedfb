"""Org Risk Assessment (exit code 92): how high is the risk, who contributes, what mitigates it?"""

from __future__ import annotations

from tars_lib.engines.health.report import RepositoryReport
from tars_lib.engines.health.risk_text import calm
from tars_lib.engines.health.score_course import score_course
from tars_lib.engines.queries.incident_state import IncidentState
from tars_lib.figures.health.scores import MAX_PANELS, draw_scores, weakest_first
from tars_lib.figures.style.picture import Picture
from tars_lib.incidents.views.golden_path import root_typed
from tars_lib.model.names import RiskTier, SlaStatus
from tars_lib.pipeline import Run
from tars_lib.reports.blocks.kinds import (
    Badge,
    Bar,
    Block,
    Checklist,
    ChecklistItem,
    Column,
    Heading,
    KeyFigure,
    KeyFigures,
    Table,
    TitleBlock,
)
from tars_lib.text.counts import plural, verb
from tars_lib.text.quantities import value_text
from tars_lib.workbook.pages.incident_report import risk_note
from tars_lib.workbook.sections.figure_blocks import figures
from tars_lib.workbook.sections.labels import listed, objective_sign, risk_tone, sla_badge
from tars_lib.workbook.sections.next_commands import next_steps, run_again, run_place, settled_steps
from tars_lib.workbook.sections.run_facts import since
from tars_lib.workbook.sections.title import head, of_code

_NOTHING = 0.05
"""Points that are printed as 0.0."""


def headline(run: Run) -> str:
    """Tell the risk in a sentence: tier, score, why, and who takes most off."""
    health = run.health
    if health.aggregate_score is None:
        return f"The risk is not known: {health.coverage:.0%} of the samples expected recently arrived."
    why = (
        f" because {calm('; '.join(health.reasons))}" if health.risk_tier is not RiskTier.LOW and health.reasons else ""
    )
    worst = [c for c in health.contributions if c.points > 0][:2]
    most = (
        f"; {listed(tuple(c.repo for c in worst))} take{'s' if len(worst) == 1 else ''} off the most points"
        if worst and why
        else ""
    )
    return f"Risk is {health.risk_tier.value.lower()}, with health at {health.aggregate_score:.0f} of 100{why}{most}."


def title(run: Run, incident_id: str = "", state: IncidentState | None = None) -> TitleBlock:
    """Show the head of the page."""
    return head(run, "Organisation risk", headline(run), of_code(run, 92, 91), incident_id, state=state)


def key_figures(run: Run) -> KeyFigures:
    """Answer question 1, the risk score: tier, aggregate, how many repos are low, how much was seen."""
    health = run.health
    low = low_repos(run)
    tiers = [report.risk_tier for report in health.repository_reports]
    worst = sum(tier in (RiskTier.HIGH, RiskTier.CRITICAL) for tier in tiers)
    silent = sum(tier is RiskTier.UNKNOWN for tier in tiers)
    return KeyFigures(
        (
            KeyFigure(
                "Org health", None if health.aggregate_score is None else f"{health.aggregate_score:.0f}", unit="of 100",
                note=risk_note(health), tone=risk_tone(health.risk_tier),
                word=f"{health.risk_tier.value.capitalize()} risk",
            ),
            KeyFigure(
                f"Services below {health.threshold:.0f}", f"{len(low)} of {len(tiers)}",
                note=f"customer facing: {listed(tuple(r.repo for r in low if r.customer_facing), 2) or 'none'}",
                tone="critical" if low else "good", word="" if low else "None",
            ),
            KeyFigure("Services at high risk", f"{worst} of {len(tiers)}", note="tier high or critical",
                      tone="critical" if worst else "good",
                      word="" if worst else "None"),
            KeyFigure(
                "Coverage", f"{health.coverage:.0%}",
                note=f"{plural(silent, 'service')} without a known score" if silent else "every service has a score",
                tone="unknown" if silent else "good", word="Partly unknown" if silent else "Known",
            ),
        )
    )  # fmt: skip


def low_repos(run: Run) -> list[RepositoryReport]:
    """Return the repos below the threshold, lowest first."""
    names = set(run.health.below_threshold)
    return [report for report in run.health.repository_reports if report.repo in names]


def contributors(run: Run, max_repos: int) -> list[Block]:
    """Answer question 2: repos by score, ascending, with what each takes off and why."""
    points = {part.repo: part.points for part in run.health.contributions}
    most = max(points.values(), default=0.0)
    known = [report for report in run.health.repository_reports if report.score is not None]
    taking = [report for report in known if points.get(report.repo, 0.0) >= _NOTHING]
    rows = tuple(
        (
            report.repo,
            report.team or "-",
            report.score,
            Bar(points.get(report.repo, 0.0) / most if most else 0.0, f"{points.get(report.repo, 0.0):.1f}",
                "critical" if report.repo in run.health.below_threshold else "info"),
            "; ".join(report.reasons[:2]) or "-",
            Badge(report.risk_tier.value.capitalize(), risk_tone(report.risk_tier)),
        )
        for report in taking[:max_repos]
    )  # fmt: skip
    low = len(run.health.below_threshold)
    silent = len(run.health.repository_reports) - len(known)
    notes = [
        f"The first {max_repos} of {len(taking)} are shown." if len(taking) > max_repos else "",
        f"{plural(len(known) - len(taking), 'service')} with a score of 100 {verb(len(known) - len(taking), 'takes', 'take')} "
        "nothing off."
        if len(known) > len(taking)
        else "",
        f"{plural(silent, 'service')} without a known score {'is' if silent == 1 else 'are'} not listed."
        if silent
        else "",
    ]
    return [
        Heading("What lowers the score"),
        *figures(_drawn(run)),
        Table(
            caption=f"Services by score, lowest first: {low} below {run.health.threshold:.0f}",
            columns=(
                Column("Service", "mono"),
                Column("Team"),
                Column("Score", "number", decimals=0),
                Column("Points taken off", "bar"),
                Column("Why"),
                Column("Risk", "badge"),
            ),
            rows=rows,
            note=" ".join(note for note in notes if note),
            empty="No service takes points off." if known else "No service has a known score.",
        ),
    ]


def mitigation(run: Run) -> list[Block]:
    """Answer question 3: a ticket for each low repo, a sprint, and objectives to look at."""
    items = [
        ChecklistItem(
            f"Improvement ticket for {report.repo}: {'; '.join(report.reasons[-1:]) or 'score below the threshold'}",
            owner=report.team or "no team named",
        )
        for report in low_repos(run)
    ]
    if items:
        items.append(ChecklistItem("Schedule a remediation sprint for these services"))
    return [
        Heading("Mitigation plan"),
        Checklist(
            tuple(items),
            title="Tickets and sprint",
            empty=f"No service with a known score is below {run.health.threshold:.0f}: no ticket is needed.",
        ),
        objectives(run),
    ]


def objectives(run: Run) -> Table:
    """Return the objectives that are not met, with the long window: one that was never met may be unrealistic."""
    rows: list[tuple[object, ...]] = [
        (
            slo.name or slo.slo_id,
            f"≥ {slo.objective:g}",
            "unknown" if slo.value is None else f"{slo.value:.3g}",
            "-",
            Badge(
                "Violated" if slo.status == "VIOLATED" else "Unknown",
                "critical" if slo.status == "VIOLATED" else "unknown",
            ),
        )
        for slo in run.health.slo_results
        if slo.status != "MET"
    ]
    for result in run.sla.compliance_results:
        if result.status is SlaStatus.BREACHED:
            judged = [window for window in result.windows if window.status is not SlaStatus.UNKNOWN]
            longest = max(judged, key=lambda window: window.end - window.start)
            verdict = longest.status.value.replace("_", " ").lower()
            rows.append(
                (
                    f"{result.sla_name} ({result.windows[0].window})",
                    f"{objective_sign(result)} {value_text(result.objective, result.unit)}",
                    value_text(result.value, result.unit),
                    f"{value_text(longest.value, result.unit)} over {longest.window}, {verdict}",
                    sla_badge(result.status),
                )
            )
    return Table(
        caption="Missed objectives: are they realistic?",
        columns=(
            Column("Objective of"),
            Column("Objective", "text", "right"),
            Column("Measured", "text", "right"),
            Column("Longest window"),
            Column("Verdict", "badge"),
        ),
        rows=tuple(rows),
        note="An objective also missed over the longest window, without an incident in it, may be unrealistic."
        if rows
        else "",
        empty="Every objective that can be judged is met.",
    )


def next_action(run: Run, incident_id: str = "", state: IncidentState | None = None) -> Table:
    """Name the next step: assess again, or carry on; once the incident is settled, what is left."""
    if (left := settled_steps(run, incident_id, state)) is not None:
        return left
    if not run.health.below_threshold:
        return next_steps(("Keep the hourly checks running", run_again(run)))
    steps = [
        ("Run the checks again after a fix", f"tars health --root-dir {root_typed(run.status.root)} --json"),
        ("Compare with this run", f"tars diff {run_place(run)} './reports/runs/tars-run-*'"),
    ]
    if run.sla.breaches:
        steps.insert(0, ("An SLA is breached: contain that first", f"tars report sla_breach --run {run_place(run)}"))
    return next_steps(*steps)


def _drawn(run: Run) -> Picture | None:
    course = score_course(run.org, run.health.as_of)
    if course is None:
        return None
    reports = weakest_first(run.health.repository_reports)[:MAX_PANELS]
    return draw_scores(course, reports, run.org.events, since(run))
