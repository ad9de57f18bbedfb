"""What a window holds: what maintenance excuses, what is missing, and what can be said all the same."""
