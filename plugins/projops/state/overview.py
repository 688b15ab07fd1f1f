"""What people ask of the state: how each leg stands."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, TextClause, func, select

from projops.state.tables import IS_LIVE, batch, conflict, dead_letter, lease, leg


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
    rows = connection.execute(
        select(lease.c.map, lease.c.owner).where(lease.c.expires_at > datetime.now(UTC))
    )
    return {row.map: row.owner for row in rows}


def leg_overview(connection: Connection) -> list[dict[str, Any]]:
    """Give a row for each leg that has run: when it was last in step, its last batch, rows set aside.

    A leg that has never run has a row where rows are set aside: Finance's jobs tell of any map's rows.
    """
    aside = _set_aside(connection)
    legs = connection.execute(
        select(leg.c.map, leg.c.leg, leg.c.committed_at, batch.c.id, batch.c.loaded, batch.c.mapping_version)
        .join(batch, batch.c.id == leg.c.batch)
        .order_by(leg.c.map, leg.c.leg)
    )
    facts = {
        (row.map, row.leg): {
            "in_step_at": row.committed_at.isoformat(timespec="seconds"),
            "batch": row.id,
            "loaded": row.loaded,
            "version": row.mapping_version,
        }
        for row in legs
    }
    never = {"in_step_at": None, "batch": None, "loaded": 0, "version": None}
    places = sorted(facts.keys() | {place[:2] for place in aside})
    return [
        {
            "map": map_id,
            "leg": leg_id,
            **facts.get((map_id, leg_id), never),
            **{status: aside.get((map_id, leg_id, status), 0) for status in _STATUSES},
        }
        for map_id, leg_id in places
    ]


_STATUSES = ("open", "parked", "awaiting_approval")


def _set_aside(connection: Connection) -> dict[tuple[str, str, str], int]:
    rows = connection.execute(
        select(dead_letter.c.map, dead_letter.c.leg, dead_letter.c.status, func.count())
        .where(dead_letter.c.status.in_(_STATUSES))
        .group_by(dead_letter.c.map, dead_letter.c.leg, dead_letter.c.status)
    )
    return {(map_id, leg_id, status): number for map_id, leg_id, status, number in rows}
