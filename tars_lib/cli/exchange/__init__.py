"""Commands that hand data in and verdicts out: check a root, export what was judged."""
