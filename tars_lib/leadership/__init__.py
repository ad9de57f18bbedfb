"""What leadership is handed of a run: reports, figures and numbers in one folder."""
