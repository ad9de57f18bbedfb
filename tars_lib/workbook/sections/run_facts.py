"""What several notebooks ask of a run: is anything known, whom does it hit, when did it begin?"""

from __future__ import annotations

from datetime import datetime
from itertools import groupby

from tars_lib.engines.sla.report import ComplianceResult
from tars_lib.model.names import SlaStatus
from tars_lib.pipeline import Run

_WORST_FIRST = {SlaStatus.BREACHED: 0, SlaStatus.AT_RISK: 1, SlaStatus.UNKNOWN: 2, SlaStatus.COMPLIANT: 3}


def is_dark(run: Run) -> bool:
    """Return whether something that ought to be judged could not be."""
    return bool(run.sla.summary.unknown) or not run.sla.summary.total or run.health.aggregate_score is None


def none_is(run: Run, what: str) -> str:
    """Return the sentence for nothing found, which claims no more than is known: "No SLA is (known to be) breached"."""
    return f"No SLA is {'known to be ' if is_dark(run) else ''}{what}"


def affected_repos(run: Run) -> tuple[str, ...]:
    """Return the repos that breach an SLA alone, each once, in the order of the breaches."""
    return tuple(dict.fromkeys(repo for breach in run.sla.breaches for repo in breach.repos))


def facing(run: Run, repos: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of the repos that customers see."""
    seen = {repo.repo for repo in run.org.repos if repo.customer_facing}
    return tuple(repo for repo in repos if repo in seen)


def since(run: Run) -> datetime | None:
    """Return the first onset of a breach; None where there is none or it has no date."""
    return min((b.started_at for b in run.sla.breaches if b.started_at is not None), default=None)


def worst_first(run: Run) -> list[ComplianceResult]:
    """Return all SLAs: breached, at risk, unknown, compliant; within each by priority."""
    return sorted(run.sla.compliance_results, key=lambda r: (_WORST_FIRST[r.status], r.priority, r.sla_id))


def risk_paragraphs(run: Run) -> tuple[str, ...]:
    """Return the risk narrative with a paragraph for each breach, since eleven lines in one are not read."""
    sentences = run.sla.risk_narrative.sentences
    groups = groupby(sentences, key=lambda one: one.sources[0].partition(".")[0] if one.sources else "")
    return tuple(" ".join(sentence.text for sentence in group) for _, group in groups)
