"""Inserts that give way to a row that is there: SQLite and Postgres write them alike."""

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_into(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Give the insert statement of the connection's database, with its `on_conflict_…` methods."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
