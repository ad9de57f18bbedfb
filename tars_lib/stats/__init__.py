"""Statistics on arrays; they know no repos and no SLAs."""
