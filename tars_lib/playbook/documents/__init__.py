"""Texts that the playbook asks for: messages, postmortems and tickets."""
