"""What a notebook is given: parameters, the run, past runs and the incident register."""
