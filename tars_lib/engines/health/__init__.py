"""How healthy is each repository, and the organisation?"""
