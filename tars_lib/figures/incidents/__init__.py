"""Figures of a response: escalation and durations."""
