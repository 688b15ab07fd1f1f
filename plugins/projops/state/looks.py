"""What the last look at each leg's source has found, of the legs whose source tells before it is read."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from projops.state.tables import look
from projops.state.upserts import insert_into


def record(connection: Connection, map_id: str, leg: str, changes: int, more: bool) -> None:
    """Note what a look has found, in place of what the one before it did; when one last found nothing stays.

    Args:
        connection: Open transaction.
        map_id: Map.
        leg: Direction.
        changes: Changes that it has seen, our own writes that came back among them.
        more: Whether the source has more than those.
    """
    now = datetime.now(UTC)
    found: dict[str, Any] = {"looked_at": now, "changes": changes, "more": more}
    if not changes and not more:
        found["quiet_at"] = now
    statement = insert_into(connection, look).values(map=map_id, leg=leg, **found)
    connection.execute(statement.on_conflict_do_update(index_elements=[look.c.map, look.c.leg], set_=found))
