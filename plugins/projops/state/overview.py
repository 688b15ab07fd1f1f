"""What people ask of the state: how each leg stands, who writes, what a batch has set aside."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, TextClause, func, select

from projops.state.clock import present
from projops.state.tables import IS_LIVE, LIVE, batch, conflict, dead_letter, lease, leg


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


@dataclass(frozen=True, slots=True)
class LegFacts:
    """What the state knows of a leg.

    Attributes:
        in_step_at: When a batch last moved its watermark, in UTC; None before the first.
        batch: That batch.
        loaded: Rows that it loaded.
        version: Version of the mapping by which it did.
        afresh: Whether the next run reads everything, as after a restore.
        underway: A later batch that has not ended, or None.
        stopped_because: Why that one stopped, in one sentence; None while it may go on.
        aside: Rows that are set aside, by status.
    """

    in_step_at: datetime | None = None
    batch: int | None = None
    loaded: int | None = 0
    version: str | None = None
    afresh: bool = False
    underway: int | None = None
    stopped_because: str | None = None
    aside: Mapping[str, int] = field(default_factory=dict)


def leg_facts(connection: Connection) -> dict[tuple[str, str], LegFacts]:
    """Give what the state knows of each leg that has run, or of which rows are set aside.

    Finance's jobs tell of any map's rows, also of a leg that never runs.
    """
    last = (leg.c.committed_at, batch.c.id, batch.c.loaded, batch.c.mapping_version)
    columns = (leg.c.map, leg.c.leg, *last, leg.c.watermark.is_(None))
    legs = connection.execute(select(*columns).outerjoin(batch, batch.c.id == leg.c.batch))
    facts = {(row.map, row.leg): LegFacts(*row[2:]) for row in legs}
    for place, (number, reason) in _underway(connection).items():
        facts[place] = replace(facts.get(place, LegFacts()), underway=number, stopped_because=reason)
    for place, aside in _set_aside(connection).items():
        facts[place] = replace(facts.get(place, LegFacts()), aside=aside)
    return facts


def _underway(connection: Connection) -> dict[tuple[str, str], tuple[int, str | None]]:
    """Give the newest batch of each leg where it has not ended, and why it stopped, if it did."""
    newest = select(func.max(batch.c.id)).group_by(batch.c.map, batch.c.leg)
    rows = connection.execute(
        select(batch.c.map, batch.c.leg, batch.c.id, batch.c.stopped_because).where(
            batch.c.id.in_(newest), batch.c.status == "running"
        )
    )
    return {(row.map, row.leg): (row.id, row.stopped_because) for row in rows}


def _set_aside(connection: Connection) -> dict[tuple[str, str], dict[str, int]]:
    rows = connection.execute(
        select(dead_letter.c.map, dead_letter.c.leg, dead_letter.c.status, func.count())
        .where(dead_letter.c.status.in_(LIVE))
        .group_by(dead_letter.c.map, dead_letter.c.leg, dead_letter.c.status)
    )
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for map_id, leg_id, status, number in rows:
        counts.setdefault((map_id, leg_id), {})[status] = number
    return counts
