"""Package for leadership: reports, figures and numbers of a run in one folder."""
