"""The record of an incident on disk: an append-only timeline that nobody can rewrite unseen."""
