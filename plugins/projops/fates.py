"""What became of dead letters that somebody has replayed, approved or dismissed."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from projops.state import StateStore, decided
from projops.state.decided import AGAIN, CLOSED, UNTRIED
from projops.state.decisions import NAMED

_NOT_TRIED = "Not tried yet: no run of its leg has reached it."


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one entry.

    Attributes:
        number: Its number.
        map: Map.
        key: Integration key text, or None.
        status: Its status now.
        outcome: `decided.CLOSED`, `AGAIN` (tried, and still live) or `UNTRIED`.
        sentence: For people.
    """

    number: int
    map: str
    key: str | None
    status: str
    outcome: str
    sentence: str

    @property
    def is_open(self) -> bool:
        """Whether it is still live."""
        return self.outcome != CLOSED


@dataclass(frozen=True, slots=True)
class Fates:
    """What became of all entries of one decision, but for those that somebody has decided on since.

    Attributes:
        counts: How many came to which outcome: `decided.CLOSED`, `AGAIN` or `UNTRIED`.
        statuses: How many came to which status.
        first: The first of them, those that are still live before the others.
    """

    counts: Mapping[str, int]
    statuses: Mapping[str, int]
    first: tuple[Fate, ...]

    @property
    def count(self) -> int:
        """How many they are."""
        return sum(self.counts.values())

    @property
    def still_live(self) -> int:
        """How many are still live."""
        return self.counts.get(AGAIN, 0) + self.counts.get(UNTRIED, 0)


def fates(state: StateStore, at: datetime, limit: int = NAMED, offset: int = 0) -> Fates:
    """Say what became of entries.

    Args:
        state: State database.
        at: When they were decided on, in UTC: what was not met again since then was not tried.
        limit: How many to name; those that retention has removed are left out.
        offset: How many to pass over before.
    """
    with state.reading() as connection:
        counted = decided.counts(connection, at)
        rows = decided.entries(connection, at, limit, offset)
    counts, statuses = Counter[str](), Counter[str]()
    for (status, outcome), count in counted.items():
        counts[outcome] += count
        statuses[status] += count
    return Fates(counts, statuses, tuple(_fate(row) for row in rows))


def _fate(row: Mapping[str, Any]) -> Fate:
    outcome = row["outcome"]
    sentence = {CLOSED: row["closed_because"], UNTRIED: _NOT_TRIED}.get(outcome, row["message"])
    return Fate(row["id"], row["map"], row["key"], row["status"], outcome, str(sentence))
