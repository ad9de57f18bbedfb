"""Text for readers: visible characters, quantities and sentences."""
