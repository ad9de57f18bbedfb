"""How data come into an org-health folder."""
