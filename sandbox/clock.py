"""The server's clock: real time by default, moved by tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Lock

_SKEW: ContextVar[timedelta] = ContextVar("skew", default=timedelta(0))


class Clock:
    """Tells the sandbox's time, which goes on ticking from wherever it was set."""

    def __init__(self, start: datetime | None = None) -> None:
        """Start at `start` (aware), or at real time where it is None."""
        self._lock = Lock()
        self._offset = timedelta(0)
        if start is not None:
            self.set(start)

    def now(self) -> datetime:
        """Return the sandbox's present time, aware and in UTC, to the microsecond.

        A request that a fault rule gave a skewed clock sees that one.
        """
        with self._lock:
            return datetime.now(UTC) + self._offset + _SKEW.get()

    def set(self, instant: datetime) -> None:
        """Make `instant` (aware) the present."""
        with self._lock:
            self._offset = instant.astimezone(UTC) - datetime.now(UTC)

    def restart(self) -> None:
        """Go back to real time."""
        with self._lock:
            self._offset = timedelta(0)

    def advance(self, seconds: float) -> None:
        """Move the present by `seconds`, backwards where negative."""
        with self._lock:
            self._offset += timedelta(seconds=seconds)


@contextmanager
def skewed(seconds: float) -> Iterator[None]:
    """Let every clock be off by `seconds` for what runs inside, slow where negative."""
    token = _SKEW.set(timedelta(seconds=seconds))
    try:
        yield
    finally:
        _SKEW.reset(token)


def http_date(instant: datetime) -> str:
    """Write an aware time as HTTP headers have it: `Sun, 06 Nov 1994 08:49:37 GMT`."""
    return format_datetime(instant.astimezone(UTC), usegmt=True)


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 time stamp; without an offset it is UTC.

    Raises:
        ValueError: When `text` is not ISO 8601.
    """
    instant = datetime.fromisoformat(text)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
