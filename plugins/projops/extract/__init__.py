"""Phase 1: changed rows since the watermark, with what they refer to, as Parquet chunks."""
