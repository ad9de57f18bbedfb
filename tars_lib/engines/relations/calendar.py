"""Cycles that people cause in their own metrics."""

CALENDAR_DAYS = (1, 7)
"""The day and the week."""
