"""Codes and flags of the predecessor's commands."""

from tars_lib.findings.exit_codes import EXIT_CODES

IGNORED_FLAGS = tuple(
    f"--fail-on-{what}"
    for what in (
        "critical", "breach", "at-risk", "warning", "any", "high-risk", "alerts", "anomaly", "correlation", "correlations",
        "propagation", "any-alert", "any-correlation", "critical-anomaly", "critical-propagation",
    )
)  # fmt: skip
"""Flags that are accepted and change nothing: the true code is always returned."""


def legacy_zero(engine: str) -> int:
    """Return what `--legacy-exit-codes` returns instead of 0: the first number of the ten that the engine's codes are of."""
    return min((code for code, entry in EXIT_CODES.items() if entry.source == engine), default=0) // 10 * 10
