"""What people ask of the state: who writes, what a batch has set aside."""

from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, TextClause, func, select

from projops.state.clock import present
from projops.state.tables import IS_LIVE, conflict, dead_letter, lease


@dataclass(frozen=True, slots=True)
class SetAside:
    """Why a row was set aside: which row, in which stage, by which rule, and the sentence for people."""

    key: str | None
    status: str
    stage: str
    rule: str
    message: str


def letters_of(connection: Connection, batch_id: int) -> list[SetAside]:
    """Give the rows that a batch has set aside, oldest first."""
    return _letters(connection, dead_letter.c.batch == batch_id, IS_LIVE)


def settled_letters(connection: Connection, map_id: str, leg_id: str) -> frozenset[SetAside]:
    """Give the rows of a leg that no run tries again by itself: as a new entry of theirs would look."""
    mine = (dead_letter.c.map == map_id, dead_letter.c.leg == leg_id)
    dismissed = _letters(connection, *mine, dead_letter.c.status == "dismissed")
    kept = _letters(connection, *mine, dead_letter.c.status == "open", ~dead_letter.c.retriable)
    return frozenset(replace(each, status="open") for each in [*kept, *dismissed])


def conflicts_of(connection: Connection, batch_id: int) -> int:
    """Count the conflicts that a batch has met."""
    statement = select(func.count()).select_from(conflict).where(conflict.c.batch == batch_id)
    return int(connection.execute(statement).scalar_one())


def _letters(connection: Connection, *where: ColumnElement[bool] | TextClause) -> list[SetAside]:
    columns = (dead_letter.c[name] for name in SetAside.__slots__)
    rows = connection.execute(select(*columns).where(*where).order_by(dead_letter.c.id))
    return [SetAside(*row) for row in rows]


def writers(connection: Connection) -> dict[str, str]:
    """Give who holds each map's lease at this moment; one that has run out holds nothing."""
    alive = lease.c.expires_at > present(connection)
    rows = connection.execute(select(lease.c.map, lease.c.owner).where(alive))
    return {row.map: row.owner for row in rows}
