"""Who may send now: the window of one session, a Retry-After, and turns shared with other tasks."""

import asyncio
import math
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol

from projops.errors import ThrottledError
from projops.systems.allowance import TURN_SECONDS, Ask, Left, Turn
from projops.systems.concurrency import Window

# While requests are under way, the session says so before its slots expire.
_BEAT = 2.0


class Ledger(Protocol):
    """Gives turns to all sessions of one system and user (`state.throttling.SharedLimits`)."""

    def turn(self, ask: Ask) -> Turn:
        """Take a report, and give a turn or a time to come again."""


@dataclass(slots=True)
class Admission:
    """Lets the requests of one session out, in the order in which they come.

    Attributes:
        name: Connection id, for messages.
        window: How many requests are worth sending at once.
        ledger: Turns shared with other tasks; None where nothing is shared.
        patience: Seconds that a request waits for a Retry-After; a longer one fails it at once.
        pause: Waits for seconds.
        clock: Monotonic seconds.
    """

    name: str
    window: Window
    ledger: Ledger | None
    patience: float
    pause: Callable[[float], Awaitable[None]]
    clock: Callable[[], float]
    _holder: str = field(default_factory=lambda: uuid.uuid4().hex, init=False)
    _line: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _changed: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _waiting: int = field(default=0, init=False)
    _under_way: int = field(default=0, init=False)
    _not_before: float = field(default=-math.inf, init=False)
    _wanted: int = field(default=0, init=False)
    _slots: int = field(default=0, init=False)
    _requests: int = field(default=0, init=False)
    _turn_ends: float = field(default=-math.inf, init=False)
    _ask_again: float = field(default=-math.inf, init=False)
    _asked_at: float = field(default=-math.inf, init=False)
    _sent: int = field(default=0, init=False)
    _sent_lately: int = field(default=0, init=False)
    _seconds: float = field(default=0.0, init=False)
    _refused: int = field(default=0, init=False)
    _left: Left | None = field(default=None, init=False)
    _beat: asyncio.TimerHandle | None = field(default=None, init=False)

    @asynccontextmanager
    async def request(self, what: str) -> AsyncIterator[None]:
        """Wait until a request may go, and count it as under way until the block ends.

        Args:
            what: What it does, for messages.

        Raises:
            ThrottledError: The system wants no request for longer than our patience.
        """
        self._waiting += 1
        try:
            async with self._line:
                while (wait := self._wait(what)) > 0:
                    await self._rest(wait)
                self._under_way += 1
                self._sent += 1
                self._requests -= 1
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._under_way -= 1
            self._changed.set()

    def answered(self, sort: str, seconds: float, headers: Mapping[str, str]) -> None:
        """Take an answer into account: how long it took, and what the system says of its limits.

        Args:
            sort: Requests that take about as long as each other.
            seconds: From sending to the end of the answer.
            headers: Of the answer.
        """
        self._seconds += seconds
        self._left = _left(headers) or self._left
        hint = headers.get("x-ms-dop-hint", "")
        if hint.isascii() and hint.isdigit():
            self.window = self.window.hinted(int(hint))
        self.window = self.window.answered(sort, seconds, self._under_way)

    def refused(self, seconds: float) -> None:
        """Take a refusal (429, 503) into account; all tasks hear of it at once.

        Args:
            seconds: What the system asks to wait (Retry-After); 0 where it does not say.
        """
        self.window = self.window.refused(self._under_way)
        self._refused += 1
        if seconds > 0:
            self._not_before = max(self._not_before, self.clock() + seconds)
            self._tell(refused_for=seconds)

    def close(self) -> None:
        """Give back what is left of the turn."""
        if self._beat is not None:
            self._beat.cancel()
        if self._asked_at > -math.inf:
            self._under_way = 0
            self._tell()

    def _wait(self, what: str) -> float:
        """Give the seconds after which to look again; 0 lets a request go."""
        now = self.clock()
        if self._not_before > now:
            return self._patient(self._not_before - now, what)
        if self._under_way >= self.window.limit:
            return math.inf
        if self.ledger is None:
            return 0.0
        if now >= self._ask_again and (now >= self._turn_ends or self._needs_more()):
            self._take_turn()
        if self._requests <= 0:
            return self._patient(self._ask_again - now, what)
        return 0.0 if self._under_way < self._slots else max(self._turn_ends - now, 0.01)

    def _patient(self, seconds: float, what: str) -> float:
        if seconds <= self.patience:
            return seconds
        raise ThrottledError(
            f"{self.name}, {what}: the system wants no request for the next {seconds:.0f} s.",
            retry_after=seconds,
            remedy="Retried by itself later.",
            connection=self.name,
        )

    async def _rest(self, seconds: float) -> None:
        """Wait for a time, or for less if a request under way ends."""
        if self._under_way == 0:
            await self.pause(seconds)
            return
        self._changed.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), None if seconds == math.inf else seconds)

    def _needs_more(self) -> bool:
        """Tell whether the turn is used up; it lacks slots if we asked for few, not if they are scarce."""
        return self._requests <= 0 or self._under_way >= self._slots == self._wanted

    def _take_turn(self) -> None:
        """Ask for what is needed now: what a killed session holds, nobody has for some seconds."""
        self._sent_lately = self._sent or self._sent_lately
        self._wanted = min(self.window.limit, self._under_way + self._waiting)
        given = self._tell(wanted=self._wanted, requests=max(self._waiting, 2 * self._sent_lately))
        self._slots, self._requests = given.slots, given.requests
        self._ask_again = self._asked_at + given.wait

    def _tell(self, *, wanted: int = 0, requests: int = 1, refused_for: float = 0.0) -> Turn:
        """Report to the ledger; whatever was left of the turn is given back by that."""
        if self.ledger is None:
            return Turn(0)
        ask = Ask(
            holder=self._holder,
            under_way=self._under_way,
            wanted=wanted,
            requests=requests,
            sent=self._sent,
            seconds=self._seconds,
            left=self._left,
            refused_for=refused_for,
            refused=self._refused,
        )
        self._sent, self._refused, self._seconds, self._left, self._requests = 0, 0, 0.0, None, 0
        given = self.ledger.turn(ask)
        self._asked_at = self.clock()
        self._turn_ends = self._asked_at + TURN_SECONDS
        if self._beat is None and wanted:
            self._later(TURN_SECONDS)
        return given

    def _later(self, seconds: float) -> None:
        self._beat = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        """Give a turn back that has ended unused, and keep the slots of long requests alive."""
        self._beat = None
        now = self.clock()
        silent = now - self._asked_at
        in_line = now < self._ask_again  # which a report would leave
        if not in_line and silent >= (_BEAT if self._waiting else TURN_SECONDS):
            self._tell()
        if self._under_way or self._waiting or self._requests > 0:
            self._later(TURN_SECONDS if self._requests > 0 else _BEAT)


def _left(headers: Mapping[str, str]) -> Left | None:
    """Read what the system says is left of its limits; thousands may be set apart by commas [D]."""
    requests = _number(headers.get("x-ms-ratelimit-burst-remaining-xrm-requests", ""))
    seconds = _number(headers.get("x-ms-ratelimit-time-remaining-xrm-requests", ""))
    if requests is None and seconds is None:
        return None
    return Left(None if requests is None else int(requests), seconds)


def _number(text: str) -> float | None:
    try:
        number = float(text.replace(",", ""))
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
