"""How data come into an org-health folder and are checked there, and how verdicts leave it."""
