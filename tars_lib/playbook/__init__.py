"""What the playbook says for a finding: tables, and pure functions over them."""
