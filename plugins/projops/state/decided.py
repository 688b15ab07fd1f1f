"""Entries that people have decided on, as they stand now: found by the moment of the decision."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, func, select

from projops.state.tables import LIVE, dead_letter

CLOSED, AGAIN, UNTRIED = "closed", "again", "untried"
_FACTS = ("id", "map", "leg", "key", "status", "rule", "message", "closed_because")
# What was not met again since it was decided on has not been tried.
_OUTCOME = case(
    (dead_letter.c.status.not_in(LIVE), CLOSED),
    (dead_letter.c.last_seen < dead_letter.c.decided_at, UNTRIED),
    else_=AGAIN,
)


def counts(connection: Connection, at: datetime) -> dict[tuple[str, str], int]:
    """Count the entries of a decision by status and outcome: closed, tried in vain, or not tried yet."""
    columns = (dead_letter.c.status, _OUTCOME.label("outcome"))
    statement = (
        select(*columns, func.count()).where(dead_letter.c.decided_at == at).group_by("status", "outcome")
    )
    return {(status, outcome): count for status, outcome, count in connection.execute(statement)}


def maps(connection: Connection, at: datetime) -> list[str]:
    """Give the maps of the entries of a decision."""
    statement = select(dead_letter.c.map).where(dead_letter.c.decided_at == at).distinct()
    return sorted(connection.execute(statement).scalars())


def entries(connection: Connection, at: datetime, limit: int, offset: int = 0) -> list[dict[str, Any]]:
    """List entries of a decision with the `outcome` of each: those tried in vain, not tried, and closed."""
    urgency = case((_OUTCOME == AGAIN, 0), (_OUTCOME == UNTRIED, 1), else_=2)
    numbers = (
        select(dead_letter.c.id)
        .where(dead_letter.c.decided_at == at)
        .order_by(urgency, dead_letter.c.id)
        .limit(limit)
        .offset(offset)
    )
    columns = (dead_letter.c[name] for name in _FACTS)
    listed = select(*columns, _OUTCOME.label("outcome")).where(dead_letter.c.id.in_(numbers))
    return [dict(row) for row in connection.execute(listed.order_by(urgency, dead_letter.c.id)).mappings()]
