"""One module a report: the blocks that its notebook's cells show."""
