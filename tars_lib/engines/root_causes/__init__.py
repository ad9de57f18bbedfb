"""Which repository caused the deviation of a target, and how sure is that?"""
