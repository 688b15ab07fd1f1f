"""From real rows to proposed expectations: rows -> facts of columns -> proposals -> a file to judge."""
