"""Which repositories move together, who leads, and what do they share?"""
