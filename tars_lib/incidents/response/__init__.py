"""What responders do: open, acknowledge, note, escalate, tell, close and follow up."""
