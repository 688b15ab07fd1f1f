"""Many rows into one table, at the drivers' own speed.

SQLAlchemy binds every value of every row by its name, which costs more than the databases themselves
do. Here values come column by column: each column is bound in one go, the rows are put together once,
and the driver takes them all in one call (`executemany` of SQLite, COPY of Postgres).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql as pg
from sqlalchemy.exc import IntegrityError

Columns = Mapping[str, Sequence[Any]]


def by_column(rows: Sequence[Mapping[str, Any]], blanks: Mapping[str, Any]) -> dict[str, Sequence[Any]]:
    """Turn rows into columns, `blanks` where a row says nothing.

    Columns that no row names and that are blank anyway are left out.
    """
    names = set().union(*rows)
    columns: dict[str, Sequence[Any]] = {
        name: [row.get(name, blank) for row in rows]
        for name, blank in ((name, blanks.get(name)) for name in names)
    }
    rest = {name: blank for name, blank in blanks.items() if blank is not None and name not in names}
    return columns | {name: list(repeat(blank, len(rows))) for name, blank in rest.items()}


def insert_columns(connection: sa.Connection, table: sa.Table, columns: Columns) -> None:
    """Insert rows that are given by column; columns that are not given stay null.

    Args:
        connection: Of a write transaction.
        table: Where to.
        columns: Values by name, all of one length: what the column's SQL type binds.

    Raises:
        sqlalchemy.exc.IntegrityError: A key occurs twice, or a value is missing.
    """
    names = tuple(column.name for column in table.columns if column.name in columns)
    rows = list(zip(*(_bound(connection, table.c[name], columns[name]) for name in names), strict=True))
    if connection.dialect.name == "postgresql" and len(rows) > 1:
        _copy(connection, table, names, rows)
    else:
        _execute(connection, _insert(table, names, connection.dialect), rows)


def update_columns(
    connection: sa.Connection, table: sa.Table, row_ids: Sequence[Any], columns: Columns
) -> None:
    """Change rows one after the other, each named by its primary key; a row may occur more than once.

    Args:
        connection: Of a write transaction.
        table: Whose rows.
        row_ids: Primary keys.
        columns: New values by name, as many of each as there are keys.

    Raises:
        sqlalchemy.exc.IntegrityError: A key occurs twice.
    """
    names = tuple(column.name for column in table.columns if column.name in columns)
    values = (_bound(connection, table.c[name], columns[name]) for name in names)
    rows = list(zip(*values, row_ids, strict=True))
    _execute(connection, _update(table, names, connection.dialect), rows)


def _bound(connection: sa.Connection, column: sa.Column[Any], values: Sequence[Any]) -> Iterable[Any]:
    bind = _binder(column, connection.dialect)
    return values if bind is None else map(bind, values)


@lru_cache(maxsize=8192)
def _binder(column: sa.Column[Any], dialect: sa.Dialect) -> Callable[[Any], Any] | None:
    return column.type.dialect_impl(dialect).bind_processor(dialect)


@dataclass(frozen=True, slots=True)
class _Statement:
    """A statement in the words of a driver.

    Attributes:
        text: With a place for each value.
        names: Of the values where the driver goes by name, None where it goes by their order.
    """

    text: str
    names: tuple[str, ...] | None


def _execute(connection: sa.Connection, statement: _Statement, rows: list[tuple[Any, ...]]) -> None:
    names = statement.names
    parameters: Any = rows if names is None else [dict(zip(names, row, strict=True)) for row in rows]
    connection.exec_driver_sql(statement.text, parameters)


@lru_cache(maxsize=4096)
def _insert(table: sa.Table, names: tuple[str, ...], dialect: sa.Dialect) -> _Statement:
    """Return the statement for values in the order of `names`, which is that of the table."""
    return _statement(sa.insert(table).values({name: sa.bindparam(name) for name in names}), names, dialect)


@lru_cache(maxsize=4096)
def _update(table: sa.Table, names: tuple[str, ...], dialect: sa.Dialect) -> _Statement:
    """Return the statement for values in the order of `names`, which is that of the table, and a key."""
    [primary] = table.primary_key
    places = tuple(f"new_{name}" for name in names)
    values: dict[str, Any] = {name: sa.bindparam(place) for name, place in zip(names, places, strict=True)}
    changed = sa.update(table).values(values).where(primary == sa.bindparam("row_id"))
    return _statement(changed, (*places, "row_id"), dialect)


def _statement(element: sa.UpdateBase, names: tuple[str, ...], dialect: sa.Dialect) -> _Statement:
    return _Statement(str(element.compile(dialect=dialect)), None if dialect.positional else names)


def _copy(
    connection: sa.Connection, table: sa.Table, names: Sequence[str], rows: Iterable[tuple[Any, ...]]
) -> None:
    statement = pg.SQL("COPY {} ({}) FROM STDIN").format(
        pg.Identifier(table.name), pg.SQL(", ").join(map(pg.Identifier, names))
    )
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except psycopg.IntegrityError as error:
        raise IntegrityError(f"COPY {table.name}", None, error) from error
