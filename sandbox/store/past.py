"""Reads of the past, as a replica that lags behind would answer them."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import RLock

import sqlalchemy as sa

_LAG: ContextVar[float] = ContextVar("lag", default=0.0)
_STEPS = 8  # states that are kept of the time that reads may look back


@contextmanager
def lagging(seconds: float) -> Iterator[None]:
    """Let reads inside see the rows as they were `seconds` ago."""
    token = _LAG.set(seconds)
    try:
        yield
    finally:
        _LAG.reset(token)


def lag() -> float:
    """Return by how many seconds the reads of the request at work lag behind."""
    return _LAG.get()


@dataclass(frozen=True)
class _State:
    """What the database held just before a write.

    Attributes:
        until: When that write began, by the monotonic clock, in seconds.
        connection: A read transaction that sees it still.
        held: Closes that transaction.
    """

    until: float
    connection: sa.Connection
    held: ExitStack


class Past:
    """States of before the latest writes: read transactions of the database itself that are left open.

    Only while somebody wants to look back: then each write first opens a transaction that goes on
    seeing what was there before, unless the last one was opened so shortly before that it will do. A
    read of n seconds ago sees the state that the first write since has ended, or the present where
    none came since. It looks back n seconds, an eighth less at most, and no further than to when
    `keep` was called.
    """

    def __init__(
        self,
        snapshot: Callable[[], AbstractContextManager[sa.Connection]],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take states with `snapshot`, which opens a read transaction; keep none yet."""
        self._snapshot = snapshot
        self._now = now
        # One thread at a time may use a connection, and a read may hold another one inside.
        self._lock = RLock()
        self._seconds = 0.0
        self._states: list[_State] = []

    def keep(self, seconds: float) -> None:
        """Let reads look back as far as `seconds` from now on; 0 forgets the past."""
        with self._lock:
            self._seconds = seconds
            if not seconds:
                self._forget(len(self._states))

    def before_write(self) -> None:
        """Keep the state that a write is about to end."""
        with self._lock:
            self._drop_old()
            last = self._states[-1].until if self._states else None
            if self._seconds and (last is None or self._now() - last >= self._seconds / _STEPS):
                self._states.append(self._state())

    @contextmanager
    def reading(self, seconds: float) -> Iterator[sa.Connection | None]:
        """Give the connection that sees the rows of so many seconds ago; None where that is the present."""
        if not seconds:
            yield None
            return
        with self._lock:
            instant = self._now() - seconds
            yield next((state.connection for state in self._states if state.until >= instant), None)

    def _state(self) -> _State:
        with ExitStack() as stack:
            connection = stack.enter_context(self._snapshot())
            connection.execute(sa.text("SELECT version FROM environment"))  # a snapshot begins with a read
            return _State(self._now(), connection, stack.pop_all())

    def _drop_old(self) -> None:
        oldest = self._now() - self._seconds
        self._forget(sum(state.until < oldest for state in self._states))

    def _forget(self, number: int) -> None:
        for state in self._states[:number]:
            state.held.close()
        self._states = self._states[number:]
