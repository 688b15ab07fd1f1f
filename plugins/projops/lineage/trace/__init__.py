"""Lineage of one row: what it is on both sides, how it came about, and what became of it."""
