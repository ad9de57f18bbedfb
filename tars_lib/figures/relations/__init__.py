"""Figures of correlation, lead-lag and turning points."""
