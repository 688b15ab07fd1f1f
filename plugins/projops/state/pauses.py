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
        at_once: Whether what was under way was to end too, at its next chunk.
    """

    map: str
    since: datetime
    by: str
    reason: str
    at_once: bool = False


def paused(connection: Connection) -> dict[str, Pause]:
    """Give the maps that are paused now, by id."""
    return paused_and_resumed(connection)[0]


def resumed(connection: Connection) -> dict[str, datetime]:
    """Give when each map that was paused before was resumed last, in UTC."""
    return paused_and_resumed(connection)[1]


def paused_and_resumed(connection: Connection) -> tuple[dict[str, Pause], dict[str, datetime]]:
    """Give the maps that are paused now, by id, and when each of the others was resumed last, in UTC."""
    columns = (pauses.c.map, pauses.c.paused_at, pauses.c.paused_by, pauses.c.reason, pauses.c.at_once)
    rows = connection.execute(select(*columns, pauses.c.resumed_at).order_by(pauses.c.map)).all()
    held = {row.map: Pause(*row[:-1]) for row in rows if row.resumed_at is None}
    return held, {row.map: row.resumed_at for row in rows if row.resumed_at is not None}


def put(connection: Connection, maps: Sequence[str], by: str, reason: str, *, at_once: bool = False) -> None:
    """Pause maps; one that is paused already keeps who, when and why."""
    facts = {
        "paused_at": datetime.now(UTC),
        "paused_by": by,
        "reason": reason,
        "resumed_at": None,
        "at_once": at_once,
    }
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


def stop(connection: Connection, maps: Iterable[str]) -> None:
    """Let what is under way of paused maps end at its next chunk; who, when and why stay."""
    connection.execute(
        update(pauses).where(pauses.c.map.in_(list(maps)), pauses.c.resumed_at.is_(None)).values(at_once=True)
    )


def stopped(connection: Connection, map_id: str) -> Pause | None:
    """Give the pause of a map of which even what is under way is to end, or None."""
    held = paused(connection).get(map_id)
    return held if held is not None and held.at_once else None


def end(connection: Connection, maps: Iterable[str]) -> None:
    """Resume maps."""
    connection.execute(
        update(pauses)
        .where(pauses.c.map.in_(list(maps)), pauses.c.resumed_at.is_(None))
        .values(resumed_at=datetime.now(UTC))
    )
