"""One writer a map: a lease that a task holds while it runs.

Dynamics knows no fencing tokens. So the holder checks its lease before each request and gives the
request a timeout shorter than what is left of it; whoever takes an expired lease can be sure that
at most the one request in flight comes late.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from projops.errors import LeaseHeldError
from projops.state.store import StateStore
from projops.state.tables import lease as leases

DURATION = timedelta(seconds=120)
# What a request needs at least; with less left, the lease is renewed first.
MARGIN = timedelta(seconds=60)


@dataclass(slots=True)
class Lease:
    """A held lease; `check` before each request, `release` at the end.

    Attributes:
        store: State database.
        map: Map id.
        token: Identifies this holding.
        owner: For people: DAG, run, task.
        expires_at: UTC.
        clock: Gives the present, aware; tests hand in their own.
    """

    store: StateStore
    map: str
    token: str
    owner: str
    expires_at: datetime
    clock: Callable[[], datetime]

    def seconds_left(self) -> float:
        """Give the seconds for which requests may still run, after renewing if it is short.

        Raises:
            LeaseHeldError: Somebody else has taken the map meanwhile.
        """
        if self.expires_at - self.clock() < MARGIN:
            self._renew()
        return max((self.expires_at - self.clock()).total_seconds() - 1.0, 0.0)

    def release(self) -> None:
        """Give the map free; harmless if the lease is no longer ours."""
        with self.store.begin() as connection:
            connection.execute(delete(leases).where(leases.c.map == self.map, leases.c.token == self.token))

    def _renew(self) -> None:
        expires_at = self.clock() + DURATION
        with self.store.begin() as connection:
            kept = connection.execute(
                update(leases)
                .where(leases.c.map == self.map, leases.c.token == self.token)
                .values(expires_at=expires_at)
            )
            if kept.rowcount == 0:
                raise _held(connection, self.map)
        self.expires_at = expires_at


def acquire(
    store: StateStore, map_id: str, owner: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Lease:
    """Take the lease of a map.

    Raises:
        LeaseHeldError: Another writer holds it and it has not expired.
    """
    token = uuid.uuid4().hex
    expires_at = clock() + DURATION
    values = {"token": token, "owner": owner, "expires_at": expires_at}
    with store.begin() as connection:
        # Only an expired lease is taken, even from the same task: its earlier try may still be alive.
        taken = connection.execute(
            update(leases).where(leases.c.map == map_id, leases.c.expires_at < clock()).values(**values)
        )
        if taken.rowcount == 0:
            try:
                with connection.begin_nested():
                    connection.execute(insert(leases).values(map=map_id, **values))
            except IntegrityError as error:
                raise _held(connection, map_id) from error
    return Lease(store, map_id, token, owner, expires_at, clock)


def acquire_waiting(
    store: StateStore, map_id: str, owner: str, patience: timedelta = DURATION + MARGIN
) -> Lease:
    """Take the lease of a map, waiting for its holder for a while.

    Raises:
        LeaseHeldError: It was held for all that time.
    """
    deadline = time.monotonic() + patience.total_seconds()
    pause = 0.2
    while True:
        try:
            return acquire(store, map_id, owner)
        except LeaseHeldError:
            if time.monotonic() + pause > deadline:
                raise
            time.sleep(pause)
            pause = min(pause * 2, 5.0)


def _held(connection: Connection, map_id: str) -> LeaseHeldError:
    row = connection.execute(select(leases).where(leases.c.map == map_id)).mappings().one_or_none()
    holder = "another writer" if row is None else f"{row['owner']} (until {row['expires_at']:%H:%M:%S} UTC)"
    return LeaseHeldError(
        f"Map {map_id} is being written by {holder}.",
        remedy="It goes on by itself when that one has finished; run again then.",
        map=map_id,
    )
