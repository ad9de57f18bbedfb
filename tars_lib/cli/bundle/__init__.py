"""`tars bundle`: create, verify and hand over evidence bundles."""
