"""Which SLAs are met, at risk or breached, since when and why?"""
