"""One thread that does what it is given, one thing after another."""

import logging
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

from sandbox.trace import TRACE, current_trace

_log = logging.getLogger(__name__)


class Worker:
    """A batch server of data management.

    The thread ends with the process, whatever it is doing: what was begun is a matter of transactions, and
    is taken up at the next start.
    """

    def __init__(self, name: str) -> None:
        """Start the thread; it has nothing to do yet."""
        self._tasks: SimpleQueue[Callable[[], None]] = SimpleQueue()
        Thread(target=self._run, name=name, daemon=True).start()

    def submit(self, task: Callable[[], None]) -> None:
        """Do `task` after all that was submitted before, on behalf of the request at work."""
        trace = current_trace()

        def traced() -> None:
            TRACE.set(trace)
            task()

        self._tasks.put(traced)

    def _run(self) -> None:
        while True:
            task = self._tasks.get()
            try:
                task()
            except Exception:
                _log.exception("A task of data management failed.")
