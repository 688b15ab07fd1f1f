"""What users have asked for within the window, and whether they may go on."""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from sandbox.limits.numbers import Limits

_ROOM = 0.05  # share of a limit that has to be free again before a user who met it is let in
_GRACE_SECONDS = 1.0  # what was on its way already when the limit was met is not held against the user
_PENALTY = 0.01  # share of the window by which each request that comes too early prolongs the wait


class Facet(StrEnum):
    """Which of the three limits is met."""

    REQUESTS = "requests"
    EXECUTION = "execution_time"
    CONCURRENCY = "concurrency"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is turned away.

    Attributes:
        facet: The limit.
        retry_after: Whole seconds to wait.
    """

    facet: Facet
    retry_after: int


class Usage:
    """One user's requests in a sliding window. Times are seconds of one monotonic clock."""

    def __init__(self, limits: Limits) -> None:
        """Start with nothing asked."""
        self._limits = limits
        self._arrived: deque[float] = deque()
        self._executed: deque[tuple[float, float]] = deque()
        self._seconds = 0.0  # of all that is in _executed
        self._running = 0
        self._block: tuple[Facet, float, float] | None = None  # facet, since, until
        self._crowded: deque[float] = deque()

    def arrive(self, now: float) -> Refusal | None:
        """Let a request in, or say why not; who was let in has to `leave`."""
        self._slide(now)
        refusal = self._crowd(now) or self._blocked(now) or self._exceeded(now)
        if refusal is None:
            self._arrived.append(now)
            self._running += 1
        return refusal

    def leave(self, now: float, seconds: float) -> None:
        """End a request that took `seconds` of work."""
        self._running -= 1
        self._executed.append((now, seconds))
        self._seconds += seconds

    def remaining(self, now: float, running: float = 0.0) -> tuple[int, float]:
        """Return how many requests and how many seconds of work are left in the window.

        Args:
            now: The time.
            running: Seconds of work of the request that asks, which has not left yet.
        """
        self._slide(now)
        requests = self._limits.requests - len(self._arrived)
        return max(requests, 0), max(self._limits.execution_seconds - self._seconds - running, 0.0)

    def _slide(self, now: float) -> None:
        oldest = now - self._limits.window_seconds
        for times in (self._arrived, self._crowded):
            while times and times[0] <= oldest:
                times.popleft()
        while self._executed and self._executed[0][0] <= oldest:
            self._seconds -= self._executed.popleft()[1]

    def _crowd(self, now: float) -> Refusal | None:
        if self._running < self._limits.concurrent:
            return None
        self._crowded.append(now)
        return Refusal(Facet.CONCURRENCY, 1 + len(self._crowded) // self._limits.concurrent)

    def _blocked(self, now: float) -> Refusal | None:
        """Turn away who comes before the time that was told, and make the time longer (protocol 1.7)."""
        if self._block is None or now >= self._block[2]:
            self._block = None
            return None
        facet, since, until = self._block
        if now - since > _GRACE_SECONDS:
            longest = now + self._limits.window_seconds
            until = min(until + self._limits.window_seconds * _PENALTY, longest)
            self._block = facet, since, until
        return Refusal(facet, _whole(until - now))

    def _exceeded(self, now: float) -> Refusal | None:
        if len(self._arrived) >= self._limits.requests:
            room = ceil(self._limits.requests * _ROOM)
            return self._begin_block(Facet.REQUESTS, now, self._arrived[room - 1])
        if self._seconds >= self._limits.execution_seconds:
            return self._begin_block(Facet.EXECUTION, now, self._last_to_leave())
        return None

    def _last_to_leave(self) -> float:
        """Return when the request ended whose work has to leave the window for a user to be let in."""
        over = self._seconds - self._limits.execution_seconds * (1 - _ROOM)
        for ended, seconds in self._executed:
            over -= seconds
            if over <= 0:
                return ended
        return self._executed[-1][0]

    def _begin_block(self, facet: Facet, now: float, leaving: float) -> Refusal:
        until = leaving + self._limits.window_seconds
        self._block = facet, now, until
        return Refusal(facet, _whole(until - now))


class LimitBoard:
    """The limits of the moment, and what each user has used of them.

    Only the event loop that serves all requests may use it.

    Attributes:
        limits: The limits.
    """

    def __init__(self) -> None:
        """Start with the documented limits."""
        self.limits = Limits()
        self._usage: dict[str, Usage] = {}

    def replace(self, limits: Limits) -> None:
        """Put other limits in force, and begin to count anew."""
        self.limits = limits
        self._usage = {}

    def usage(self, user: str) -> Usage:
        """Return what a user has used."""
        return self._usage.setdefault(user, Usage(self.limits))


def _whole(seconds: float) -> int:
    return max(1, ceil(seconds))
