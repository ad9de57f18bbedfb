"""The engine commands: health, alerts, correlation, temporal and sla."""
