"""Seeds: what a sandbox holds when it starts."""
