"""What is wrong with a root, and where? Every refusal and warning, with file, row and column."""
