"""Figures of SLAs: budgets, breaches, causes and readiness."""
