"""Which alerts does the state of an organisation raise?"""
