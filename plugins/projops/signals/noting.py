"""Writing down which legs have been told of: many messages in one transaction while one is being written."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from sqlalchemy import Connection  # noqa: TID253  no DAG file leads here

from projops.state import signals
from projops.state.leg_facts import Place
from projops.state.signals import Fate

Begin = Callable[[], AbstractContextManager[Connection]]
_REFUSALS_A_WRITE = 10.0  # seconds: strangers are not to cost a transaction each


@dataclass(slots=True)
class _Page:
    """What is written in one transaction."""

    legs: Counter[Place] = field(default_factory=Counter)
    fates: Counter[tuple[str, Fate]] = field(default_factory=Counter)
    written: bool = False


class Notebook:
    """What one process has been told, and has not yet written into the state.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._page = _Page()
        self._adding, self._writing = threading.Lock(), threading.Lock()
        self._refusals_from = -_REFUSALS_A_WRITE

    def note(self, begin: Begin, legs: tuple[Place, ...], system: str, fate: Fate) -> None:
        """Write a message down; when this returns, it is in the state.

        Messages that come while another is being written share the next transaction, so that a burst of
        thousands costs few.

        Args:
            begin: Opens a transaction on the state.
            legs: Legs whose source has changed.
            system: Who told.
            fate: What became of the message.

        Raises:
            SystemUnavailableError: The state is away; the sender is to come again.
        """
        page = self._add({place: 1 for place in legs}, (system, fate))
        self._write(begin, page)

    def refuse(self, begin: Begin, system: str, fate: Fate) -> None:
        """Count a message that was refused; every few seconds all that came since are written."""
        page = self._add({}, (system, fate))
        if self._clock() - self._refusals_from >= _REFUSALS_A_WRITE:
            self._refusals_from = self._clock()
            self._write(begin, page)

    def _add(self, legs: Mapping[Place, int], counted: tuple[str, Fate]) -> _Page:
        with self._adding:
            self._page.legs.update(legs)
            self._page.fates[counted] += 1
            return self._page

    def _write(self, begin: Begin, page: _Page) -> None:
        with self._writing:
            if page.written:
                return
            with self._adding:
                if self._page is page:
                    self._page = _Page()
            with begin() as connection:
                signals.note(connection, page.legs)
                signals.count(connection, page.fates)
            page.written = True
