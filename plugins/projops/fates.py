"""What became of dead letters that somebody has replayed, approved or dismissed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from projops.state import StateStore, decisions
from projops.state.tables import LIVE


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one entry.

    Attributes:
        number: Its number.
        map: Map.
        key: Integration key text, or None.
        status: Its status now.
        sentence: For people.
    """

    number: int
    map: str
    key: str | None
    status: str
    sentence: str

    @property
    def is_open(self) -> bool:
        """Whether it is still live."""
        return self.status in LIVE


def fates(state: StateStore, numbers: Sequence[int], since: datetime) -> list[Fate]:
    """Say what became of entries.

    Args:
        state: State database.
        numbers: Entries; those that retention has removed are left out.
        since: When they were decided on, in UTC: what was not met again since then was not tried.
    """
    if not numbers:
        return []
    with state.begin() as connection:
        rows = decisions.chosen(connection, numbers)
    return [Fate(row["id"], row["map"], row["key"], row["status"], _sentence(row, since)) for row in rows]


def _sentence(row: dict[str, Any], since: datetime) -> str:
    if row["status"] not in LIVE:
        return str(row["closed_because"])
    if row["last_seen"] < since:
        return "Not tried yet: no run of its leg has reached it."
    return str(row["message"])
