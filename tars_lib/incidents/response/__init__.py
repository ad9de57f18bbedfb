"""Acts of responders: open, acknowledge, note, escalate, tell, close and follow up."""
