"""Short forms of a run: executive summary, job summary, annotations and JUnit."""
