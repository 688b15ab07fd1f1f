"""The outermost ASGI layer: every request gets its trace, every answer its Date."""

from datetime import UTC, datetime
from itertools import count

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.clock import Clock, http_date
from sandbox.faults.connection import is_closing
from sandbox.stats import Stats
from sandbox.trace import TRACE, Trace

_LONGEST_HEADER = 500  # characters that are kept, as the log of writes keeps 100,000 traces
_numbers = count(1)


class Observer:
    """ASGI middleware that follows the requests of one system from arrival to the last byte."""

    def __init__(self, app: ASGIApp, system: str, stats: Stats, clock: Clock) -> None:
        """Stand before `app`, the API of `system`, with all its other layers."""
        self._app = app
        self._system = system
        self._stats = stats
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Follow a request; `Date` is the system's own clock, as a fault may have skewed it."""
        trace = _trace(scope)

        async def follow(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = (b"date", http_date(self._clock.now()).encode())
                message = {**message, "headers": [*message["headers"], date]}
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                trace.delivered = not trace.spoilt and not is_closing(scope)

        token = TRACE.set(trace)
        try:
            with self._stats.running(self._system):
                await self._app(scope, receive, follow)
        finally:
            TRACE.reset(token)
            trace.delivered = bool(trace.delivered)


def _trace(scope: Scope) -> Trace:
    headers = Headers(scope=scope)
    return Trace(
        number=next(_numbers),
        began=datetime.now(UTC),
        user_agent=headers.get("user-agent", "")[:_LONGEST_HEADER],
        request_id=headers.get("x-ms-client-request-id", "")[:_LONGEST_HEADER],
    )
