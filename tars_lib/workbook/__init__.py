"""Functions that notebooks call: a run in, blocks of a report out."""
