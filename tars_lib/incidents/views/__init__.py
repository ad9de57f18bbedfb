"""What a record says: clocks, next steps, overdue work, and the facts that the playbook judges."""
