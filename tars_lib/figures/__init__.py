"""Figures: result in, matplotlib Figure out."""
