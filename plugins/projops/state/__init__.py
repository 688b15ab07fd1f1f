"""The state database: watermarks, batches, crosswalk, dead letters, leases.

The only package that touches it. Functions take a SQLAlchemy connection and values and run inside
the caller's transaction, so that a chunk's outcomes and its crosswalk are committed together.
"""

from projops.state.store import StateStore

__all__ = ["StateStore"]
