"""What a run found as a number: exit codes, and which of them fail a build."""
