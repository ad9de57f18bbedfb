"""The welcome notebook: the questions that an analyst asks first, answered on the demo organisation or on any run."""

from __future__ import annotations

from datetime import timedelta

from tars_lib.engines.queries.incident_state import incident_state
from tars_lib.engines.queries.metric_course import metric_course, window_of
from tars_lib.engines.queries.what_if import Excluded, what_if
from tars_lib.engines.sla.explanation import why as explain
from tars_lib.figures.health.metric import draw_metric
from tars_lib.findings.exit_codes import EXIT_CODES
from tars_lib.model.history import from_micros
from tars_lib.model.organisation import OrgData
from tars_lib.pipeline import Analysis, Run, analyze
from tars_lib.pipeline.loading import load_org
from tars_lib.reports.blocks.kinds import Badge, Block, Callout, Column, Heading, Prose, Table, TitleBlock
from tars_lib.sources.demo import demo_root
from tars_lib.text.times import MINUTES
from tars_lib.workbook.parameters import load as runs
from tars_lib.workbook.sections.figure_blocks import figures
from tars_lib.workbook.sections.labels import readiness_tone
from tars_lib.workbook.sections.next_commands import next_steps, run_place
from tars_lib.workbook.widgets.controls import has_widgets, missing
from tars_lib.workbook.widgets.explorer import Explorer
from tars_lib.workbook.widgets.what_if import WhatIfPanel, moved

Found = Analysis | Run

_DAYS_SHOWN = timedelta(days=3)
"""Of the metric that is drawn; judgement: an incident of hours and the level before it."""

_ACTIONS = ("Do: ", "Verify: ")
"""What stands beside the reasons; what is to be done is the plan's, and on other pages."""
_REASONS = 10
"""Sentences of the reasons; judgement: the first page holds them, and `tars.why` has all."""


def load(run_dir: str) -> Found:
    """Load the run that is named, or judge the demo organisation here and now.

    Raises
    ------
    InputError
        If a run is named that is not there.
    """
    if run_dir:
        return runs.run(run_dir)
    org = load_org(demo_root())
    # at its own end, whatever the clock of the machine says
    return analyze(org, from_micros(org.history.end or 0))


def worst_sla(found: Found) -> str:
    """Return the id of the SLA to ask about: the first breach, else the first SLA; empty where none is defined."""
    if found.sla.breaches:
        return found.sla.breaches[0].sla_id
    return found.sla.compliance_results[0].sla_id if found.sla.compliance_results else ""


def worst_repo(found: Found) -> str:
    """Return the repo to ask about: where the first breach is explained, else the one of least health."""
    if found.sla.breaches:
        return found.sla.breaches[0].target
    return found.health.repository_reports[0].repo


def title(found: Found) -> TitleBlock:
    """Show the head of the page."""
    readiness = found.sla.executive_readiness
    state = incident_state(found.health.history.interval, found.sla)
    name = found.health.org.name
    return TitleBlock(
        title=f"Welcome to the incident workbook: {name}",
        subtitle="What to ask, and what the answers look like",
        headline=state.headline,
        detail=state.detail,
        badges=(Badge(f"Readiness {readiness.tier.value.lower()}", readiness_tone(readiness.tier)),),
        facts=(
            ("Data as of", f"{found.sla.as_of:{MINUTES}}"),
            ("Finding", EXIT_CODES[_code(found)].finding.replace("_", " ").lower().replace("sla", "SLA")),
            ("Services", f"{len(found.org.repos)}"),
        ),
        label="Synthetic data" if "(synthetic)" in name else "",
    )


def questions(found: Found) -> Table:
    """List what to type for which question, with names that are there."""
    repo, sla = worst_repo(found), worst_sla(found) or "availability"
    metric = found.org.history.metrics[0] if found.org.history.metrics else "health_score"
    rows = (
        ("What is there?", 'org = tars.load_org("org-health")'),
        ("What is wrong?", "analysis = tars.analyze(org)"),
        ("Why is this SLA breached?", f"tars.why(analysis.sla, {sla!r})"),
        ("How is this service?", f"org[{repo!r}]"),
        ("The numbers as a table?", "analysis.sla.frame"),
        ("A metric as a table?", f"org.frame({metric!r})"),
        ("Which service leads which?", f"tars.lead_lag(org.frame({metric!r}))"),
        ("What if it had been planned?", 'tars.what_if(org, exclude=[("2026-01-05T10:00Z", "2026-01-05T12:00Z")])'),
        ("What did last night's run find?", 'tars.load_run("reports/runs/tars-run-...")'),
    )  # fmt: skip
    return Table(
        "Questions and what to type",
        (Column("Question"), Column("Type", "mono")),
        rows,
        note='import tars_lib as tars. Tab completes names of SLAs and services, as in org["; what is not '
        "known is said to be unknown.",
    )


def why(found: Found) -> list[Block]:
    """Say why the first SLA has the verdict that it has."""
    sla_id = worst_sla(found)
    if not sla_id:
        return [Callout("No SLA is defined", "A verdict needs an objective: sla-policies.yaml holds them.", "unknown")]
    reasons = [said for said in explain(found.sla, sla_id).sentences if not said.startswith(_ACTIONS)]
    return [Heading(f"Why: {found.sla[sla_id].sla_name}"), Prose(tuple(reasons[:_REASONS]))]


def course(found: Found) -> list[Block]:
    """Draw the metric that the first breach is about, in the repo where it is explained, around the suspected change."""
    if not found.sla.breaches:
        return [Callout("Nothing to draw", "No SLA is breached; the explorer draws any metric.", "info")]
    breach = found.sla.breaches[0]
    metric = "error_rate" if breach.target_metric.startswith("requests_") else breach.target_metric
    if not found.org.history.has(metric):
        metric = breach.target_metric
    named = {cause.repo for cause in breach.root_causes[:1] if cause.change}
    start, end = window_of(found.org, _DAYS_SHOWN, None)
    changes = [event for event in found.org.changes() if event.repo in named and event.timestamp > start]
    event = max(changes, key=lambda one: one.timestamp, default=None)
    shown = metric_course(found.org, breach.target, metric, start, end, event)
    return [*figures(draw_metric(shown, changes))]


def incident_stretch(found: Found) -> list[Excluded]:
    """Return begin and end of the first breach, as `what_if` leaves it out; empty where there is none or it has no date."""
    breach = found.sla.breaches[0] if found.sla.breaches else None
    if breach is None or breach.started_at is None:
        return []
    # the last sample belongs to the breach, with the time that it stands for; a stretch does not hold its end
    needs = next((policy.needs for policy in found.org.policies if policy.sla_id == breach.sla_id), ())
    steps = (0,) if found.org.stamp_at_end else tuple(found.org.history.interval(name) or 0 for name in needs)
    last = timedelta(seconds=1, microseconds=max(steps, default=0))
    return [(breach.started_at, (breach.ended_at or found.sla.as_of) + last)]


def verdicts_moved(found: Found) -> list[Block]:
    """Show what would have moved, had the incident been planned."""
    return [
        Heading("What if the incident had been planned maintenance?"),
        *moved(what_if(found.org, exclude=incident_stretch(found))),
    ]


def explore(org: OrgData, repo: str = "", metric: str = "") -> Explorer | Callout:
    """Return the explorer, or say how to get it."""
    return Explorer(org, repo, metric) if has_widgets() else missing("The explorer")


def try_out(org: OrgData) -> WhatIfPanel | Callout:
    """Return the panel of objectives and stretches left out, or say how to get it."""
    return WhatIfPanel(org) if has_widgets() else missing("The panel")


def next_action(found: Found) -> Table:
    """Say where to go from here."""
    root = "./org-health" if isinstance(found, Run) else "outputs/demo/org-health"
    place = run_place(found) if isinstance(found, Run) else "'./reports/runs/tars-run-*'"
    return next_steps(
        ("Make the demo organisation's files, to change them", "tars demo"),
        ("Judge an organisation and keep the run", f"tars run --root {root} --outdir ./reports/runs"),
        ("The reports that its findings call for", f"tars report --all --run {place}"),
    )


def _code(found: Found) -> int:
    return found.status.exit_code if isinstance(found, Run) else found.exit_code
