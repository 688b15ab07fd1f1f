"""Source rows into target rows: mapping operators over whole columns, then target checks."""
