"""Readers of the forms in which others state their SLOs."""
