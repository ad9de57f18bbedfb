"""Views of a record: clocks, next steps, overdue work, and the facts that the playbook judges."""
