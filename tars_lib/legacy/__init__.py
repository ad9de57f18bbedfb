"""Whatever exists for the predecessor's files and options alone."""
