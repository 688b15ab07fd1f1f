"""The daily digests: which day's went to which channel, so that none goes there twice."""

from datetime import date, datetime, timedelta

from sqlalchemy import Connection, delete, update

from projops.state.tables import digest
from projops.state.upserts import insert_into

_TAKEN_FOR = timedelta(minutes=5)  # who took one and fell silent is given up then
_KEPT = timedelta(days=31)


def take(connection: Connection, day: date, channel: str, now: datetime) -> bool:
    """Take a day's digest for a channel; False where it was sent, or somebody is about to send it.

    Args:
        connection: Open transaction.
        day: The day.
        channel: Name of the channel.
        now: The present, UTC.
    """
    connection.execute(delete(digest).where(digest.c.day < (day - _KEPT).isoformat()))
    new = insert_into(connection, digest).values(day=day.isoformat(), channel=channel, taken_at=now)
    if connection.execute(new.on_conflict_do_nothing().returning(digest.c.day)).first() is not None:
        return True
    silent = (digest.c.sent_at.is_(None), digest.c.taken_at < now - _TAKEN_FOR)
    mine = (digest.c.day == day.isoformat(), digest.c.channel == channel)
    return bool(connection.execute(update(digest).where(*mine, *silent).values(taken_at=now)).rowcount)


def note_sent(connection: Connection, day: date, channel: str, now: datetime) -> None:
    """Note that a day's digest got to a channel."""
    mine = (digest.c.day == day.isoformat(), digest.c.channel == channel)
    connection.execute(update(digest).where(*mine).values(sent_at=now))


def give_back(connection: Connection, day: date, channel: str) -> None:
    """Note that a day's digest did not get to a channel: it may be taken again at once."""
    mine = (digest.c.day == day.isoformat(), digest.c.channel == channel)
    connection.execute(delete(digest).where(*mine))
