"""The organisation's score and its risk tier in words; where the two clash, why."""

from __future__ import annotations

import re

from tars_lib.engines.health.report import HealthReport
from tars_lib.engines.health.scores import tier_of
from tars_lib.model.names import RiskTier


def clash_text(health: HealthReport) -> str:
    """Return why the risk tier is not that of the score alone; empty where it is."""
    score = health.aggregate_score
    return "" if score is None or tier_of(score) is health.risk_tier else "; ".join(health.reasons)


def clash_note(health: HealthReport) -> str:
    """Return the same under a number, where capitals would shout."""
    return calm(clash_text(health))


def calm(text: str) -> str:
    """Return the names of risk tiers in small letters.

    Examples
    --------
    >>> calm("2 of 5 services are CRITICAL")
    '2 of 5 services are critical'
    """
    return re.sub("|".join(RiskTier), lambda tier: tier[0].lower(), text)


def risk_text(health: HealthReport) -> str:
    """Score and tier: "78 of 100, risk tier CRITICAL because 3 of 12 services are CRITICAL"."""
    score = "unknown" if health.aggregate_score is None else f"{health.aggregate_score:.0f} of 100"
    why = clash_text(health)
    return f"{score}, risk tier {health.risk_tier.value}{f' because {why}' if why else ''}"
