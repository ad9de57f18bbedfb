"""`tars incident`: open an incident, respond to it and follow it up."""
