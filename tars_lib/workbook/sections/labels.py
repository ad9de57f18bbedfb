"""Tones and words for verdicts, the same in every report."""

from __future__ import annotations

from tars_lib.engines.sla.report import ComplianceResult
from tars_lib.model.names import ReadinessTier, RiskTier, SlaStatus
from tars_lib.reports.blocks.kinds import Badge, Tone

_SLA: dict[SlaStatus, Tone] = {
    SlaStatus.BREACHED: "critical",
    SlaStatus.AT_RISK: "warning",
    SlaStatus.COMPLIANT: "good",
    SlaStatus.UNKNOWN: "unknown",
}
_READINESS: dict[ReadinessTier, Tone] = {
    ReadinessTier.RED: "critical",
    ReadinessTier.YELLOW: "warning",
    ReadinessTier.GREEN: "good",
    ReadinessTier.UNKNOWN: "unknown",
}
_RISK: dict[RiskTier, Tone] = {
    RiskTier.CRITICAL: "critical",
    RiskTier.HIGH: "critical",
    RiskTier.MEDIUM: "warning",
    RiskTier.LOW: "good",
    RiskTier.UNKNOWN: "unknown",
}


def sla_badge(status: SlaStatus) -> Badge:
    """Return the badge of an SLA's verdict."""
    return Badge(status.value.replace("_", " ").capitalize(), _SLA[status])


def readiness_tone(tier: ReadinessTier) -> Tone:
    """Return the tone of a readiness tier."""
    return _READINESS[tier]


def risk_tone(tier: RiskTier) -> Tone:
    """Return the tone of a risk tier."""
    return _RISK[tier]


def listed(names: tuple[str, ...], limit: int = 4) -> str:
    """Return some names and how many more.

    Examples
    --------
    >>> listed(("a", "b", "c"), limit=2)
    'a, b and 1 more'
    """
    names = tuple(label_of(name, 80) for name in names)
    if len(names) <= limit:
        return ", ".join(names)
    return f"{', '.join(names[:limit])} and {len(names) - limit} more"


def label_of(name: str, limit: int = 40) -> str:
    """Return a name for a narrow place; a cut ends with an ellipsis."""
    return name if len(name) <= limit else name[: limit - 1] + "…"


def objective_sign(result: ComplianceResult) -> str:
    """Return which way the objective bounds."""
    return "≥" if result.higher_is_better else "≤"
