"""The database of the sandbox: tables from the schema, versions, tombstones, exact values."""

from sandbox.store.folding import fold, folded
from sandbox.store.store import OtherVersionError, Store, last_commit
from sandbox.store.unit import WriteUnit

__all__ = ["OtherVersionError", "Store", "WriteUnit", "fold", "folded", "last_commit"]
