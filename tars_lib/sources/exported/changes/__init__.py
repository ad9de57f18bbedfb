"""Deployments as git hosts and tools for DORA's four keys export them, and the catalogue of services."""
