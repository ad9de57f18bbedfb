"""Times as a reader sees them."""

MINUTES = "%Y-%m-%d %H:%M UTC"
"""Format of a time that is in UTC: ``f"{time:{MINUTES}}"``."""
SECONDS = "%Y-%m-%dT%H:%M:%SZ"
"""ISO 8601 of a time that is in UTC, to the second."""
