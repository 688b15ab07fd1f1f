"""What people do about rows that were set aside: replay them, or dismiss them.

A replay writes nothing itself. It marks entries, so that the next run of their leg reads the rows
again by key and takes them through all stages; success closes an entry, a newer failure replaces it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from projops.errors import StopError
from projops.mapping.model import Direction
from projops.state import StateStore, dead_letters

_LIST = "`projops dead-letters list` shows those that are live."


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay has marked.

    Attributes:
        marked: Numbers of the entries that go with the next run of their legs.
        maps: Maps of those.
        left: Why others cannot be replayed, by number.
    """

    marked: tuple[int, ...]
    maps: tuple[str, ...]
    left: Mapping[int, str]


def replay(
    state: StateStore,
    numbers: Sequence[int] | None = None,
    *,
    map_id: str | None = None,
    error: str | None = None,
) -> Replayed:
    """Mark live entries: those of some numbers, of a map, of an error or rule, or all.

    Args:
        state: State database.
        numbers: Entries; None for any.
        map_id: Only of this map.
        error: Only with this error id or rule (`E6`, `parent_missing`).

    Raises:
        StopError: A number is of no live entry.
    """
    with state.begin() as connection:
        rows = dead_letters.live(connection, map_id, rule=error, numbers=numbers)
        _require_all(numbers, rows)
        left = {row["id"]: reason for row in rows if (reason := _cannot_go(row)) is not None}
        going = [row for row in rows if row["id"] not in left]
        dead_letters.mark_for_replay(connection, [row["id"] for row in going])
    maps = tuple(dict.fromkeys(row["map"] for row in going))
    return Replayed(tuple(row["id"] for row in going), maps, left)


def dismiss(state: StateStore, number: int, reason: str) -> None:
    """Close an entry for good, with the reason; its row comes again when it changes, or with a full run.

    Raises:
        StopError: There is no such live entry, or no reason.
    """
    if not reason.strip():
        raise StopError("A dismissal needs a reason.", remedy="Give it with --reason.")
    with state.begin() as connection:
        _require_all([number], dead_letters.live(connection, numbers=[number]))
        dead_letters.dismiss(connection, number, reason.strip())


def _require_all(numbers: Sequence[int] | None, rows: Sequence[Mapping[str, Any]]) -> None:
    missing = sorted(set(numbers or ()).difference(row["id"] for row in rows))
    if missing:
        raise StopError(f"There is no live dead letter {', '.join(map(str, missing))}.", remedy=_LIST)


def _cannot_go(row: Mapping[str, Any]) -> str | None:
    if row["status"] == "awaiting_approval":
        return "It waits for a person's approval, not for a replay."
    if row["stage"] == dead_letters.FINANCE_STAGE:
        return "It is closed by itself once the job in Finance passes; run that job again."
    if row["key"] is None and row["leg"] == Direction.FINANCE_TO_DATAVERSE:
        return "The row has no key to read it by; correct it in Finance, and the change brings it."
    return None
