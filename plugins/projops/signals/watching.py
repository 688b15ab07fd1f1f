"""The watch of the triggerer: which areas to wake, for as long as it runs.

Each second one cheap statement asks the state which signals nobody has taken. Where no endpoint is set up,
all delta links of the environment are looked at together now and then (`signals.polling`). Whatever goes
wrong is said once in a sentence, and tried again ever more slowly; the watch itself never ends.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime

from projops.engine import Engine
from projops.errors import ProjOpsError
from projops.run import LegRef
from projops.signals.endpoint import Endpoint
from projops.signals.polling import look_at_all, next_look
from projops.signals.taking import readable
from projops.signals.waking import Woken, wake
from projops.state import pauses, signals

TICK = 1.0
_LONGEST_REST = 60.0
_REOPENED = 60.0  # seconds after which settings, connections and mapping files are read again
_SPENT = 600.0
_log = logging.getLogger(__name__)


def waiting_areas(engine: Engine) -> dict[str, datetime]:
    """Give the areas that have signals which a run could take, and when the youngest began to wait, UTC.

    What no run would take wakes nobody: what is told of paused maps waits until they are resumed, what is
    told of exports until they may be asked for again, and no leg waits any more that is off or gone.
    """
    with engine.state.reading() as connection:
        waits = signals.waiting(connection)
        held = pauses.paused(connection) if waits else {}
        refs = [LegRef(*place) for place in waits if place[0] not in held and _moves(engine, *place)]
        ready = readable(engine, connection, refs)
    found: dict[str, datetime] = {}
    for ref in ready:
        area, since = engine.maps[ref.map].area, waits[ref.map, ref.leg]
        found[area] = max(since, found.get(area, since))
    return found


def _moves(engine: Engine, name: str, leg: str) -> bool:
    """Say whether a leg that was told of is still one that moves."""
    known = engine.maps.get(name)
    return known is not None and known.enabled and leg in known.legs


class Watch:
    """What one watch knows from one look to the next.

    Args:
        open_engine: Gives the engine, opened once; asked again now and then, when mapping files may differ.
        endpoint: Gives our endpoint for signals, or None.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        open_engine: Callable[[], Engine],
        endpoint: Callable[[], Endpoint | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_engine, self._endpoint, self._clock = open_engine, endpoint, clock
        self._engine: Engine | None = None
        self._reopen_at = 0.0
        self._poll_at: float | None = None
        self._woken: dict[str, Woken] = {}
        self._told = ""
        self.rest = TICK
        """Seconds until the next look."""

    def look(self) -> frozenset[str]:
        """Look once; give the areas to wake. Nothing is raised, and what is wrong is said once."""
        try:
            found = self._look()
        except ProjOpsError as error:
            self._trouble(str(error))
        except Exception as error:  # the watch lasts for months: it must outlive whatever it was not made for
            self._trouble(f"It met an error that it does not know: {type(error).__name__}.")
            _log.debug("What the watch met", exc_info=True)
        else:
            if self._told:
                _log.info("The watch for signals goes on.")
            self._told, self.rest = "", TICK
            return found
        return frozenset()

    def _look(self) -> frozenset[str]:
        engine = self._opened()
        self._poll(engine)
        found, self._woken = wake(waiting_areas(engine), self._woken, self._clock())
        return found

    def _opened(self) -> Engine:
        if self._engine is None or self._clock() >= self._reopen_at:
            self._engine = self._open_engine()
            self._reopen_at = self._clock() + _REOPENED
            if self._endpoint() is not None:
                self._poll_at = None
            elif self._poll_at is None:
                self._poll_at = self._after_rest(self._engine)
        return self._engine

    def _poll(self, engine: Engine) -> None:
        """Look at all delta links where that is due; the next look follows from what is left of the day."""
        if self._poll_at is None or self._clock() < self._poll_at:
            return
        self._poll_at = self._after_rest(engine)  # also where this one fails
        if next_look(engine) is not None:
            asyncio.run(look_at_all(engine))

    def _after_rest(self, engine: Engine) -> float:
        rest = next_look(engine)
        return self._clock() + (_SPENT if rest is None else rest.total_seconds())

    def _trouble(self, sentence: str) -> None:
        if sentence != self._told:
            _log.warning("The watch for signals rests: %s", sentence)
        self._told = sentence
        self._engine = None
        self.rest = min(self.rest * 2, _LONGEST_REST)


async def watched(
    watch: Watch, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> AsyncIterator[frozenset[str]]:
    """Give the areas to wake whenever there are any, for ever.

    Each look runs in a thread, so that neither a locked state nor a slow system holds up others in the loop.
    """
    while True:
        found = await asyncio.to_thread(watch.look)
        if found:
            yield found
        await pause(watch.rest)
