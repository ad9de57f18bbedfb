"""Figures of scores, trends, metrics and alerts."""
