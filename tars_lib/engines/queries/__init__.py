"""Questions asked of a result: how one repository stands, what would change, what differs between runs."""
