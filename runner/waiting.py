"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from runner.errors import RunnerError
from runner.processes import Process

Found = TypeVar("Found")
_PAUSE_SECONDS = 0.25


def until(
    condition: Callable[[], Found | None], what: str, seconds: float, alive: Sequence[Process]
) -> Found:
    """Ask again and again until a condition gives something.

    Args:
        condition: Gives a value, or None while there is none yet.
        what: What is waited for, for the message.
        seconds: How long to ask.
        alive: Processes without which waiting is pointless.

    Raises:
        RunnerError: Time is up, or a process has ended.
    """
    deadline = time.monotonic() + seconds
    while (found := condition()) is None:
        for process in alive:
            process.require_running()
        if time.monotonic() > deadline:
            logs = ", ".join(str(process.log) for process in alive)
            raise RunnerError(f"Waited {seconds:.0f} s for {what} in vain; see {logs}.")
        time.sleep(_PAUSE_SECONDS)
    return found
