"""Read configuration from YAML into plain dataclasses, or refuse it with file, key and what is allowed."""
