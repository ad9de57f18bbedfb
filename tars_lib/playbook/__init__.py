"""The playbook's answers to findings: tables, and pure functions over them."""
