"""The playbook as data and pure functions."""
