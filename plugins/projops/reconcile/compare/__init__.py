"""Compare: both sides read onto disk, buckets by digests, then rows by hashes, then columns."""
