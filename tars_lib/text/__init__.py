"""What a reader sees: visible characters, quantities and sentences."""
