"""Waiting for what happens behind requests: asked again until it is there, and never for long."""

import time
from collections.abc import Callable, Sized
from typing import TypeVar

Found = TypeVar("Found")
LONGEST_WAIT = 20


def until(ask: Callable[[], Found], count: int = 1) -> Found:
    """Ask until the answer is true, and has `count` members if it can be counted; return it.

    Raises:
        AssertionError: When it is not so after 20 seconds.
    """
    end = time.monotonic() + LONGEST_WAIT
    while time.monotonic() < end:
        found = ask()
        if found and (not isinstance(found, Sized) or isinstance(found, str) or len(found) >= count):
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen")
