"""The monthly trend review: are we faster, does it come back, how ready are we from run to run?"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

from tars_lib.figures.incidents.durations import LengthRow, draw_lengths
from tars_lib.figures.sla.readiness_runs import draw_readiness_runs
from tars_lib.incidents.views.all_cases import Cases, read_cases
from tars_lib.pipeline import Run
from tars_lib.playbook.documents.postmortem import item_ids, overdue_items, review_deadlines
from tars_lib.playbook.facts import Facts
from tars_lib.playbook.metrics import MetricValue, MetricVerdict, by_month, fingerprint, lengths, measure
from tars_lib.playbook.tables import MetricId
from tars_lib.playbook.wording import cause_text, length_text
from tars_lib.reports.blocks.kinds import (
    Badge,
    Block,
    Callout,
    Checklist,
    ChecklistItem,
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
from tars_lib.text.times import MINUTES
from tars_lib.workbook.pages.golden_path import where_option
from tars_lib.workbook.parameters.past_runs import PastRuns
from tars_lib.workbook.parameters.register import Register
from tars_lib.workbook.sections.figure_blocks import figures
from tars_lib.workbook.sections.incident_title import synthetic
from tars_lib.workbook.sections.labels import listed, readiness_tone
from tars_lib.workbook.sections.next_commands import next_steps, run_again, run_place

_TONES: dict[MetricVerdict, Tone] = {
    MetricVerdict.MET: "good",
    MetricVerdict.MISSED: "critical",
    MetricVerdict.UNKNOWN: "unknown",
}
MIN_JUDGED = 3
"""Values below which a page judges no target, since one of them would decide; judgement, as for the samples of an SLA."""
_MARKS = {MetricVerdict.MISSED: " *"}
_NAMES = {
    MetricId.MTTD: "MTTD",
    MetricId.MTTR: "MTTR",
    MetricId.RECURRENCE: "Recurrence",
    MetricId.SLA_RECOVERY: "SLA recovery",
}
"""Short names for narrow places; the table has the page's own."""
_SPREAD = ("Mean or rate", "Median", "90th perc.", "95% interval", "Target")
_MAX_DUE = 8
"""Reviews and items that the page lists; `tars review` lists all. Judgement."""
_MAX_CAUSES = 6


@dataclass(frozen=True, slots=True)
class TrendFacts:
    """The register measured at one time, as `tars metrics` does, and the runs."""

    register: Register
    found: Cases
    values: tuple[MetricValue, ...]
    months: dict[str, tuple[MetricValue, ...]]
    runs: PastRuns


def trend(register: Register, runs: PastRuns, months: int) -> TrendFacts:
    """Measure the register.

    Parameters
    ----------
    register : Register
    runs : PastRuns
    months : int
        Newest months that are shown; the metrics are over all incidents.
    """
    found = read_cases(register.root, register.playbook)
    values = measure(found.cases, register.time, register.playbook)
    parts = by_month(found.cases, register.time, register.playbook)
    return TrendFacts(register, found, values, dict(list(parts.items())[-months:]), runs)


def title(run: Run, shown: TrendFacts) -> TitleBlock:
    """Show the head of the page: how many targets are met, and where readiness stands."""
    readiness = run.sla.executive_readiness
    number = len(shown.found.cases)
    facts = (
        ("Register", f"{shown.register.root}, {plural(number, 'incident')}"),
        ("Read at", f"{shown.register.time:{MINUTES}}"),
        ("Runs", f"{len(shown.runs.points)}, the newest {run.run_id}"),
        ("Data as of", f"{run.sla.as_of:{MINUTES}}"),
    )
    return TitleBlock(
        title=f"Trend review: {run.health.org.name}",
        subtitle="Monthly, for engineering leadership",
        headline=headline(shown),
        badges=(
            _verdict_badge(shown),
            Badge(f"Readiness {readiness.tier.value.lower()}", readiness_tone(readiness.tier)),
        ),
        facts=facts,
        label=synthetic(run),
    )


def headline(shown: TrendFacts) -> str:
    """Tell in one sentence which targets are met, which are missed and by what."""
    number = len(shown.found.cases)
    if not number:
        if not shown.register.is_there:
            return f"There is no incident register at {shown.register.root}: response cannot be measured."
        return f"No incident is recorded in {shown.register.root}: response cannot be measured."
    if all(metric.verdict is MetricVerdict.UNKNOWN for metric in shown.values):
        return f"{plural(number, 'incident')}, none with a duration yet: no target can be judged."
    known = [metric for metric in shown.values if _verdict(metric) is not MetricVerdict.UNKNOWN]
    if not known:
        return f"{plural(number, 'incident')}: too few to judge a target, which takes {MIN_JUDGED} with a value."
    met = [metric for metric in known if _verdict(metric) is MetricVerdict.MET]
    missed = [metric for metric in known if _verdict(metric) is MetricVerdict.MISSED]
    said = f"{len(met)} of {len(known)} targets are met over {plural(number, 'incident')}"
    if missed:
        said += "; missed: " + ", ".join(
            f"{_NAMES[metric.metric_id]} at {value_of(metric)} (target {metric.target})" for metric in missed
        )
    return f"{said}."


def key_figures(shown: TrendFacts) -> KeyFigures:
    """Show the four metrics against their targets."""
    return KeyFigures(
        tuple(
            KeyFigure(
                _NAMES[metric.metric_id], value_of(metric) if metric.value is not None else None,
                note=f"target {metric.target}, n {metric.n}", tone=_badge(metric).tone, word=_badge(metric).text,
            )
            for metric in shown.values
        )
    )  # fmt: skip


def metrics(shown: TrendFacts) -> list[Block]:
    """Show each metric with n, mean, median, 90th percentile, interval, target and verdict; what is open, apart."""
    if not shown.found.cases:
        return [Heading("How fast, and does it recur?"), Callout("Nothing to measure", headline(shown), "unknown")]
    values = {metric.metric_id: metric for metric in shown.values}
    rows = [
        LengthRow(_NAMES[key], *_lengths(shown, key), values[key].value, values[key].median, values[key].p90)
        for key in _DURATIONS
    ]
    still = [
        f"{_NAMES[metric.metric_id]}: {listed(metric.open_incidents, 3)}{_oldest(metric)}"
        for metric in shown.values
        if metric.open_incidents
    ]
    lacking = [
        f"{_NAMES[metric.metric_id]}: {listed(metric.unknown_incidents, 3)}"
        for metric in shown.values
        if metric.unknown_incidents
    ]
    notes = [f"Still open, so no value yet: {'; '.join(still)}."] if still else []
    notes += [f"Over, but a time or the cause is unknown: {'; '.join(lacking)}."] if lacking else []
    return [
        Heading("How fast, and does it recur?"),
        Table(
            caption=f"The playbook's metrics over {plural(len(shown.found.cases), 'incident')}",
            columns=(
                Column("Metric"),
                Column("n", "number"),
                *(Column(name, "text", "right") for name in _SPREAD),
                Column("Verdict", "badge"),
            ),
            rows=tuple(_row(metric) for metric in shown.values),
            note="The mean is compared with the target, as the playbook says, "
            f"from {MIN_JUDGED} values. The interval is that of the median, from order statistics (of the rate: Wilson's).",
        ),
        *figures(draw_lengths(rows)),
        *([Prose(tuple(notes))] if notes else []),
    ]  # fmt: skip


def by_months(shown: TrendFacts) -> list[Block]:
    """Show the metrics by the month in which incidents were opened."""
    if not shown.months:
        return []
    opened: dict[str, int] = defaultdict(int)
    for facts in shown.found.cases:
        opened[f"{facts.opened_at:%Y-%m}"] += 1
    return [
        Table(
            caption="By the month in which incidents were opened (UTC)",
            columns=(
                Column("Month"), Column("Incidents", "number"),
                *(Column(_NAMES[metric.metric_id], "text", "right") for metric in shown.values),
            ),
            rows=tuple(
                (month, float(opened[month]), *(value_of(metric) + _MARKS.get(metric.verdict, "") for metric in values))
                for month, values in reversed(shown.months.items())
            ),
            note="* beyond the target. A dash: no incident with a value.",
        )
    ]  # fmt: skip


def recurring(shown: TrendFacts) -> list[Block]:
    """Show causes that more than one incident had."""
    if not shown.found.cases:
        return []
    groups: dict[str, list[Facts]] = defaultdict(list)
    for facts in shown.found.cases:
        mark = fingerprint(facts)
        if mark is not None:
            groups[mark].append(facts)
    again = sorted((group for group in groups.values() if len(group) > 1), key=len, reverse=True)
    return [
        Table(
            caption=f"Recurring causes: {len(again)}",
            columns=(Column("Cause"), Column("Service", "mono"), Column("Times", "number"), Column("Incidents, newest first")),
            rows=tuple(
                (
                    cause_text(group[0]),
                    group[0].causes[0].repo or "-",
                    float(len(group)),
                    listed(tuple(facts.incident_id for facts in group)),
                )
                for group in again[:_MAX_CAUSES]
            ),
            note="The same cause has the same type, service, metric and containment; wording and confidence may differ.",
            empty="No two incidents share a known cause.",
        )
    ]  # fmt: skip


def readiness(run: Run, shown: TrendFacts) -> list[Block]:
    """Show readiness from run to run, and the SLAs that were breached."""
    heading = Heading("Readiness over runs")
    points = shown.runs.points
    blocks: list[Block] = [heading]
    if len({point.as_of for point in points}) < 2:
        only = run.sla.executive_readiness
        title = "One run, no trend yet" if len(points) == 1 else f"{len(points)} runs on the same data, no trend yet"
        blocks.append(
            Callout(
                title,
                f"Readiness is {only.readiness_score:.0f} of 100, {only.tier.value.lower()}; a run on later data in "
                f"{run_place(run).rpartition('/')[0] or 'the same folder'} shows a trend.",
                "info",
            )
        )
    else:
        blocks += figures(draw_readiness_runs(points))
        worst = max(points, key=lambda point: point.breached)
        said = f"{plural(sum(point.breached > 0 for point in points), 'run')} of {len(points)} found a breached SLA"
        if worst.breached:
            said += f"; most at once: {worst.breached}, as of {worst.as_of:%Y-%m-%d}"
        blocks.append(Prose((f"{said}.",)))
    notes = [f"{name}: cannot be read: {why}" for name, why in (*shown.runs.unreadable, *shown.found.unreadable)]
    if shown.runs.left_out:
        notes.append(f"{plural(shown.runs.left_out, 'older run')} left out.")
    if notes:
        blocks.append(Callout("Not in these figures", " ".join(notes[:6]), "warning"))
    return blocks


def due(shown: TrendFacts) -> list[Block]:
    """List reviews and action items of all incidents that are due, overdue ones first."""
    time, playbook = shown.register.time, shown.register.playbook
    rows: list[tuple[bool, str, ChecklistItem]] = []
    for facts in shown.found.cases:
        for deadline in review_deadlines(facts, time, playbook):
            day, text = f"{deadline.due_at:%Y-%m-%d}", f"{deadline.incident_id}: {deadline.activity}"
            rows.append((deadline.is_overdue, day, _item(text, deadline.participants, day, deadline.is_overdue)))
        late = {key for key, _ in overdue_items(facts, time)}
        for key, item in item_ids(facts):
            if item.is_done:
                continue
            day = f"{item.due:%Y-%m-%d}" if item.due is not None else "no date"
            rows.append((key in late, day, _item(f"{key}: {item.text}", item.owner or "nobody yet", day, key in late)))
    rows.sort(key=lambda row: (not row[0], row[1]))
    number = sum(row[0] for row in rows)
    more = len(rows) - _MAX_DUE
    return [
        Heading("What is due"),
        Checklist(
            tuple(item for _, _, item in rows[:_MAX_DUE]),
            f"Reviews and action items: {len(rows)}, {number} overdue"
            + (f"; the first {_MAX_DUE}" if more > 0 else ""),
            "No review and no action item is due.",
        ),
    ]


def next_action(run: Run, shown: TrendFacts) -> Table:
    """Say what leadership asks for after the review."""
    where = where_option(shown.register)
    steps = []
    if shown.found.cases:
        steps.append(("The same numbers, for a spreadsheet", f"tars metrics --by-month --json{where}"))
        steps.append(("What is due, with who takes part", f"tars review{where}"))
    running = next((facts for facts in shown.found.cases if not facts.is_over), None)
    if running is not None:
        steps.append(("In progress", f"tars incident golden {running.incident_id}{where}"))
    over = next((facts for facts in shown.found.cases if facts.is_over), None)
    if over is not None:
        steps.append(("Once held, record: trend review", f"tars incident review {over.incident_id} trend{where}"))
    steps.append(("Run the checks again, for the next point", run_again(run)))
    return next_steps(*steps)


def value_of(one: MetricValue) -> str:
    """Return a metric's value for a reader, as `tars metrics` prints it; a dash where there is none."""
    return _text(one.value, one.unit)


def _text(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    return f"{value:.0%}" if unit == "ratio" else length_text(timedelta(minutes=value))


def _row(one: MetricValue) -> tuple[object, ...]:
    ends = (one.low, one.high)
    interval = "too few" if None in ends else f"{_text(one.low, one.unit)} – {_text(one.high, one.unit)}"
    return (
        one.name, float(one.n), value_of(one), _text(one.median, one.unit), _text(one.p90, one.unit),
        interval if one.value is not None else "-", one.target, _badge(one),
    )  # fmt: skip


_DURATIONS = (MetricId.MTTD, MetricId.MTTR, MetricId.SLA_RECOVERY)


def _lengths(shown: TrendFacts, key: MetricId) -> tuple[tuple[float, ...], tuple[float, ...], float | None]:
    found = lengths(key, shown.found.cases, shown.register.time)
    below = next((row.below for row in shown.register.playbook.metrics if row.metric_id is key), None)
    target = None if below is None else below / timedelta(minutes=1)
    return tuple(minutes for _, minutes in found.known), tuple(age for _, age in found.running), target


def _oldest(one: MetricValue) -> str:
    return "" if one.longest_open is None else f" (the oldest for {_text(one.longest_open, 'min')})"


def _verdict(one: MetricValue) -> MetricVerdict:
    """Return the verdict as `tars metrics` has it, but none on fewer incidents than a page judges by."""
    return MetricVerdict.UNKNOWN if one.n < MIN_JUDGED else one.verdict


def _badge(one: MetricValue) -> Badge:
    if 0 < one.n < MIN_JUDGED and one.verdict is not MetricVerdict.UNKNOWN:
        return Badge("Too few to judge", "unknown")
    return Badge(one.verdict.value.capitalize(), _TONES[one.verdict])


def _verdict_badge(shown: TrendFacts) -> Badge:
    verdicts = [_verdict(one) for one in shown.values]
    missed = verdicts.count(MetricVerdict.MISSED)
    if missed:
        return Badge(f"{plural(missed, 'target')} missed", "critical")
    if MetricVerdict.MET in verdicts:
        return Badge("Targets met", "good")
    return Badge("No target judged", "unknown")


def _item(text: str, who: str, due: str, is_overdue: bool) -> ChecklistItem:
    return ChecklistItem(text, owner=who, due=f"overdue since {due}" if is_overdue else due)
