"""The mapping language: what a table map says, read from YAML and checked against both systems."""
