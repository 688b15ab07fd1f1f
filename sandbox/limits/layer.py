"""The ASGI layers that turn requests away when a limit is met, and tell what is left of it."""

import time
from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.limits.numbers import Limits
from sandbox.limits.usage import Facet, LimitBoard, Refusal, Usage
from sandbox.odata.wire import error_body
from sandbox.stats import Stats
from sandbox.trace import Trace, current_trace

_CODES = {
    Facet.REQUESTS: "0x80072322",
    Facet.EXECUTION: "0x80072321",
    Facet.CONCURRENCY: "0x80072326",
}


class DataverseLimits:
    """ASGI middleware: service protection limits for each user (protocol 1.7 [D])."""

    def __init__(self, app: ASGIApp, board: LimitBoard, stats: Stats) -> None:
        """Protect `app`; users are known already."""
        self._app = app
        self._board = board
        self._stats = stats

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through or turn it away; either answer tells what is left."""
        trace = current_trace()
        if not trace.client:
            await self._app(scope, receive, send)
            return
        limits, usage = self._board.limits, self._board.usage(trace.client)

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = _remaining_headers(limits, usage, trace)
                message = {**message, "headers": [*message["headers"], *told]}
            await send(message)

        refusal = usage.arrive(time.monotonic())
        if refusal is not None:
            self._stats.record_throttled("dataverse", refusal.facet)
            await _too_many(limits, refusal)(scope, receive, tell)
            return
        try:
            await self._app(scope, receive, tell)
        finally:
            usage.leave(time.monotonic(), trace.execution_seconds)


class FinanceThrottling:
    """ASGI middleware: while more requests run than may, others are turned away (protocol 2.1)."""

    def __init__(self, app: ASGIApp, board: LimitBoard, stats: Stats) -> None:
        """Protect `app`; users are known already."""
        self._app = app
        self._board = board
        self._stats = stats
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through or turn it away."""
        if not current_trace().client:
            await self._app(scope, receive, send)
            return
        limits = self._board.limits.finance
        if limits is not None and self._running >= limits.concurrent:
            self._stats.record_throttled("finance", Facet.CONCURRENCY)
            headers = {"Retry-After": str(limits.retry_after)}
            await _json(_BUSY, headers)(scope, receive, send)
            return
        self._running += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._running -= 1


# No published text is known to us [?].
_BUSY = error_body("", "The request was turned away since the environment's resources are in high use.")


def _remaining_headers(limits: Limits, usage: Usage, trace: Trace) -> list[tuple[bytes, bytes]]:
    """Return the headers of every answer; the form `1,199.46` of the time, in seconds, is live [L]."""
    requests, seconds = usage.remaining(time.monotonic(), trace.execution_seconds)
    return [
        (b"x-ms-ratelimit-burst-remaining-xrm-requests", str(requests).encode()),
        (b"x-ms-ratelimit-time-remaining-xrm-requests", f"{seconds:,.2f}".encode()),
        (b"x-ms-dop-hint", str(limits.dop_hint).encode()),
    ]


def _too_many(limits: Limits, refusal: Refusal) -> Response:
    body = error_body(_CODES[refusal.facet], _message(limits, refusal.facet))
    return _json(body, {"Retry-After": str(refusal.retry_after)})


def _json(body: bytes, headers: Mapping[str, str]) -> Response:
    return Response(body, HTTPStatus.TOO_MANY_REQUESTS, headers, "application/json")


def _message(limits: Limits, facet: Facet) -> str:
    window = f"over time window of {limits.window_seconds:g} seconds."
    match facet:
        case Facet.REQUESTS:
            return f"Number of requests exceeded the limit of {limits.requests} {window}"
        case Facet.EXECUTION:
            return (
                "Combined execution time of incoming requests exceeded limit of "
                f"{limits.execution_seconds * 1000:,.0f} milliseconds {window} Decrease number of concurrent "
                "requests or reduce the duration of requests and try again later."
            )
        case Facet.CONCURRENCY:
            return f"Number of concurrent requests exceeded the limit of {limits.concurrent}."
