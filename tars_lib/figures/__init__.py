"""What a result looks like: result in, matplotlib Figure out."""
