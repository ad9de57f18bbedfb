"""The `tars` command."""
