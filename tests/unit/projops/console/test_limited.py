"""Work that a page waits for: it comes in time or is not waited for, and gives its place back."""

from concurrent.futures import Future
from threading import Thread
from typing import Any

import pytest

from projops.console import limited
from projops.console.limited import within


class Late(Future[Any]):
    """Its work ends at the very moment at which nobody waits any more."""

    def result(self, timeout: float | None = None) -> Any:
        found = super().result()
        if timeout is not None:
            raise TimeoutError
        return found


def fail() -> None:
    raise TimeoutError("of the work itself")


def test_work_that_ends_with_the_waiting_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited, "Future", Late)
    assert within(1, "It", lambda: "found") == "found"


def test_what_the_work_raises_is_raised() -> None:
    with pytest.raises(TimeoutError, match="of the work itself"):
        within(1, "It", fail)


def test_where_no_thread_can_be_had_the_place_is_free_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(Thread, "start", refuse)
        for _ in range(limited._AT_ONCE + 1):
            with pytest.raises(RuntimeError, match="new thread"):
                within(1, "It", fail)
    assert within(1, "It", lambda: "found") == "found"
