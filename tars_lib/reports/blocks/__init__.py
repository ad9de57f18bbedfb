"""The typed blocks of a report, and how they are read back from an executed notebook."""
