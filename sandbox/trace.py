"""One HTTP request from its first byte to its last: who sent it, and whether the answer got there."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from time import thread_time


@dataclass
class Trace:
    """What is known of a request.

    Attributes:
        number: Of the request, from 1 in the order of arrival; 0 outside of any.
        began: When it arrived, aware, UTC, real time whatever the sandbox's clock says.
        client: Who is behind its token, "" where there is none.
        user_agent: Its User-Agent.
        request_id: Its `x-ms-client-request-id`.
        delivered: Whether the whole answer went to the client, as far as the server can tell; None
            while it is on its way.
        execution_seconds: Work that it took: processor time of the threads that answered it. Waiting for
            a thread, for the database's lock or for a fault is none.
        spoilt: Whether a fault made the answer unusable.
    """

    number: int
    began: datetime
    client: str = ""
    user_agent: str = ""
    request_id: str = ""
    delivered: bool | None = None
    execution_seconds: float = 0.0
    spoilt: bool = False


TRACE: ContextVar[Trace | None] = ContextVar("trace", default=None)


def current_trace() -> Trace:
    """Return the trace of the request at work, in whichever thread; a blank one outside of requests."""
    return TRACE.get() or Trace(0, datetime.now(UTC))


@contextmanager
def executing() -> Iterator[None]:
    """Count the work of the block, in this thread, as work of the request at work."""
    started = thread_time()
    try:
        yield
    finally:
        current_trace().execution_seconds += thread_time() - started
