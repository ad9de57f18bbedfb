"""What do the systems know that have the data? One module a kind, all by one protocol; `table.py` is the one table of them."""
