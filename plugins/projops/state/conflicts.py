"""Conflicts: both sides changed a shared column, one won, and both values are kept.

A conflict is recorded before its row is written, so that no crash can lose the value that is about
to be overwritten; until the row is committed, the same one again is told from a new one by that.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, insert, select

from projops.mapping.keys import fold
from projops.mapping.model import Direction, System
from projops.state.dead_letters import Origin
from projops.state.slices import slices
from projops.state.tables import conflict as conflicts
from projops.state.tables import crosswalk


@dataclass(frozen=True, slots=True)
class Conflict:
    """Shared columns of one row that both sides changed, to different values.

    Attributes:
        key: Integration key text.
        winner: System whose values stand in the end.
        source_values: Values that the leg would write, by target column.
        target_values: Values that the target has, by the same names.
    """

    key: str
    winner: str
    source_values: Mapping[str, Any]
    target_values: Mapping[str, Any]


def record(connection: Connection, origin: Origin, found: Sequence[Conflict]) -> None:
    """Keep conflicts that are not kept yet.

    Args:
        connection: Open transaction, committed before anything is written to the target.
        origin: Map, leg and batch.
        found: Conflicts of one chunk.
    """
    now = datetime.now(UTC)
    rows = [
        {
            "map": origin.map,
            "leg": origin.leg,
            "key": each.key,
            "batch": origin.batch,
            "seen_at": now,
            "winner": each.winner,
            "source_values": _json(each.source_values),
            "target_values": _json(each.target_values),
        }
        for each in found
    ]
    pending = _pending(connection, origin, [each.key for each in found])
    fresh = [row for row in rows if (row["key"], row["source_values"], row["target_values"]) not in pending]
    if fresh:
        connection.execute(insert(conflicts), fresh)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which conflicts somebody wants to see: those of which all that is named here holds.

    Attributes:
        maps: Of one of these maps; None for all.
        column: About this target column.
        winner: Won by this system.
        text: With this text in the key.
        before: With a lower number than this.
    """

    maps: Collection[str] | None = None
    column: str = ""
    winner: str = ""
    text: str = ""
    before: int | None = None


def listed(
    connection: Connection, map_id: str | None, limit: int, chosen: Chosen | None = None
) -> list[dict[str, Any]]:
    """List the latest conflicts of a map, or of all, newest first."""
    statement = (
        select(conflicts).where(*_rules(chosen or Chosen())).order_by(conflicts.c.id.desc()).limit(limit)
    )
    if map_id is not None:
        statement = statement.where(conflicts.c.map == map_id)
    return [_read(row) for row in connection.execute(statement).mappings()]


def maps_of(connection: Connection) -> list[str]:
    """Give the maps of which any conflict is kept, sorted."""
    return sorted(connection.execute(select(conflicts.c.map).distinct()).scalars())


def sides(row: Mapping[str, Any]) -> dict[System, Mapping[str, Any]]:
    """Give what each system held: values by target column."""
    leg = Direction(row["leg"])
    held = {leg.source: row["source_values"], leg.target: row["target_values"]}
    return {system: held[system] for system in System}


def remedy(row: Mapping[str, Any]) -> str:
    """Say how to have it the other way."""
    loser = next(system for system in System if system != row["winner"])
    columns = ", ".join(row["source_values"])
    return (
        f"Nothing has to be done. For the other value change {columns} of this row in "
        f"{loser.value.capitalize()} once more: the next run moves it."
    )


def get(connection: Connection, number: int) -> dict[str, Any] | None:
    """Read one conflict by its number; values as the JSON that they were kept as, by target column."""
    row = connection.execute(select(conflicts).where(conflicts.c.id == number)).mappings().one_or_none()
    return None if row is None else _read(row)


def _rules(chosen: Chosen) -> Iterator[ColumnElement[bool]]:
    if chosen.maps is not None:
        yield conflicts.c.map.in_(sorted(chosen.maps))
    if chosen.column:  # values are kept as JSON, in which a name is written so
        named = f"{json.dumps(chosen.column, ensure_ascii=False)}: "
        yield conflicts.c.source_values.contains(named, autoescape=True)
    if chosen.winner:
        yield conflicts.c.winner == chosen.winner
    if chosen.text:
        yield conflicts.c.key.contains(fold(chosen.text), autoescape=True)
    if chosen.before is not None:
        yield conflicts.c.id < chosen.before


def _pending(connection: Connection, origin: Origin, keys: Sequence[str]) -> set[tuple[str, str, str]]:
    """Of some rows, give the conflicts that no commit has settled: a crash, or a refusal, came between."""
    settled = (
        select(crosswalk.c.key)
        .where(
            crosswalk.c.map == conflicts.c.map,
            crosswalk.c.key == conflicts.c.key,
            crosswalk.c.batch >= conflicts.c.batch,
        )
        .exists()
    )
    pending: set[tuple[str, str, str]] = set()
    for part in slices(keys):
        rows = connection.execute(
            select(conflicts.c.key, conflicts.c.source_values, conflicts.c.target_values).where(
                conflicts.c.map == origin.map,
                conflicts.c.leg == origin.leg,
                conflicts.c.key.in_(part),
                ~settled,
            )
        )
        pending.update((row.key, row.source_values, row.target_values) for row in rows)
    return pending


def _read(row: RowMapping) -> dict[str, Any]:
    values = {name: json.loads(row[name]) for name in ("source_values", "target_values")}
    return {**row, **values}


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, default=str, ensure_ascii=False)
