"""Conclusions from the data: an organisation and earlier results in, a frozen report out."""
