"""Retention: what is kept at hand, what is archived, what is deleted, and what a legal hold keeps where it is."""
