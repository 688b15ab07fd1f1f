"""What one stage hands to the next: Parquet files under one root, local or on object storage."""

from projops.staging.folder import Manifest, StageWriter, Staging

__all__ = ["Manifest", "StageWriter", "Staging"]
