"""The evidence bundle: what goes in, how it is sealed, and how an outsider finds out whether it was altered."""
