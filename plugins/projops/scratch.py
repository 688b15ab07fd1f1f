"""Databases of the moment: what a batch remembers of very many rows, on disk."""

import sqlite3
import weakref

_CACHE_KIB = 16_384


def scratch_database(owner: object, schema: str) -> sqlite3.Connection:
    """Open a temporary database that goes with its owner.

    SQLite keeps it in its cache until that is full, and then in a file that has no name.

    Args:
        owner: The object whose end closes it.
        schema: Statements that make its tables.
    """
    database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    weakref.finalize(owner, database.close)
    for setting in (f"cache_size = -{_CACHE_KIB}", "journal_mode = OFF", "synchronous = OFF"):
        database.execute(f"PRAGMA {setting}")
    database.executescript(schema)
    return database
