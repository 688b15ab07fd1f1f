"""The audit trail: who did what to which map or row, when and why."""

from datetime import UTC, datetime

from sqlalchemy import Connection, func, insert, select

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


def actions(
    connection: Connection,
    limit: int = 100,
    *,
    actor: str = "",
    action: str = "",
    subject: str = "",
    before: int | None = None,
) -> list[dict[str, object]]:
    """List the latest actions, newest first.

    Args:
        connection: Open transaction.
        limit: Most rows.
        actor: Only those of who is named so, whatever the case; "" for all.
        action: Only this verb; "" for all.
        subject: Only those whose subject holds this text, whatever the case; "" for all.
        before: Only those before the action of this number; None for all.
    """
    query = select(audit).order_by(audit.c.id.desc()).limit(limit)
    if actor:
        query = query.where(func.lower(audit.c.actor) == actor.lower())
    if action:
        query = query.where(audit.c.action == action)
    if subject:
        query = query.where(audit.c.subject.icontains(subject, autoescape=True))
    if before is not None:
        query = query.where(audit.c.id < before)
    return [dict(row) for row in connection.execute(query).mappings()]


def verbs(connection: Connection) -> list[str]:
    """Give the verbs of all actions, in alphabetical order."""
    return list(connection.scalars(select(audit.c.action).distinct().order_by(audit.c.action)))
