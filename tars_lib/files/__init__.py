"""Read files within bounds, write them whole or not at all, and turn dataclasses into JSON and back."""
