"""The incident register: one folder an incident, with its record and a timeline that nobody can rewrite unseen."""
