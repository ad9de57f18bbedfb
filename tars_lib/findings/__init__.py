"""Findings of a run as a number: exit codes, and which of them fail a build."""
