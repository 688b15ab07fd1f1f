"""Whose clock judges: the state database's, since those of the machines that share it may differ."""

from datetime import UTC, datetime

from sqlalchemy import Connection, func, select


def present(connection: Connection) -> datetime:
    """Give the time of the state database, aware, in UTC.

    Not the beginning of the transaction, which may have waited for a lock since. SQLite is of one
    machine, and has no other clock than that machine's.
    """
    if connection.dialect.name == "postgresql":
        now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return now.astimezone(UTC)
    return datetime.now(UTC)
