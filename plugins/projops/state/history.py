"""What a map has been through: its batches, newest first, and the versions of its mapping that moved rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from projops.state.batches import Counts
from projops.state.tables import batch

_OWN = ("id", "dag_id", "run_id", "leg", "status", "mode", "started_at", "finished_at", "stopped_because")


@dataclass(frozen=True, slots=True)
class PastBatch:
    """A batch, with what came of it.

    Attributes:
        id: Number, growing with time.
        dag_id: DAG, or what the command line calls itself.
        run_id: Run.
        leg: Direction.
        status: running, committed or superseded.
        mode: incremental or full.
        version: Version of the map.
        started_at: UTC.
        finished_at: UTC; None while it has not ended.
        stopped_because: Why it stopped, in one sentence, or None.
        counts: Rows by what became of them.
    """

    id: int
    dag_id: str
    run_id: str
    leg: str
    status: str
    mode: str
    version: str
    started_at: datetime
    finished_at: datetime | None
    stopped_because: str | None
    counts: Counts

    @property
    def seconds(self) -> float | None:
        """From its start to its end; None while it has not ended."""
        return None if self.finished_at is None else (self.finished_at - self.started_at).total_seconds()

    @property
    def rows_a_second(self) -> float | None:
        """Rows that were read in a second; None while it has not ended, or took no time."""
        return self.counts.read / self.seconds if self.seconds else None

    @property
    def set_aside(self) -> int:
        """Rows that were parked, rejected or refused."""
        return self.counts.parked + self.counts.rejected + self.counts.failed


@dataclass(frozen=True, slots=True)
class Moved:
    """The batches that one meaning of a leg's mapping has opened.

    Attributes:
        leg: Direction.
        version: Version of the map.
        fingerprint: Meaning of the leg.
        batches: How many.
        first: Number of the first.
        last: Number of the last.
        since: When the first began, in UTC.
        until: When the last began, in UTC.
    """

    leg: str
    version: str
    fingerprint: str
    batches: int
    first: int
    last: int
    since: datetime
    until: datetime


def batches(
    connection: Connection, map_id: str, legs: Sequence[str], limit: int, before: int | None = None
) -> list[PastBatch]:
    """Give batches of a map, newest first.

    Args:
        connection: Open connection.
        map_id: The map.
        legs: The legs to look at.
        limit: How many at most.
        before: Only batches of lower numbers.
    """
    columns = (batch.c[name] for name in (*_OWN, *Counts.__slots__))
    statement = select(*columns, batch.c.mapping_version.label("version"))
    statement = statement.where(batch.c.map == map_id, batch.c.leg.in_(legs))
    if before is not None:
        statement = statement.where(batch.c.id < before)
    rows = connection.execute(statement.order_by(batch.c.id.desc()).limit(limit)).mappings()
    return [
        PastBatch(
            **{name: row[name] for name in (*_OWN, "version")},
            counts=Counts(*(row[name] for name in Counts.__slots__)),
        )
        for row in rows
    ]


def versions(connection: Connection, map_id: str) -> list[Moved]:
    """Give the versions by which a map was moved, those of the latest batches first."""
    last = func.max(batch.c.id)
    columns = (batch.c.leg, batch.c.mapping_version, batch.c.fingerprint)
    spans = (func.min(batch.c.id), last, func.min(batch.c.started_at), func.max(batch.c.started_at))
    statement = select(*columns, func.count(), *spans).where(batch.c.map == map_id).group_by(*columns)
    return [Moved(*row) for row in connection.execute(statement.order_by(last.desc()))]
