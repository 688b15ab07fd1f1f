"""Numbers of what the state keeps, for people who type them."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, String, Table, TextClause, cast, select

from projops.state.tables import IS_LIVE, conflict, dead_letter

_MOST = 50


def letters_like(connection: Connection, begun: str) -> Sequence[tuple[int, str]]:
    """Give numbers of live dead letters, and their maps, that begin with some digits, the newest first."""
    return _like(connection, dead_letter, begun, IS_LIVE)


def conflicts_like(connection: Connection, begun: str) -> Sequence[tuple[int, str]]:
    """Give numbers of conflicts, and their maps, that begin with some digits, the newest first."""
    return _like(connection, conflict, begun)


def _like(
    connection: Connection, table: Table, begun: str, *where: ColumnElement[bool] | TextClause
) -> Sequence[tuple[int, str]]:
    number = cast(table.c.id, String(20))
    query = select(table.c.id, table.c.map).where(number.startswith(begun, autoescape=True), *where)
    return [(row.id, row.map) for row in connection.execute(query.order_by(table.c.id.desc()).limit(_MOST))]
