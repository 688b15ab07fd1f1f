"""What dead workers left in the state that would block those to come; read by plain SQL."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from tests.e2e.engine.world import World

_RUNNING = "select * from batch where status = 'running' order by id"


def stuck_maps(world: World) -> list[str]:
    """Name the maps of batches whose worker died: nobody misses them unless their leg cannot move on."""
    return sorted({row["map"] for row in world.sql(_RUNNING)})


def blocking(world: World) -> list[str]:
    """Name what blocks, where nobody works and each leg that has anything to do was run.

    An expired lease is free for whoever comes, and is none of it.
    """
    return [*_leases(world), *_batches(world), *_marks(world)]


def _leases(world: World) -> Iterator[str]:
    now = datetime.now(UTC)
    for row in world.sql("select * from lease"):
        if _instant(row["expires_at"]) > now:
            yield f"state: {row['map']} is held by {row['owner']} until {row['expires_at']}, who is dead"


def _batches(world: World) -> Iterator[str]:
    for row in world.sql(_RUNNING):
        yield f"state: batch {row['id']} of {row['map']} {row['leg']} runs on, and its leg does not move on"


def _marks(world: World) -> Iterator[str]:
    """Marks that no look was begun of, or whose look nobody ended, or that outlive their time."""
    for row in world.sql("select * from in_flight"):
        what = f"state: mark {row['id']} of {row['map']} {row['leg']}, made at {row['begun_at']},"
        if row["looked_at"] is None:
            yield f"{what} was never looked at"
        elif row["look"] is not None:
            yield f"{what} waits for the end of batch {row['look']}"
        elif _instant(row["looked_at"]) >= _instant(row["settles_at"]):
            yield f"{what} has settled, and stays"


def _instant(value: Any) -> datetime:
    """A time stamp of the state, which SQLite holds as text without a zone."""
    found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
