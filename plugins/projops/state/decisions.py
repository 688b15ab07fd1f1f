"""What people decide about dead letters: to replay, to approve, to dismiss them.

Nothing is moved here. A decision marks entries, and the next run of their leg acts on it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select, update

from projops.state.slices import slices
from projops.state.tables import LIVE, dead_letter


def chosen(
    connection: Connection,
    numbers: Sequence[int] = (),
    map_id: str | None = None,
    rule: str | None = None,
    statuses: Sequence[str] = LIVE,
) -> list[dict[str, Any]]:
    """List entries, oldest first: those of some numbers in whatever status, or those in some statuses.

    Args:
        connection: Open connection.
        numbers: Numbers of entries; () for any.
        map_id: Only of this map; compared without regard to case, like the rule.
        rule: Only of this rule or error id.
        statuses: Only in these, where no numbers are given.
    """
    statement = select(dead_letter).order_by(dead_letter.c.id)
    if numbers:
        parts = [statement.where(dead_letter.c.id.in_(part)) for part in slices(sorted(set(numbers)))]
    else:
        for column, wanted in (("map", map_id), ("rule", rule)):
            if wanted is not None:
                statement = statement.where(func.lower(dead_letter.c[column]) == wanted.lower())
        parts = [statement.where(dead_letter.c.status.in_(statuses))]
    return [dict(row) for part in parts for row in connection.execute(part).mappings()]


def mark_for_replay(connection: Connection, numbers: Sequence[int]) -> None:
    """Let the next run of their legs read these rows again by key; what becomes of them then is new."""
    _update(connection, numbers, retriable=True)


def approve(connection: Connection, numbers: Sequence[int], actor: str) -> None:
    """Let the next run of their legs look whether these rows are still gone, and remove them if so.

    Who approves a second time changes nothing.
    """
    first = dead_letter.c.approved_at.is_(None)
    _update(connection, numbers, first, approved_at=datetime.now(UTC), approved_by=actor)


def dismiss(connection: Connection, numbers: Sequence[int], reason: str) -> None:
    """Close entries that nobody will mend."""
    _update(connection, numbers, status="dismissed", closed_at=datetime.now(UTC), closed_because=reason)


def _update(
    connection: Connection, numbers: Sequence[int], *conditions: ColumnElement[bool], **values: Any
) -> None:
    for part in slices(numbers):
        # A run may have closed one meanwhile: what is closed stays as it is.
        connection.execute(
            update(dead_letter)
            .where(dead_letter.c.id.in_(part), dead_letter.c.status.in_(LIVE), *conditions)
            .values(**values)
        )
