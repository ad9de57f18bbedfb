"""Incidents and alerts as on-call tools and status pages export them."""
