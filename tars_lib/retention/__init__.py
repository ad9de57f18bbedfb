"""Retention: what is kept at hand, archived or deleted, and what a legal hold keeps where it is."""
