"""Which legs' sources have told of changes, and whether anybody has looked since.

A signal is a wake-up and holds nothing of the change: one row a leg, however many come. It waits until a run
takes it, just before it looks at the source, so that a change after that look signals again.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, func, or_, select, tuple_, update

from projops.state.clock import present
from projops.state.leg_facts import Place
from projops.state.tables import signal, signal_count
from projops.state.upserts import insert_into


class Fate(StrEnum):
    """What became of a message about a change."""

    NOTED = "noted"
    OWN = "own"  # we made the change ourselves
    UNMAPPED = "unmapped"  # no leg reads the table
    NOT_OURS = "not_ours"  # without our secret
    FOREIGN = "foreign"  # of another environment
    TOO_LARGE = "too_large"
    GARBLED = "garbled"


@dataclass(frozen=True, slots=True)
class Signal:
    """What a leg's source has told.

    Attributes:
        map: Map id.
        leg: Direction.
        waiting_since: When the first came that no run has taken, UTC; None where none waits.
        last_at: When the last came, UTC.
        number: How many have come.
        taken_at: When a run last took what waited, UTC, or None.
        taken_by: That run, or None.
    """

    map: str
    leg: str
    waiting_since: datetime | None
    last_at: datetime
    number: int
    taken_at: datetime | None = None
    taken_by: str | None = None


def note(connection: Connection, numbers: Mapping[Place, int]) -> None:
    """Note that the sources of legs have changed; what waits already keeps its time.

    Args:
        connection: Open transaction.
        numbers: How many signals came, by leg.
    """
    if not numbers:
        return
    now = present(connection)
    # In one order, so that two writers of the same legs never wait for each other in a circle.
    rows = [
        {"map": name, "leg": leg, "waiting_since": now, "last_at": now, "number": number}
        for (name, leg), number in sorted(numbers.items())
    ]
    statement = insert_into(connection, signal).values(rows)
    new = statement.excluded
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[signal.c.map, signal.c.leg],
            set_={
                "waiting_since": func.coalesce(signal.c.waiting_since, new.waiting_since),
                "last_at": new.last_at,
                "number": signal.c.number + new.number,
            },
        )
    )


def waiting(connection: Connection) -> dict[Place, datetime]:
    """Give the legs whose signals nobody has taken, and since when each waits, UTC."""
    rows = connection.execute(
        select(signal.c.map, signal.c.leg, signal.c.waiting_since).where(signal.c.waiting_since.is_not(None))
    )
    return {(row.map, row.leg): row.waiting_since for row in rows}


def offered(connection: Connection, owner: str) -> set[Place]:
    """Give the legs that a run may take: those that wait, and those that its own earlier try has taken."""
    mine = or_(signal.c.waiting_since.is_not(None), signal.c.taken_by == owner)
    return {(row.map, row.leg) for row in connection.execute(select(signal.c.map, signal.c.leg).where(mine))}


def take(connection: Connection, legs: Collection[Place], owner: str) -> None:
    """Take what waits of some legs: from now on the next change of their sources is a new signal.

    Args:
        connection: Open transaction; the source is looked at only after its commit.
        legs: Legs that the run is about to look at.
        owner: The run.
    """
    if not legs:
        return
    connection.execute(
        update(signal)
        .where(
            signal.c.waiting_since.is_not(None),
            tuple_(signal.c.map, signal.c.leg).in_(sorted(legs)),
        )
        .values(waiting_since=None, taken_at=present(connection), taken_by=owner)
    )


def signals(connection: Connection) -> list[Signal]:
    """Give what each leg's source has told, by map and leg."""
    columns = [signal.c[name] for name in Signal.__slots__]
    return [Signal(*row) for row in connection.execute(select(*columns).order_by(signal.c.map, signal.c.leg))]


def count(connection: Connection, numbers: Mapping[tuple[str, Fate], int]) -> None:
    """Count messages of today (UTC), by system and what became of them."""
    if not numbers:
        return
    day = present(connection).date().isoformat()
    rows = [
        {"day": day, "system": system, "fate": fate.value, "number": number}
        for (system, fate), number in sorted(numbers.items())
    ]
    statement = insert_into(connection, signal_count).values(rows)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[signal_count.c.day, signal_count.c.system, signal_count.c.fate],
            set_={"number": signal_count.c.number + statement.excluded.number},
        )
    )


def counted_today(connection: Connection) -> dict[tuple[str, Fate], int]:
    """Give how many messages came today (UTC), by system and what became of them."""
    today = signal_count.c.day == present(connection).date().isoformat()
    rows = connection.execute(select(signal_count).where(today))
    return {(row.system, Fate(row.fate)): row.number for row in rows}
