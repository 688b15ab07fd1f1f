"""The database of the sandbox: tables from the schema, versions, tombstones, exact values."""

from sandbox.store.folding import fold, folded
from sandbox.store.store import OtherVersionError, Store, WriteUnit, last_commit

__all__ = ["OtherVersionError", "Store", "WriteUnit", "fold", "folded", "last_commit"]
