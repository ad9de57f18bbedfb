"""Commands that bring data into an org-health folder, check them there, and let verdicts leave it."""
