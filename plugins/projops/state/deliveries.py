"""The outbox of alerts: to which channels each goes, and whether it got there."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, delete, select, update

from projops.alerts.model import MessageKind
from projops.state import texts
from projops.state.tables import alert as alerts
from projops.state.tables import delivery as deliveries
from projops.state.upserts import insert_into

PENDING, TAKEN, SENT, FAILED = "pending", "taken", "sent", "failed"
_TAKEN_FOR = timedelta(minutes=5)  # who took a delivery and fell silent is given up then
_FIRST_WAIT = timedelta(minutes=1)
_MOST_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message on its way to a channel.

    Attributes:
        alert: The alert.
        channel: Name of the channel.
        kind: Whether it tells of the alert or of its end.
        status: pending, taken, sent or failed.
        attempts: How often it was tried.
        tried_at: When last, UTC, or None.
        sent_at: When it got there, UTC, or None.
        error: Why it did not, or None.
    """

    alert: int
    channel: str
    kind: MessageKind
    status: str
    attempts: int
    tried_at: datetime | None
    sent_at: datetime | None
    error: str | None


def queue(
    connection: Connection, number: int, channels: Collection[str], kind: MessageKind, now: datetime
) -> None:
    """Put a message of an alert on its way to channels; one that was put there before stays as it is."""
    rows = [
        {
            "alert": number,
            "channel": name,
            "kind": kind.value,
            "status": PENDING,
            "attempts": 0,
            "due_at": now,
        }
        for name in channels
    ]
    if rows:
        connection.execute(insert_into(connection, deliveries).on_conflict_do_nothing(), rows)


def withdraw(connection: Connection, number: int) -> list[str]:
    """Take back the messages of an alert that have not gone out; give the channels that others went to."""
    mine = deliveries.c.alert == number
    connection.execute(delete(deliveries).where(mine, deliveries.c.status == PENDING))
    told = select(deliveries.c.channel).where(mine, deliveries.c.status.in_((SENT, TAKEN)))
    return list(connection.execute(told).scalars())


def take(connection: Connection, now: datetime) -> Delivery | None:
    """Take a delivery that is due, if there is one; nobody else gets it unless we fall silent.

    Those that were not tried yet come first: a channel that is away holds up no other.
    """
    _forget_overtaken(connection, now)
    due = (deliveries.c.status.in_((PENDING, TAKEN)), deliveries.c.due_at <= now)
    order = (deliveries.c.attempts, deliveries.c.alert)
    first = select(deliveries).where(*due).order_by(*order).limit(1).with_for_update(skip_locked=True)
    row = connection.execute(first).mappings().first()
    if row is None:
        return None
    _update(connection, taken := _delivery(row), status=TAKEN, due_at=now + _TAKEN_FOR)
    return taken


def note_sent(connection: Connection, sent: Delivery, now: datetime) -> None:
    """Note that a delivery got there."""
    _update(connection, sent, status=SENT, tried_at=now, sent_at=now, attempts=sent.attempts + 1, error=None)


def note_failed(connection: Connection, failed: Delivery, error: str, again: bool, now: datetime) -> None:
    """Note that a delivery did not get there; it is tried again later and later, where that may help."""
    attempts = failed.attempts + 1
    facts = {"tried_at": now, "attempts": attempts, "error": texts.storable(error)}
    if not again or attempts >= _MOST_ATTEMPTS:
        _update(connection, failed, status=FAILED, **facts)
    else:
        _update(connection, failed, status=PENDING, due_at=now + _FIRST_WAIT * 2 ** (attempts - 1), **facts)


def deliveries_of(connection: Connection, numbers: Collection[int]) -> dict[int, list[Delivery]]:
    """Give where some alerts were sent, by number."""
    statement = select(deliveries).where(deliveries.c.alert.in_(numbers))
    order = (deliveries.c.alert, deliveries.c.channel, deliveries.c.kind)
    found: dict[int, list[Delivery]] = {}
    for row in connection.execute(statement.order_by(*order)).mappings():
        found.setdefault(row["alert"], []).append(_delivery(row))
    return found


def _forget_overtaken(connection: Connection, now: datetime) -> None:
    """Drop beginnings whose sender fell silent and whose end is told by now: they would seem to be open."""
    over = select(alerts.c.id).where(alerts.c.resolved_at.is_not(None))
    silent = (deliveries.c.status == TAKEN, deliveries.c.due_at <= now)
    begun = (deliveries.c.kind == MessageKind.OPENED.value, deliveries.c.alert.in_(over))
    connection.execute(delete(deliveries).where(*silent, *begun))


def _update(connection: Connection, mine: Delivery, **values: Any) -> None:
    same = and_(
        deliveries.c.alert == mine.alert,
        deliveries.c.channel == mine.channel,
        deliveries.c.kind == mine.kind.value,
    )
    connection.execute(update(deliveries).where(same).values(**values))


def _delivery(row: RowMapping) -> Delivery:
    values = {name: row[name] for name in Delivery.__slots__}
    return Delivery(**(values | {"kind": MessageKind(row["kind"])}))
