"""Expectations on source rows: bad rows are set aside, too many bad rows stop the leg."""
