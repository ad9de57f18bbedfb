"""Samples as dashboards, databases of metrics and load tests export them."""
