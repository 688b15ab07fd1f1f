"""Which maps are paused: by whom, since when and why; and when each was resumed last."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, select, update

from projops.state.tables import pause as pauses
from projops.state.upserts import insert_into


@dataclass(frozen=True, slots=True)
class Pause:
    """A paused map.

    Attributes:
        map: Map id.
        since: UTC.
        by: Who paused it.
        reason: Why, in that person's words.
    """

    map: str
    since: datetime
    by: str
    reason: str


def paused(connection: Connection) -> dict[str, Pause]:
    """Give the maps that are paused now, by id."""
    columns = (pauses.c.map, pauses.c.paused_at, pauses.c.paused_by, pauses.c.reason)
    rows = connection.execute(select(*columns).where(pauses.c.resumed_at.is_(None)).order_by(pauses.c.map))
    return {row.map: Pause(*row) for row in rows}


def resumed(connection: Connection) -> dict[str, datetime]:
    """Give when each map that was paused before was resumed last, in UTC."""
    rows = connection.execute(
        select(pauses.c.map, pauses.c.resumed_at).where(pauses.c.resumed_at.is_not(None))
    )
    return {row.map: row.resumed_at for row in rows}


def put(connection: Connection, maps: Sequence[str], by: str, reason: str) -> None:
    """Pause maps; one that is paused already keeps who, when and why."""
    facts = {"paused_at": datetime.now(UTC), "paused_by": by, "reason": reason, "resumed_at": None}
    rows = [{"map": map_id, **facts} for map_id in maps]
    if not rows:
        return
    statement = insert_into(connection, pauses)
    statement = statement.on_conflict_do_update(
        index_elements=[pauses.c.map],
        set_={name: statement.excluded[name] for name in facts},
        where=pauses.c.resumed_at.is_not(None),
    )
    connection.execute(statement, rows)


def end(connection: Connection, maps: Iterable[str]) -> None:
    """Resume maps."""
    connection.execute(
        update(pauses)
        .where(pauses.c.map.in_(list(maps)), pauses.c.resumed_at.is_(None))
        .values(resumed_at=datetime.now(UTC))
    )
