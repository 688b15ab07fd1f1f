"""Data management: definition groups, exports with change tracking, and the package files (protocol 2.2)."""
