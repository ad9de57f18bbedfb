"""What do other systems read? Verdicts as metrics, policies as Prometheus rules and as OpenSLO."""
