"""Incremental exports that we asked Finance for.

Finance moves its own change-tracking mark at each export, so an export that was asked for and not
loaded would be lost. Hence the execution id is ours and is recorded before the call; an execution
that no batch has committed is fetched again.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select, update

from projops.state.tables import export_execution


@dataclass(frozen=True, slots=True)
class Execution:
    """One export of one leg and company.

    Attributes:
        execution_id: Ours, sent with the call.
        company: Legal entity, or "" for entities without one.
        batch: Batch that asked for it.
        full: Whether everything was asked for, not only changes.
    """

    execution_id: str
    company: str
    batch: int
    full: bool


def record_request(connection: Connection, map_id: str, leg: str, execution: Execution) -> None:
    """Note an export before it is asked for."""
    connection.execute(
        insert(export_execution).values(
            execution_id=execution.execution_id,
            map=map_id,
            leg=leg,
            company=execution.company,
            batch=execution.batch,
            full=execution.full,
            requested_at=datetime.now(UTC),
        )
    )


def uncommitted(connection: Connection, map_id: str, leg: str) -> list[Execution]:
    """Give the exports that no committed batch has loaded, oldest first."""
    rows = connection.execute(
        select(
            export_execution.c.execution_id,
            export_execution.c.company,
            export_execution.c.batch,
            export_execution.c.full,
        )
        .where(
            export_execution.c.map == map_id,
            export_execution.c.leg == leg,
            export_execution.c.committed_at.is_(None),
        )
        .order_by(export_execution.c.requested_at, export_execution.c.execution_id)
    )
    return [Execution(*row) for row in rows]


def commit(connection: Connection, execution_ids: list[str]) -> None:
    """Mark exports as loaded."""
    if execution_ids:
        connection.execute(
            update(export_execution)
            .where(export_execution.c.execution_id.in_(execution_ids))
            .values(committed_at=datetime.now(UTC))
        )
