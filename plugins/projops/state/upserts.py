"""Inserts that give way to a row that is there: SQLite and Postgres write them alike."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine

Insert = postgresql.Insert | sqlite.Insert


def insert_into(connection: Connection, table: Table) -> Insert:
    """Give the insert statement of the connection's database, with its `on_conflict_…` methods."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def insert_rows(connection: Connection, statement: Insert, rows: Sequence[Sequence[Any]]) -> None:
    """Insert many rows in the driver's own words: to bind a row by names costs thrice its insert.

    Args:
        connection: Open transaction.
        statement: What `insert_into` gave, without values of its own.
        rows: A value for each column of the table, in their order; at least one row.
    """
    dialect, columns = connection.dialect, statement.table.columns
    named = statement.values({column.name: bindparam(column.name) for column in columns})
    bound = [
        _bound(column.type, dialect, values)
        for column, values in zip(columns, zip(*rows, strict=True), strict=True)
    ]
    parameters: Any = list(zip(*bound, strict=True))
    if not dialect.positional:
        parameters = [dict(zip(columns.keys(), row, strict=True)) for row in parameters]
    connection.exec_driver_sql(str(named.compile(dialect=dialect)), parameters)


def _bound(kind: TypeEngine[Any], dialect: Dialect, values: Sequence[Any]) -> Iterable[Any]:
    bind = kind.dialect_impl(dialect).bind_processor(dialect)
    return values if bind is None else map(bind, values)
