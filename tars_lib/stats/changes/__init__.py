"""Changes of a series: break points, shifts of level and trends."""
