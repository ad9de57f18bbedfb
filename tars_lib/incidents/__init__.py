"""What happened in an incident and who did what, in a record that nobody can rewrite unseen."""
