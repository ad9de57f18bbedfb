"""Content of a window: what maintenance excuses, what is missing, and what can be said all the same."""
