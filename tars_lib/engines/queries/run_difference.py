"""What got better and what got worse between two runs?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tars_lib.engines.alerts.report import AlertReport
from tars_lib.engines.difference import Difference, Direction, sense_of
from tars_lib.engines.health.report import HealthReport
from tars_lib.engines.relations.lead_lag_report import TemporalReport
from tars_lib.engines.report import Report
from tars_lib.engines.sla.report import SlaReport
from tars_lib.engines.steps import STEPS
from tars_lib.findings.exit_codes import DECISION_ORDER
from tars_lib.model.names import SlaStatus
from tars_lib.text.quantities import value_text
from tars_lib.text.sentences import Telling, Told
from tars_lib.text.times import MINUTES

if TYPE_CHECKING:
    import pandas as pd

MIN_POINTS = 1.0
"""Scores that moved by less are not listed; judgement: a point of a hundred is what a reader sees."""
MAX_TOLD = 12
"""Changes told in sentences; judgement: what fits on a screen. `frame` has all."""
_RANK = {SlaStatus.BREACHED: 0, SlaStatus.AT_RISK: 1, SlaStatus.UNKNOWN: 1, SlaStatus.COMPLIANT: 2}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Comparison(Telling):
    """Changes between two times, worst first."""

    before: datetime
    after: datetime
    changes: tuple[Difference, ...]

    @property
    def frame(self) -> pd.DataFrame:
        """Return a row a change: subject, direction, before, after, delta."""
        import pandas as pd

        names = ["subject", "direction", "before", "after", "delta"]
        return pd.DataFrame([{name: getattr(change, name) for name in names} for change in self.changes], columns=names)

    def told(self) -> Told:
        """Return what got worse, what changed, what got better."""
        counted = Counter(change.direction for change in self.changes)
        totals = ", ".join(f"{counted[way]} {way.value.lower()}" for way in Direction if counted[way])
        return Told.of(
            (
                f"From {self.before:{MINUTES}} to {self.after:{MINUTES}}: {totals or 'nothing changed'}.",
                *(
                    f"{change.direction.value}: {change.subject}: {change.before} -> {change.after}."
                    for change in self.changes[:MAX_TOLD]
                ),
                f"{len(self.changes) - MAX_TOLD} more in .frame." if len(self.changes) > MAX_TOLD else "",
            )
        )


def compare(before: Mapping[str, Report], after: Mapping[str, Report]) -> tuple[Difference, ...]:
    """Return the changes from one run to another, worst first, then in the order of the playbook's decision tree.

    A verdict that became UNKNOWN is a change for the worse where it was COMPLIANT, and no improvement where it was not.

    Parameters
    ----------
    before, after : mapping
        Name of a step to its report; a step that one of them lacks is not compared.
    """
    changes = [
        change
        # a later engine stands higher in the decision tree
        for step in reversed(STEPS.values())
        if step.name in before and step.name in after
        for change in step.load_differences()(before[step.name], after[step.name])
    ]
    order = {Direction.WORSE: 0, Direction.CHANGED: 1, Direction.BETTER: 2}
    return tuple(sorted(changes, key=lambda change: order[change.direction]))


def finding_changes(before: Report, after: Report) -> Iterator[Difference]:
    """Compare what two reports of one kind found at all: their places in the decision tree."""
    if before.finding == after.finding:
        return
    subject = f"finding of {before.report_id.rpartition('-')[0].replace('-', ' ')}"
    ranks = [
        DECISION_ORDER.index(report.exit_code) if report.exit_code in DECISION_ORDER else len(DECISION_ORDER)
        for report in (before, after)
    ]
    yield Difference(subject, sense_of(ranks[1] - ranks[0], True), before.finding, after.finding)


def sla_changes(before: SlaReport, after: SlaReport) -> Iterator[Difference]:
    """Compare verdicts, values and readiness."""
    old = {result.sla_id: result for result in before.compliance_results}
    new = {result.sla_id: result for result in after.compliance_results}
    for sla_id in sorted(old.keys() | new.keys()):
        earlier, later = old.get(sla_id), new.get(sla_id)
        if earlier is None or later is None:
            states = tuple("not judged" if r is None else r.status.value for r in (earlier, later))
            yield Difference(f"SLA {sla_id}", Direction.CHANGED, states[0], states[1])
            continue
        delta = None if earlier.value is None or later.value is None else later.value - earlier.value
        texts = tuple(f"{r.status.value} {value_text(r.value, r.unit)}" for r in (earlier, later))
        if earlier.status is not later.status:
            gain = _RANK[later.status] - _RANK[earlier.status]
            unknown = SlaStatus.UNKNOWN in (earlier.status, later.status)
            better = Direction.CHANGED if unknown else Direction.BETTER
            yield Difference(
                f"SLA {sla_id}",
                better if gain > 0 else Direction.WORSE if gain < 0 else Direction.CHANGED,
                texts[0],
                texts[1],
                delta,
            )
        elif delta is not None and texts[0] != texts[1]:
            yield Difference(f"SLA {sla_id}", sense_of(delta, later.higher_is_better), texts[0], texts[1], delta)
    ready = (before.executive_readiness.readiness_score, after.executive_readiness.readiness_score)
    yield from _score("readiness", *ready)


def health_changes(before: HealthReport, after: HealthReport) -> Iterator[Difference]:
    """Compare the scores of the organisation and of each repo."""
    yield from _score("organisation health", before.aggregate_score, after.aggregate_score)
    old: Mapping[str, float | None] = before.repository_scores
    new: Mapping[str, float | None] = after.repository_scores
    for repo in sorted(old.keys() | new.keys()):
        yield from _score(f"health of {repo}", old.get(repo), new.get(repo))


def _score(subject: str, before: float | None, after: float | None) -> Iterator[Difference]:
    if before is None and after is None:
        return
    texts = tuple("unknown" if score is None else f"{score:.1f}" for score in (before, after))
    if before is None or after is None:
        yield Difference(subject, Direction.WORSE if after is None else Direction.CHANGED, texts[0], texts[1])
    elif abs(after - before) >= MIN_POINTS:
        yield Difference(subject, sense_of(after - before, True), texts[0], texts[1], after - before)


def alert_changes(before: AlertReport, after: AlertReport) -> Iterator[Difference]:
    """Compare which alerts are raised."""
    old = {alert.fingerprint: alert for alert in before.alerts}
    new = {alert.fingerprint: alert for alert in after.alerts}
    for fingerprint in sorted(new.keys() - old.keys()):
        alert = new[fingerprint]
        yield Difference(f"alert {alert.title}", Direction.WORSE, "absent", alert.severity.value)
    for fingerprint in sorted(old.keys() - new.keys()):
        alert = old[fingerprint]
        yield Difference(f"alert {alert.title}", Direction.BETTER, alert.severity.value, "cleared")


def path_changes(before: TemporalReport, after: TemporalReport) -> Iterator[Difference]:
    """Compare the impact of propagation paths."""
    old = {" -> ".join(path.path): path for path in before.propagation_paths}
    new = {" -> ".join(path.path): path for path in after.propagation_paths}
    for name in sorted(old.keys() | new.keys()):
        earlier, later = old.get(name), new.get(name)
        impacts = tuple(path.impact_score if path is not None else 0.0 for path in (earlier, later))
        if earlier is not None and later is not None and abs(impacts[1] - impacts[0]) < MIN_POINTS:
            continue
        texts = tuple("absent" if path is None else f"impact {path.impact_score:.0f}" for path in (earlier, later))
        yield Difference(
            f"path {name}", sense_of(impacts[1] - impacts[0], False), texts[0], texts[1], impacts[1] - impacts[0]
        )
