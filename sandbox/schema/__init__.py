"""What tables and entities exist, as frozen values read from packaged JSON."""
