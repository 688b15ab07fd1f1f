"""What rules about alerts are judged by: counts from the state, one statement each."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select

from projops.state.dead_letters import AWAITING
from projops.state.tables import dead_letter, delivery, invariant, leg, look

Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class BrokenBooks:
    """What must hold of the books of a company, and does not.

    Attributes:
        name: Name of the invariant.
        company: Company, "" where it is of none.
        count: For how many things it does not hold.
        message: What is wrong with the first of them.
    """

    name: str
    company: str
    count: int
    message: str


@dataclass(frozen=True, slots=True)
class Tried:
    """The latest attempt at a channel.

    Attributes:
        attempts: How often the message has been tried.
        given_up: Whether it is not tried again.
        error: Why it did not get through; None where it did.
    """

    attempts: int
    given_up: bool
    error: str | None


def open_since(connection: Connection, since: datetime | None) -> dict[Place, int]:
    """Count open dead letters by (map, error): all, or those first seen since a time."""
    where = [dead_letter.c.status == "open"]
    if since is not None:
        where.append(dead_letter.c.first_seen >= since)
    return _counted(connection, dead_letter.c.rule, *where)


def parked_before(connection: Connection, limit: datetime) -> dict[Place, int]:
    """Count the rows by (map, leg) that have been parked since before a time."""
    return _counted(
        connection, dead_letter.c.leg, dead_letter.c.status == "parked", dead_letter.c.first_seen < limit
    )


def awaiting(connection: Connection) -> dict[Place, int]:
    """Count the deletes by (map, leg) that nobody has approved yet."""
    return _counted(
        connection, dead_letter.c.leg, dead_letter.c.status == AWAITING, dead_letter.c.approved_at.is_(None)
    )


def in_step_at(connection: Connection) -> dict[Place, datetime]:
    """Say when each leg that has ever run was last known to be in step, in UTC.

    That is when a batch of it was committed, or when a later look at its source found nothing new:
    what the latest look found waits since that one, not since the commit.
    """
    on = (look.c.map == leg.c.map) & (look.c.leg == leg.c.leg)
    rows = connection.execute(
        select(leg.c.map, leg.c.leg, leg.c.committed_at, look.c.quiet_at)
        .outerjoin(look, on)
        .where(leg.c.committed_at.is_not(None))
    )
    return {
        (map_id, leg_id): max(each for each in times if each is not None) for map_id, leg_id, *times in rows
    }


def broken_books(connection: Connection, number: int) -> list[BrokenBooks]:
    """Give what a reconciliation found broken in the books, by name and company."""
    found = (invariant.c.name, invariant.c.company)
    rows = connection.execute(
        select(*found, func.count(), func.min(invariant.c.message))
        .where(invariant.c.reconciliation == number, ~invariant.c.holds, ~invariant.c.pending)
        .group_by(*found)
        .order_by(*found)
    )
    return [BrokenBooks(*row) for row in rows]


def channels_tried(connection: Connection, since: datetime) -> dict[str, Tried]:
    """Give the latest attempt at each channel since a time."""
    rows = connection.execute(
        select(delivery.c.channel, delivery.c.attempts, delivery.c.status, delivery.c.error)
        .where(delivery.c.tried_at >= since)
        .order_by(delivery.c.tried_at)
    )
    return {row.channel: Tried(row.attempts, row.status == "failed", row.error) for row in rows}


def _counted(connection: Connection, by: ColumnElement[str], *where: ColumnElement[bool]) -> dict[Place, int]:
    group = (dead_letter.c.map, by)
    rows = connection.execute(select(*group, func.count()).where(*where).group_by(*group))
    return {(map_id, name): number for map_id, name, number in rows}
