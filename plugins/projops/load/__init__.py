"""Phase 4: idempotent writes, with an outcome for every single row."""
