"""The playbook's severities: how fast to respond, and who is told when nothing moves."""

from __future__ import annotations

from types import MappingProxyType

from tars_lib.playbook.packaged import PACKAGED
from tars_lib.playbook.tables import SeverityRow

__all__ = ["ESCALATION_AFTER", "SEVERITIES", "SeverityRow"]

SEVERITIES = MappingProxyType({row.severity: row for row in PACKAGED.severities})
"""The four severities with response times and the rungs of the escalation matrix (at once, 15 min, 30 min, 1 hour)."""

ESCALATION_AFTER = PACKAGED.escalation_after
"""When each rung of the escalation matrix is reached without progress."""
