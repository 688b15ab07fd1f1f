"""What a state that was put back from a backup must not believe any more, and what it still may.

It may believe who is paired with whom, where Dataverse's delta links began, what was set aside, and
what the shared columns held when both sides were in step. It must not believe that a row is in step,
that a writer is alive, or that Finance's marks stand where it left them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, text, update

from projops.state.crosswalk import UNKNOWN
from projops.state.dead_letters import FINANCE_STAGE, TRIED_AGAIN
from projops.state.tables import (
    batch,
    crosswalk,
    dead_letter,
    environment,
    export_execution,
    in_flight,
    lease,
    leg,
)

# Numbers that lost batches had, and that tasks of lost runs may still name, are not given again.
_GAP = 1_000_000


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was taken back.

    Attributes:
        pairs: Pairs of rows that are compared with the target when they are read next.
        batches: Batches that had not ended.
        letters: Rows set aside that the next run tries again.
        legs: Legs of which the next run goes on from the watermark.
        legs_in_full: Legs that are read in full.
    """

    pairs: int
    batches: int
    letters: int
    legs: tuple[tuple[str, str], ...]
    legs_in_full: tuple[tuple[str, str], ...]


def forget(connection: Connection, run_id: str, keeps_watermark: Mapping[tuple[str, str], bool]) -> Forgotten:
    """Take back what a restored state must not believe.

    Args:
        connection: Open transaction, in which no lease is alive.
        run_id: Names this restore.
        keeps_watermark: For each (map, leg) whether its watermark is good for reading on: a Dataverse delta
            link is, as older ones only tell more; legs that are not named are read in full.
    """
    now = datetime.now(UTC)
    connection.execute(delete(lease))
    connection.execute(delete(in_flight))
    ended = connection.execute(
        update(batch).where(batch.c.status == "running").values(status="superseded", finished_at=now)
    )
    pairs = connection.execute(select(func.count()).select_from(crosswalk)).scalar_one()
    for name in ("hash_dataverse_to_finance", "hash_finance_to_dataverse"):
        column = crosswalk.c[name]
        connection.execute(update(crosswalk).where(column.is_not(None)).values({name: UNKNOWN}))
    letters = connection.execute(
        update(dead_letter)
        .where(dead_letter.c.status.in_(TRIED_AGAIN), dead_letter.c.stage != FINANCE_STAGE)
        .values(retriable=True)
    )
    connection.execute(
        update(export_execution).where(export_execution.c.committed_at.is_(None)).values(committed_at=now)
    )
    # Definition groups bear this moment in their names: from new groups Finance exports everything.
    connection.execute(update(environment).where(environment.c.system == "finance").values(bound_at=now))
    moved = _move_legs(connection, run_id, keeps_watermark, now)
    return Forgotten(
        pairs,
        ended.rowcount,
        letters.rowcount,
        tuple(place for place in moved if keeps_watermark.get(place)),
        tuple(place for place in moved if not keeps_watermark.get(place)),
    )


def _move_legs(
    connection: Connection, run_id: str, keeps_watermark: Mapping[tuple[str, str], bool], now: datetime
) -> Sequence[tuple[str, str]]:
    """Move each leg to a batch of this restore, so that whatever began before is superseded."""
    number = (connection.execute(select(func.max(batch.c.id))).scalar() or 0) + _GAP
    standing = select(leg, batch.c.mapping_version).outerjoin(batch, batch.c.id == leg.c.batch)
    legs = connection.execute(standing.order_by(leg.c.map, leg.c.leg)).all()
    for row in legs:
        number += 1
        watermark = row.watermark if keeps_watermark.get((row.map, row.leg)) else None
        facts = _batch(row, number, watermark)
        connection.execute(insert(batch).values(run_id=run_id, started_at=now, finished_at=now, **facts))
        connection.execute(
            update(leg)
            .where(leg.c.map == row.map, leg.c.leg == row.leg)
            .values(batch=number, watermark=watermark)
        )
    if connection.dialect.name == "postgresql":
        # Elsewhere numbers go on from the highest by themselves.
        statement = text("SELECT setval(pg_get_serial_sequence('batch', 'id'), :number)")
        connection.execute(statement, {"number": number})
    return [(row.map, row.leg) for row in legs]


def _batch(standing: Row[Any], number: int, watermark: str | None) -> dict[str, Any]:
    """Give the batch of a restore that a leg is moved to."""
    return {
        "id": number,
        "dag_id": "restore",
        "map": standing.map,
        "leg": standing.leg,
        "status": "committed",
        "mode": "restore",
        "mapping_version": standing.mapping_version or "",
        "fingerprint": standing.fingerprint,
        "base_batch": standing.batch,
        "watermark_from": standing.watermark,
        "watermark_to": watermark,
        "advances": True,
    }
