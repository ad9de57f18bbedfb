"""Execute notebooks on a run, each in a kernel of its own."""
