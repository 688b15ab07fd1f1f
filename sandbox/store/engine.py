"""Database engines: SQLite set up for exact values and one writer at a time, Postgres as it is."""

import sqlite3
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from sandbox.store.types import DECIMAL_COLLATION

WRITING = "sandbox_writing"
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "busy_timeout=60000",  # milliseconds
    "cache_size=-16384",  # KiB; the 2 MB of SQLite's own choice hold the indexes of no big table
)


def open_engine(url: str) -> sa.Engine:
    """Open `url`; connections with the execution option `sandbox_writing` begin as writers.

    Readers see one snapshot for as long as their transaction lasts (SQLite in WAL mode, Postgres
    REPEATABLE READ), so that the pages and the token of one answer agree with each other.
    """
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = sa.create_engine(parsed, pool_size=20, max_overflow=40)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return sa.create_engine(parsed, pool_size=20, max_overflow=20, isolation_level="READ COMMITTED")


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # SQLAlchemy's own transactions begin DEFERRED; _begin_sqlite decides instead.
    connection.isolation_level = None
    connection.create_function("sandbox_fold", 1, _fold, deterministic=True)
    connection.create_collation(DECIMAL_COLLATION, _compare_decimals)
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    writing = connection.get_execution_options().get(WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _fold(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text


def _compare_decimals(left: str, right: str) -> int:
    if left == right:
        return 0
    one, other = Decimal(left), Decimal(right)
    return (one > other) - (one < other)
