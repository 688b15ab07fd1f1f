"""What is on its way to a target right now: marked before it is sent, unmarked when its outcome is committed.

A writer marks the rows of a chunk under its lease's token. A mark of another token says that its
writer fell silent half-way: whether, and when, those rows were written is in doubt. So the load
reads them from the target and decides anew instead of trusting the crosswalk, and the next extract
of the leg reads them afresh from the source: a *look*. One look is not enough, since Dynamics knows
no fencing tokens: a machine that froze may send its last request when it wakes up. Looks are repeated,
ever more seldom, until the mark *settles*: soon after the writer has come back and reported, or, if
it never does, a day after it began (`Settings.in_flight_hours`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from projops.state.clock import present
from projops.state.tables import in_flight, lease

Digests = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Doubt:
    """A row that a silent writer may have written, or may yet write.

    Attributes:
        source_id: Identity of the source row.
        key: Integration key text.
        shared: Digests of the shared columns that were sent, by target column; None without any.
    """

    source_id: str
    key: str
    shared: Digests | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """What one writer had on its way when it fell silent.

    Attributes:
        leg: Direction.
        is_open: Whether no look has been ended since its writer fell silent, or since one began.
        execution: Import of Finance's by which the rows travel, or None: it goes on without its writer.
        rows: The rows.
    """

    leg: str
    is_open: bool
    rows: Sequence[Doubt]
    execution: str | None = None


@dataclass(frozen=True, slots=True)
class Writing:
    """Who marks: a leg's batch, under the token of a lease."""

    map: str
    leg: str
    batch: int
    token: str


def record(
    connection: Connection,
    writing: Writing,
    rows: Sequence[Doubt],
    settles_in: timedelta,
    execution: str | None = None,
) -> int:
    """Mark rows that are about to be sent; give the number of the mark.

    Args:
        connection: Open transaction, to be committed before they are sent.
        writing: Who sends them.
        rows: The rows.
        settles_in: When they need no look any more if their writer never comes back.
        execution: Import by which they travel, or None for requests.
    """
    now = present(connection)
    statement = insert(in_flight).values(
        map=writing.map,
        leg=writing.leg,
        batch=writing.batch,
        token=writing.token,
        execution=execution,
        rows=orjson.dumps([(row.source_id, row.key, row.shared) for row in rows], default=dict).decode(),
        begun_at=now,
        settles_at=now + settles_in,
    )
    return int(connection.execute(statement.returning(in_flight.c.id)).scalar_one())


def landed(connection: Connection, token: str, marks: Sequence[int]) -> None:
    """Take away marks of a writer, in the transaction that commits what became of their rows.

    What else the writer has marked, as for a request that crashed half-way, stays in doubt.
    """
    if marks:
        mine = (in_flight.c.token == token, in_flight.c.id.in_(marks))
        connection.execute(delete(in_flight).where(*mine))


def report(connection: Connection, token: str, grace: timedelta) -> None:
    """Note that a writer sends nothing more of what it has marked: only an answer may still be on its way.

    Args:
        connection: Open transaction.
        token: The writer's.
        grace: How long a request that was sent may still take effect.
    """
    statement = update(in_flight).where(in_flight.c.token == token)
    connection.execute(statement.values(settles_at=present(connection) + grace, look=None, looked_at=None))


def of_others(connection: Connection, map_id: str, token: str) -> list[Mark]:
    """Give the marks that other writers of a map have left, to the holder of its lease.

    Args:
        connection: Open transaction.
        map_id: Map.
        token: The holder's own.
    """
    marks = connection.execute(
        select(in_flight)
        .where(in_flight.c.map == map_id, in_flight.c.token != token)
        .order_by(in_flight.c.id)
    )
    return [
        Mark(
            mark["leg"], mark["looked_at"] is None or mark["look"] is not None, _rows(mark), mark["execution"]
        )
        for mark in marks.mappings()
    ]


def marked(connection: Connection, map_id: str, leg: str) -> frozenset[str]:
    """Give the source rows of a leg that anybody has on the way, or had when it fell silent."""
    marks = connection.execute(
        select(in_flight.c.rows).where(in_flight.c.map == map_id, in_flight.c.leg == leg)
    )
    return frozenset(row.source_id for mark in marks.mappings() for row in _rows(mark))


def is_due(connection: Connection, map_id: str, leg: str, pause: timedelta) -> bool:
    """Say whether marks of silent writers are to be looked at now.

    Args:
        connection: Open transaction.
        map_id: Map.
        leg: Direction.
        pause: Shortest time between two looks; the older a mark, the longer.
    """
    return bool(_due(connection, map_id, leg, pause))


def look(connection: Connection, map_id: str, leg: str, batch: int, pause: timedelta) -> list[Doubt]:
    """Begin a look, by the batch that reads these rows afresh from the source.

    Returns:
        The rows, oldest mark first.
    """
    due = _due(connection, map_id, leg, pause)
    if not due:
        return []
    chosen = in_flight.c.id.in_(due)
    connection.execute(update(in_flight).where(chosen).values(look=batch, looked_at=present(connection)))
    marks = connection.execute(select(in_flight.c.rows).where(chosen).order_by(in_flight.c.id))
    return [row for mark in marks.mappings() for row in _rows(mark)]


def end_look(connection: Connection, batch: int) -> None:
    """End the look of a batch that is being committed: marks that had settled when it began are gone."""
    mine = in_flight.c.look == batch
    connection.execute(delete(in_flight).where(mine, in_flight.c.looked_at >= in_flight.c.settles_at))
    connection.execute(update(in_flight).where(mine).values(look=None))


def _due(connection: Connection, map_id: str, leg: str, pause: timedelta) -> list[int]:
    now = present(connection)
    writes_on = select(lease.c.token).where(lease.c.map == map_id, lease.c.expires_at >= now)
    facts = (in_flight.c[name] for name in ("id", "begun_at", "settles_at", "look", "looked_at"))
    marks = connection.execute(
        select(*facts)
        .where(in_flight.c.map == map_id, in_flight.c.leg == leg, in_flight.c.token.not_in(writes_on))
        .order_by(in_flight.c.id)
    )
    return [mark["id"] for mark in marks.mappings() if _wants_look(mark, now, pause)]


def _wants_look(mark: RowMapping, now: datetime, pause: timedelta) -> bool:
    """Each look is a quarter older than the one before; the last one follows once the mark has settled."""
    begun_at, looked_at = mark["begun_at"], mark["looked_at"]
    if looked_at is None or mark["look"] is not None or mark["settles_at"] <= now:
        return True
    return bool(now - looked_at >= max(pause, (looked_at - begun_at) / 4))


def _rows(mark: RowMapping) -> list[Doubt]:
    return [Doubt(*row) for row in orjson.loads(mark["rows"])]
