"""Pulls into a root, whole or not at all: asking, the gate, the files, the record of it."""
