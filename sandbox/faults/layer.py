"""The ASGI layer in which the rules of a board act on one system's requests."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace

from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.auth import TokenDesk, bearer_token, refuse_token
from sandbox.clock import Clock, skewed
from sandbox.dataverse.errors import expired_delta_token
from sandbox.faults.answers import (
    REPEAT,
    answer_of,
    body_of,
    broken_off,
    error_answer,
    first_parts,
    garbage,
    receiving,
    refusal,
    repeated_page,
    second_time,
    truncated,
    without_end,
)
from sandbox.faults.board import FaultBoard, Target, read_target, resource_of
from sandbox.faults.connection import cut, send_raw
from sandbox.faults.rules import FaultRule
from sandbox.odata.wire import error_body
from sandbox.stats import Stats
from sandbox.store.past import lagging
from sandbox.trace import current_trace

_HALF = 0.5


@dataclass(frozen=True)
class _Passage:
    """One request on its way through the layer."""

    scope: Scope
    receive: Receive
    send: Send


class FaultLayer:
    """ASGI middleware that lets the rules of a board act on one system's requests."""

    def __init__(
        self, app: ASGIApp, system: str, board: FaultBoard, stats: Stats, clock: Clock, desk: TokenDesk
    ) -> None:
        """Stand before `app`, the API of `system`."""
        self._app = app
        self._system = system
        self._board = board
        self._stats = stats
        self._clock = clock
        self._desk = desk
        self._effects: Mapping[str | None, Callable[[FaultRule, _Passage], Awaitable[None]]] = {
            None: self._pass_on,
            "status": self._refuse,
            "drop": self._drop,
            "truncate": self._truncate,
            "repeat_page": self._repeat_page,
            "expire": self._expire,
            "partial": self._partial,
            "garbage": self._garbage,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, unless a rule has something else in mind."""
        target = _target(scope, self._system)
        if target is not None and target.repeated:
            scope = second_time(scope)
        rule = None if target is None else self._board.take(target)
        if rule is None:
            await self._app(scope, receive, send)
            return
        self._stats.record_fault(rule.kind)
        await asyncio.sleep(rule.delay_seconds or 0)
        with ExitStack() as stack:
            stack.enter_context(skewed(rule.skew_seconds or 0))
            stack.enter_context(lagging(rule.stale_seconds or 0))
            await self._effects[rule.outcome](rule, _Passage(scope, receive, send))

    async def _pass_on(self, _rule: FaultRule, request: _Passage) -> None:
        await self._app(request.scope, request.receive, request.send)

    async def _refuse(self, rule: FaultRule, request: _Passage) -> None:
        await refusal(rule, self._clock).send(request.send)

    async def _garbage(self, _rule: FaultRule, request: _Passage) -> None:
        await garbage().send(request.send)

    async def _drop(self, rule: FaultRule, request: _Passage) -> None:
        if rule.drop == "before":
            cut(request.scope)
        else:
            answer = await answer_of(self._app, request.scope, request.receive)
            if rule.drop == "after":
                cut(request.scope)
            else:
                send_raw(request.scope, broken_off(answer))
        while (await request.receive())["type"] != "http.disconnect":
            pass

    async def _truncate(self, rule: FaultRule, request: _Passage) -> None:
        answer = await answer_of(self._app, request.scope, request.receive)
        share = _HALF if isinstance(rule.truncate, bool) else rule.truncate
        current_trace().spoilt = True
        await truncated(answer, share).send(request.send)

    async def _repeat_page(self, _rule: FaultRule, request: _Passage) -> None:
        answer = await answer_of(self._app, request.scope, request.receive)
        await repeated_page(answer, request.scope).send(request.send)

    async def _expire(self, rule: FaultRule, request: _Passage) -> None:
        if rule.expire == "token":
            self._desk.revoke(bearer_token(request.scope))
            await refuse_token(request.scope, request.receive, request.send)
            return
        expired = expired_delta_token()
        body = error_body(expired.code, expired.message)
        await error_answer(expired.status, body, {}).send(request.send)

    async def _partial(self, rule: FaultRule, request: _Passage) -> None:
        headers = dict(request.scope["headers"])
        content_type = headers.get(b"content-type", b"")
        body = first_parts(content_type, await body_of(request.receive), rule.partial or 0)
        answer = await answer_of(self._app, request.scope, receiving(body, request.receive))
        current_trace().spoilt = True
        await without_end(answer).send(request.send)


def _target(scope: Scope, system: str) -> Target | None:
    resource = resource_of(scope["path"]) if scope["type"] == "http" else None
    target = None if resource is None else read_target(system, scope["method"], resource)
    if target is None:
        return None
    query: bytes = scope["query_string"]
    return replace(target, delta=b"deltatoken=" in query, repeated=f"{REPEAT}=".encode() in query)
