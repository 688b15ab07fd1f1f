"""What the state knows of rows that differ: why each may rightly do so."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, and_, func, or_, select

from projops.reconcile.model import RowDifference
from projops.run import LegRef
from projops.state import in_flight, texts
from projops.state.dead_letters import AWAITING, FINANCE_STAGE
from projops.state.slices import slices
from projops.state.tables import LIVE, crosswalk, dead_letter

_TOLD = ("id", "source_id", "key", "status", "rule", "closed_at")


@dataclass(frozen=True, slots=True)
class SetAside:
    """A dead letter, live or dismissed.

    Attributes:
        id: Its number.
        source_id: Identity of the source row.
        key: Integration key text, or None.
        status: open, parked, awaiting_approval or dismissed.
        rule: Id of the rule or error.
        closed_at: When it was dismissed, UTC; None while it is live.
    """

    id: int
    source_id: str
    key: str | None
    status: str
    rule: str
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Letters:
    """Dead letters of one leg, found by the row that they are of.

    Attributes:
        by_key: By integration key.
        by_source: By identity of the source row, but for deletes that wait: each of those is of the key
            under which the row stood, whatever key it has by now.
    """

    by_key: Mapping[str, Sequence[SetAside]] = field(default_factory=dict)
    by_source: Mapping[str, Sequence[SetAside]] = field(default_factory=dict)

    @classmethod
    def of(cls, letters: Iterable[SetAside]) -> "Letters":
        """Sort letters by the rows that they are of."""
        by_key: dict[str, list[SetAside]] = {}
        by_source: dict[str, list[SetAside]] = {}
        for letter in letters:
            if letter.key is not None:
                by_key.setdefault(letter.key, []).append(letter)
            if letter.status != AWAITING:
                by_source.setdefault(letter.source_id, []).append(letter)
        return cls(by_key, by_source)

    def about(self, row: RowDifference) -> list[SetAside]:
        """Give the letters of a row, oldest first."""
        by_key = self.by_key.get(row.key, ()) if row.key is not None else ()
        own_id = texts.identity(row.source_id) if row.source_id is not None else None
        by_source = self.by_source.get(own_id, ()) if own_id is not None else ()
        found = {letter.id: letter for letter in (*by_key, *by_source)}
        return [found[number] for number in sorted(found)]


def set_aside(connection: Connection, ref: LegRef, rows: Sequence[RowDifference]) -> Letters:
    """Give the dead letters of some rows, live or dismissed.

    Messages of Finance's jobs are left out: they hold back no run of ours. So are those of rows that a
    later batch of the leg has brought in step: what was dismissed then is over.
    """
    columns = (dead_letter.c[name] for name in _TOLD)
    pair = and_(crosswalk.c.map == dead_letter.c.map, crosswalk.c.key == dead_letter.c.key)
    brought_by = func.coalesce(crosswalk.c[f"batch_{ref.leg}"], 0)
    stands = or_(dead_letter.c.status.in_(LIVE), brought_by <= dead_letter.c.batch)
    statement = (
        select(*columns)
        .outerjoin(crosswalk, pair)
        .where(dead_letter.c.map == ref.map, dead_letter.c.leg == ref.leg)
        .where(dead_letter.c.status.in_([*LIVE, "dismissed"]), dead_letter.c.stage != FINANCE_STAGE, stands)
        .order_by(dead_letter.c.id)
    )
    found: dict[int, SetAside] = {}
    for part in slices(rows):
        ids = [texts.identity(row.source_id) for row in part if row.source_id is not None]
        keys = [row.key for row in part if row.key is not None]
        named = or_(dead_letter.c.source_id.in_(ids), dead_letter.c.key.in_(keys))
        found |= {row.id: SetAside(*row) for row in connection.execute(statement.where(named))}
    return Letters.of(found.values())


def on_the_way(connection: Connection, map_id: str) -> frozenset[str]:
    """Give the keys of rows of a map that somebody is writing, or was when it fell silent."""
    marks = in_flight.of_others(connection, map_id, token="")  # nobody's: all are another's  # nosec B106
    return frozenset(row.key for mark in marks for row in mark.rows)
