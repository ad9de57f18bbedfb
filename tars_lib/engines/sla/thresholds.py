"""From which probability on something is said as likely."""

STANDS_OUT = 0.5
"""Confidence from which a cause is named as the most likely one and acted upon; judgement: more likely right than wrong."""
LIKELY = 0.5
"""More likely than not: decided in the contract of the formats."""
