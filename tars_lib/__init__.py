"""T.A.R.S., the incident workbook: engines, playbook, reports."""

__version__ = "0.1.0"
