"""When does a series cross a limit?"""
