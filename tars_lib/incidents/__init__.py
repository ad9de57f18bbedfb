"""Incidents: what happened and who did what, in a record that nobody can rewrite unseen."""
