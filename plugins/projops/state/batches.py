"""Batches and watermarks: what one run moves for one leg, and where the next begins.

A batch records the watermark that it starts from. Its outcomes and crosswalk are committed with
each chunk, the watermark last; so the crosswalk may run ahead of the watermark, never the reverse.
A batch whose leg was moved on by a later one is superseded: it writes nothing more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from projops.errors import StopError
from projops.state.tables import batch as batches
from projops.state.tables import dead_letter
from projops.state.tables import leg as legs


@dataclass(frozen=True, slots=True)
class LegState:
    """Where a leg stands.

    Attributes:
        watermark: Opaque text of the extract strategy, or None before the first batch.
        fingerprint: Meaning of the mapping that the watermark belongs to.
        batch: The batch that moved it there.
        committed_at: When, in UTC.
    """

    watermark: str | None = None
    fingerprint: str | None = None
    batch: int | None = None
    committed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What one run moves for one leg.

    Attributes:
        id: Number, growing with time.
        map: Map id.
        leg: Direction.
        base_batch: The batch that the leg stood at when this one began.
        watermark_from: The watermark that it starts from.
        watermark_to: The watermark that its commit sets; None before.
        advances: False for a run limited to some companies: it leaves the watermark alone.
        mapping_version: Version of the map.
        fingerprint: Meaning of the mapping.
        mode: "incremental" or "full".
        started_at: UTC.
    """

    id: int
    map: str
    leg: str
    base_batch: int | None
    watermark_from: str | None
    watermark_to: str | None
    advances: bool
    mapping_version: str
    fingerprint: str
    mode: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of a batch by what became of them.

    Attributes:
        read: Rows extracted.
        unchanged: Rows that were in step already.
        loaded: Rows created, updated or deleted at the target.
        parked: Rows that wait for another row, or for approval.
        rejected: Rows that break a rule of ours.
        failed: Rows that the target refused.
        deleted: Of those loaded, rows that were deleted without anybody's approval.
    """

    read: int = 0
    unchanged: int = 0
    loaded: int = 0
    parked: int = 0
    rejected: int = 0
    failed: int = 0
    deleted: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class NewBatch:
    """What a run says of the batch that it opens."""

    dag_id: str
    run_id: str
    map: str
    leg: str
    mode: str
    mapping_version: str
    fingerprint: str
    advances: bool


def leg_state(connection: Connection, map_id: str, leg: str) -> LegState:
    """Read where a leg stands."""
    row = (
        connection.execute(select(legs).where(legs.c.map == map_id, legs.c.leg == leg))
        .mappings()
        .one_or_none()
    )
    if row is None:
        return LegState()
    return LegState(row["watermark"], row["fingerprint"], row["batch"], row["committed_at"])


def open_batch(connection: Connection, new: NewBatch) -> Batch:
    """Open the batch of a run and leg, or find it again when its task is rerun."""
    found = (
        connection.execute(
            select(batches).where(
                batches.c.dag_id == new.dag_id,
                batches.c.run_id == new.run_id,
                batches.c.map == new.map,
                batches.c.leg == new.leg,
            )
        )
        .mappings()
        .one_or_none()
    )
    if found is not None:
        return _batch(found)
    state = leg_state(connection, new.map, new.leg)
    row = (
        connection.execute(
            insert(batches)
            .values(
                dag_id=new.dag_id,
                run_id=new.run_id,
                map=new.map,
                leg=new.leg,
                mode=new.mode,
                status="running",
                mapping_version=new.mapping_version,
                fingerprint=new.fingerprint,
                advances=new.advances,
                base_batch=state.batch,
                watermark_from=state.watermark,
                started_at=datetime.now(UTC),
            )
            .returning(batches)
        )
        .mappings()
        .one()
    )
    return _batch(row)


def get_batch(connection: Connection, batch_id: int) -> Batch:
    """Read a batch by its number.

    Raises:
        StopError: There is no such batch: the state was restored since it began.
    """
    row = connection.execute(select(batches).where(batches.c.id == batch_id)).mappings().one_or_none()
    if row is None:
        raise StopError(
            f"The state knows no batch {batch_id}: it was restored since that one began.",
            remedy="Nothing is lost, the next run moves its rows; or clear the leg's extract task too.",
        )
    return _batch(row)


def began_at(connection: Connection, batch_id: int) -> datetime | None:
    """Say when a batch began, UTC; None of one that the state does not know, as after a restore."""
    statement = select(batches.c.started_at).where(batches.c.id == batch_id)
    return connection.execute(statement).scalar_one_or_none()


def record_extracted(
    connection: Connection, batch: Batch, watermark_to: str, fingerprint: str, mapping_version: str
) -> None:
    """Note the watermark that the batch's commit sets, and the mapping by which it was extracted."""
    values = {
        "watermark_to": watermark_to,
        "fingerprint": fingerprint,
        "mapping_version": mapping_version,
    }
    connection.execute(update(batches).where(batches.c.id == batch.id).values(**values))


def superseded_by(connection: Connection, batch: Batch) -> int | None:
    """Say which later batch moved the leg on, or None while this one may write.

    Until the transaction ends no other batch moves it.
    """
    statement = select(legs.c.batch).where(legs.c.map == batch.map, legs.c.leg == batch.leg)
    current: int | None = connection.execute(statement.with_for_update()).scalar_one_or_none()
    if current is None or current in (batch.base_batch, batch.id):
        return None
    return current


def record_stop(connection: Connection, batch_id: int, reason: str) -> None:
    """Note why a batch stopped, for whoever asks how its leg stands; it may still be run again.

    Args:
        connection: Open transaction.
        batch_id: Number of the batch.
        reason: One sentence for people.
    """
    connection.execute(update(batches).where(batches.c.id == batch_id).values(stopped_because=reason))


def mark_superseded(connection: Connection, batch: Batch) -> None:
    """Close a batch whose leg has moved on; one that was committed before stays so."""
    connection.execute(
        update(batches)
        .where(batches.c.id == batch.id, batches.c.status == "running")
        .values(status="superseded", finished_at=datetime.now(UTC))
    )


def commit_batch(connection: Connection, batch: Batch, counts: Counts) -> int | None:
    """Close a batch and, last of all, move its leg's watermark.

    Returns:
        None; or the later batch that has moved the leg meanwhile: then this one is superseded.
    """
    later = superseded_by(connection, batch)
    if later is not None:
        mark_superseded(connection, batch)
        return later
    now = datetime.now(UTC)
    connection.execute(
        update(batches)
        .where(batches.c.id == batch.id)
        .values(
            status="committed",
            finished_at=now,
            **{name: getattr(counts, name) for name in Counts.__slots__},
        )
    )
    if batch.advances:
        _move_leg(connection, batch, now)
        _supersede_others(connection, batch, now)
    return None


def runs_beside(connection: Connection, batch: Batch) -> bool:
    """Say whether another batch of the leg has not ended: what it is about to write nobody knows yet."""
    statement = select(batches.c.id).where(
        batches.c.map == batch.map,
        batches.c.leg == batch.leg,
        batches.c.status == "running",
        batches.c.id != batch.id,
    )
    return connection.execute(statement.limit(1)).first() is not None


def deleted_since(connection: Connection, map_id: str, leg: str, since: datetime) -> int:
    """Count the rows that a leg's batches, ended after some time, have deleted without approval."""
    statement = select(func.coalesce(func.sum(batches.c.deleted), 0)).where(
        batches.c.map == map_id, batches.c.leg == leg, batches.c.finished_at > since
    )
    return int(connection.execute(statement).scalar_one())


def _supersede_others(connection: Connection, batch: Batch, now: datetime) -> None:
    """Close the batches that ran beside the one that moved their leg; what they set aside is looked at again.

    They may have judged older versions of rows that are in step by now. The next run reads those rows afresh.
    """
    beside = (
        batches.c.map == batch.map,
        batches.c.leg == batch.leg,
        batches.c.status == "running",
        batches.c.id != batch.id,
        batches.c.base_batch.is_distinct_from(batch.id),
    )
    theirs = select(batches.c.id).where(*beside)
    connection.execute(
        update(dead_letter)
        .where(dead_letter.c.map == batch.map, dead_letter.c.leg == batch.leg)
        .where(dead_letter.c.status == "open", dead_letter.c.batch.in_(theirs))
        .values(retriable=True)
    )
    connection.execute(update(batches).where(*beside).values(status="superseded", finished_at=now))


def _move_leg(connection: Connection, batch: Batch, now: datetime) -> None:
    values = {
        "watermark": batch.watermark_to,
        "fingerprint": batch.fingerprint,
        "batch": batch.id,
        "committed_at": now,
    }
    moved = connection.execute(
        update(legs).where(legs.c.map == batch.map, legs.c.leg == batch.leg).values(**values)
    )
    if moved.rowcount == 0:
        connection.execute(insert(legs).values(map=batch.map, leg=batch.leg, **values))


def renew_watermark(connection: Connection, map_id: str, leg: str, old: str, younger: str) -> None:
    """Put a younger watermark of the same meaning in an old one's place, unless the leg has moved on."""
    connection.execute(
        update(legs)
        .where(legs.c.map == map_id, legs.c.leg == leg, legs.c.watermark == old)
        .values(watermark=younger)
    )


def totals(connection: Connection, dag_runs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Counts]:
    """Add up the counts of some DAG runs by (map, leg).

    Args:
        connection: Open connection.
        dag_runs: Pairs (DAG id, run id).
    """
    result: dict[tuple[str, str], Counts] = {}
    for dag_id, run_id in dag_runs:
        rows = connection.execute(
            select(batches).where(batches.c.dag_id == dag_id, batches.c.run_id == run_id)
        ).mappings()
        for row in rows:
            counts = Counts(*(row[name] for name in Counts.__slots__))
            place = (row["map"], row["leg"])
            result[place] = result.get(place, Counts()) + counts
    return result


def _batch(row: RowMapping) -> Batch:
    return Batch(**{name: row[name] for name in Batch.__slots__})
