"""The audit trail: who did what to which map or row, when and why."""

from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select

from projops.state.tables import audit


def record_action(connection: Connection, actor: str, action: str, subject: str, reason: str = "") -> None:
    """Note an action of a person, in the transaction that carries it out.

    Args:
        connection: Open transaction.
        actor: Who, as Airflow or the operating system knows them.
        action: The verb: pause, resume, replay, dismiss, approve, restore, reveal, ...
        subject: The map, or "dead letter 12".
        reason: Why, in the actor's words.
    """
    connection.execute(
        insert(audit).values(at=datetime.now(UTC), actor=actor, action=action, subject=subject, reason=reason)
    )


def actions(connection: Connection, limit: int = 100) -> list[dict[str, object]]:
    """List the latest actions, newest first."""
    rows = connection.execute(select(audit).order_by(audit.c.id.desc()).limit(limit))
    return [dict(row) for row in rows.mappings()]
