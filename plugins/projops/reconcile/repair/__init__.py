"""Repair: rows that drifted go through the ordinary four stages."""
