"""How a reader sees a time."""

MINUTES = "%Y-%m-%d %H:%M UTC"
"""Format of a time that is in UTC: ``f"{time:{MINUTES}}"``."""
