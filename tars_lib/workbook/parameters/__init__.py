"""Input of a notebook: parameters, the run, past runs and the incident register."""
