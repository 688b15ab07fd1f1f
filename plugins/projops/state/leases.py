"""One writer a map: a lease that a task holds while it runs.

Dynamics knows no fencing tokens. So the holder checks its lease before each request and gives the
request a timeout shorter than what is left of it; whoever takes an expired lease has thereby waited
out the former holder's requests, but for the one that a frozen machine may still send when it wakes
up. What that one may write is marked (`state.in_flight`) and looked at again. Our own state does
know tokens: each commit of a writer first makes sure that its lease is still its own.

When a lease ends is judged by the database's clock (`state.clock`); how long requests may still run
by the holder's own seconds since it asked, so that no two clocks are ever compared.
"""

import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from projops.errors import LeaseHeldError, SystemUnavailableError
from projops.state import in_flight
from projops.state.clock import present
from projops.state.store import StateStore
from projops.state.tables import lease as leases

# Seconds that go on while the machine sleeps, which those of time.monotonic do not.
if sys.platform == "linux":
    elapsed: Callable[[], float] = partial(time.clock_gettime, time.CLOCK_BOOTTIME)
else:
    elapsed = time.monotonic


@dataclass(slots=True)
class Lease:
    """A held lease; `seconds_left` before each request, `confirm` in each commit.

    Attributes:
        store: State database.
        map: Map id.
        token: Identifies this holding.
        owner: For people: DAG, run, task.
        seconds: How long it lasts without a renewal.
        ends: When it ends, by `clock`.
        clock: Seconds of this machine; tests hand in their own.
    """

    store: StateStore
    map: str
    token: str
    owner: str
    seconds: float
    ends: float
    clock: Callable[[], float] = elapsed
    _released: threading.Event = field(default_factory=threading.Event, init=False)

    def seconds_left(self) -> float:
        """Give the seconds for which requests may still run, after renewing if half of it is over.

        Raises:
            LeaseHeldError: Somebody else has taken the map meanwhile.
        """
        if self.ends - self.clock() < self.seconds / 2:
            self.renew()
        slack = min(1.0, self.seconds / 10)  # an answer that comes at the last moment must be seen as such
        return max(self.ends - self.clock() - slack, 0.0)

    def renew(self) -> None:
        """Hold the map for the whole time again.

        Raises:
            LeaseHeldError: Somebody else has taken the map meanwhile.
        """
        began = self.clock()
        with self.store.begin() as connection:
            until = present(connection) + timedelta(seconds=self.seconds)
            kept = connection.execute(update(leases).where(*self._mine()).values(expires_at=until))
            if kept.rowcount == 0:
                self.ends = began
                raise _held(connection, self.map)
        self.ends = began + self.seconds

    def confirm(self, connection: Connection) -> None:
        """Let a transaction go on only while the map is ours; nobody takes it before its commit.

        Raises:
            LeaseHeldError: Somebody else has taken the map meanwhile.
        """
        statement = select(leases.c.token).where(*self._mine()).with_for_update()
        if connection.execute(statement).scalar_one_or_none() is None:
            raise _held(connection, self.map)

    def release(self) -> None:
        """Give the map free, and report what was left in flight; harmless if it is no longer ours."""
        self._released.set()
        with self.store.begin() as connection:
            in_flight.report(connection, self.token, timedelta(seconds=self.seconds))
            connection.execute(delete(leases).where(*self._mine()))

    @contextmanager
    def kept(self) -> Iterator["Lease"]:
        """Renew it by time until the block ends: a chunk may take long without a single request."""
        beat = threading.Thread(target=self._beat, name=f"lease of {self.map}", daemon=True)
        beat.start()
        try:
            yield self
        finally:
            self._released.set()
            beat.join()

    def _beat(self) -> None:
        while not self._released.wait(self.seconds / 4):
            try:
                self.renew()
            except LeaseHeldError:
                return  # the writer learns of it before its next request, and in its next commit
            except SystemUnavailableError:
                continue  # the database is away for now; the lease runs out by itself if it stays so

    def _mine(self) -> tuple[Any, ...]:
        return leases.c.map == self.map, leases.c.token == self.token


def acquire(
    store: StateStore, map_id: str, owner: str, seconds: float, clock: Callable[[], float] = elapsed
) -> Lease:
    """Take the lease of a map.

    Args:
        store: State database.
        map_id: Map id.
        owner: For people: DAG, run, task.
        seconds: How long it lasts without a renewal.
        clock: Seconds of this machine; tests hand in their own.

    Raises:
        LeaseHeldError: Another writer holds it and it has not expired.
    """
    token = uuid.uuid4().hex
    began = clock()
    with store.begin() as connection:
        now = present(connection)
        until = now + timedelta(seconds=seconds)
        values = {"token": token, "owner": owner, "since": now, "expires_at": until}
        # Only an expired lease is taken, even from the same task: its earlier try may still be alive.
        taken = connection.execute(
            update(leases).where(leases.c.map == map_id, leases.c.expires_at < now).values(**values)
        )
        if taken.rowcount == 0:
            try:
                with connection.begin_nested():
                    connection.execute(insert(leases).values(map=map_id, **values))
            except IntegrityError as error:
                raise _held(connection, map_id) from error
    return Lease(store, map_id, token, owner, seconds, began + seconds, clock)


def acquire_waiting(
    store: StateStore, map_id: str, owner: str, seconds: float, patience: float | None = None
) -> Lease:
    """Take the lease of a map, waiting for its holder for a while.

    Args:
        store: State database.
        map_id: Map id.
        owner: For people.
        seconds: How long it lasts without a renewal.
        patience: Seconds to wait; by default what a holder that fell silent keeps it, and half more.

    Raises:
        LeaseHeldError: It was held for all that time.
    """
    deadline = time.monotonic() + (1.5 * seconds if patience is None else patience)
    pause = 0.2
    while True:
        try:
            return acquire(store, map_id, owner, seconds)
        except LeaseHeldError:
            if time.monotonic() + pause > deadline:
                raise
            time.sleep(pause)
            pause = min(pause * 2, max(seconds / 10, 0.2))


@contextmanager
def held(store: StateStore, map_id: str, owner: str, seconds: float) -> Iterator[Lease]:
    """Hold the lease of a map for a block, however long it takes.

    Raises:
        LeaseHeldError: Another writer holds it, and goes on.
    """
    lease = acquire_waiting(store, map_id, owner, seconds)
    try:
        with lease.kept():
            yield lease
    finally:
        lease.release()


def _held(connection: Connection, map_id: str) -> LeaseHeldError:
    row = connection.execute(select(leases).where(leases.c.map == map_id)).mappings().one_or_none()
    holder = "another writer" if row is None else f"{row['owner']} (until {row['expires_at']:%H:%M:%S} UTC)"
    return LeaseHeldError(
        f"Map {map_id} is being written by {holder}.",
        remedy="It goes on by itself when that one has finished; run again then.",
        map=map_id,
    )
