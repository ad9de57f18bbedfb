"""One series at a time: robust location and scale, seasonality, prewhitening and gaps."""
