"""What is kept at hand, what is archived or deleted, and what a legal hold keeps where it is."""
