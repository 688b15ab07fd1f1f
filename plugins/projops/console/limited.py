"""Work that asks both systems while somebody waits for the page: a limit to the waiting, few at a time."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import BoundedSemaphore, Thread
from typing import TypeVar

from projops.errors import SystemUnavailableError

Value = TypeVar("Value")

_AT_ONCE = 4  # each asks the systems for as much as a task does
_free = BoundedSemaphore(_AT_ONCE)


def within(seconds: float, what: str, work: Callable[[], Value]) -> Value:
    """Give what some work comes to, if it does so in time.

    Nobody waits for work that takes longer; it goes on to its end, which its own requests' limits set, and
    keeps its place until then.

    Args:
        seconds: How long to wait.
        what: What it is, to begin a sentence with: "The trace".
        work: Asks the systems.

    Raises:
        SystemUnavailableError: It takes longer, or too much of the kind is going on.
    """
    if not _free.acquire(blocking=False):
        raise SystemUnavailableError(
            f"{what} waits: {_AT_ONCE} pages ask the systems for something already.",
            remedy="Try again in a minute.",
        )
    answer: Future[Value] = Future()
    try:
        Thread(target=_run, args=(work, answer), name="projops-page", daemon=True).start()
    except RuntimeError:  # the process may have no more threads: then the place is free again
        _free.release()
        raise
    try:
        return answer.result(seconds)
    except TimeoutError:
        if answer.done():  # the work itself met one, or has come to its end at this very moment
            return answer.result()
        raise SystemUnavailableError(
            f"{what} takes longer than {seconds:g} seconds: a system is slow, or throttles us.",
            remedy="Try again later, or ask on the command line, which waits.",
        ) from None


def _run(work: Callable[[], Value], answer: Future[Value]) -> None:
    try:
        answer.set_result(work())
    except BaseException as error:
        answer.set_exception(error)
    finally:
        _free.release()
