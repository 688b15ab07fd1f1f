"""Many rows into one table, at the drivers' own speed.

SQLAlchemy binds every value of every row by its name, which costs more than the databases themselves
do. Here values come column by column: each column is bound in one go, the rows are put together once,
and the driver takes them all in one call (`executemany` of SQLite, COPY of Postgres).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
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
    bound = [_bound(bind, columns[name]) for name, bind in _binders(table, names, connection.dialect)]
    rows = zip(*bound, strict=True)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_insert_text(table, names, connection.dialect), list(rows))
    else:
        _copy(connection, table, names, rows)


_Bind = Callable[[Any], Any] | None


def _bound(bind: _Bind, values: Sequence[Any]) -> Iterable[Any]:
    return values if bind is None else map(bind, values)


@lru_cache(maxsize=1024)
def _binders(table: sa.Table, names: tuple[str, ...], dialect: sa.Dialect) -> tuple[tuple[str, _Bind], ...]:
    types = ((name, table.c[name].type) for name in names)
    return tuple((name, kind.dialect_impl(dialect).bind_processor(dialect)) for name, kind in types)


@lru_cache(maxsize=1024)
def _insert_text(table: sa.Table, names: tuple[str, ...], dialect: sa.Dialect) -> str:
    """Return the statement with a place for each of the names, which are in the order of the table."""
    return str(sa.insert(table).values({name: sa.bindparam(name) for name in names}).compile(dialect=dialect))


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
