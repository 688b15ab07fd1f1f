"""What the state remembers of one row: the batches that moved it, what was set aside of it, its conflicts."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, select

from projops.state.tables import batch as batches
from projops.state.tables import conflict as conflicts
from projops.state.tables import dead_letter


def batches_of(connection: Connection, numbers: Collection[int]) -> dict[int, Mapping[str, Any]]:
    """Read batches by number; those that are not kept any more are left out."""
    rows = connection.execute(select(batches).where(batches.c.id.in_(numbers))).mappings()
    return {row["id"]: dict(row) for row in rows}


def letters_of(
    connection: Connection, map_id: str, key: str, ids: Collection[str]
) -> list[Mapping[str, Any]]:
    """Read the dead letters of a row, live and past, the newest first.

    Args:
        connection: Open connection.
        map_id: Map.
        key: Integration key text.
        ids: Its other identities: GUIDs under which Dataverse has or had it.
    """
    of_row = (dead_letter.c.key == key) | dead_letter.c.source_id.in_([key, *ids])
    statement = (
        select(dead_letter).where(dead_letter.c.map == map_id, of_row).order_by(dead_letter.c.id.desc())
    )
    return [dict(row) for row in connection.execute(statement).mappings()]


def conflicts_of(connection: Connection, map_id: str, key: str) -> list[Mapping[str, Any]]:
    """Read the conflicts of a row, the newest first; both sides' values by target column."""
    statement = (
        select(conflicts)
        .where(conflicts.c.map == map_id, conflicts.c.key == key)
        .order_by(conflicts.c.id.desc())
    )
    return [
        {**row, **{name: json.loads(row[name]) for name in ("source_values", "target_values")}}
        for row in connection.execute(statement).mappings()
    ]
