"""Which pairs of series are related, at which lag, and how sure is that?"""
