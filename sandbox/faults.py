"""Faults on demand: rules that stand in the way of matching requests."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from threading import Lock
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sandbox.stats import Stats

_ENTITY = re.compile(r"^/(?:api/data/v[0-9.]+|data)/([^/(?]+)(?:\([^)]*\))?(?:/[\w.]*?(\w+))?/?$")
CUT = "sandbox.cut"


@dataclass(frozen=True, slots=True)
class FaultRule:
    """What goes wrong, and for which requests; a part that is None matches or does nothing.

    Attributes:
        system: "dataverse" or "finance".
        entity: Entity set, or "$batch".
        verb: HTTP method, or a bulk message or action by its short name (UpsertMultiple).
        count: How many matching requests it meets, all where None.
        status: Answer this status instead of the real answer.
        retry_after: Seconds for the `Retry-After` header of that answer.
        code: Error code of that answer.
        message: Error text of that answer.
        delay_seconds: Wait as long before anything else.
        drop: "before" or "after": cut the connection before or after the request took effect.
    """

    system: str | None = None
    entity: str | None = None
    verb: str | None = None
    count: int | None = None
    status: int | None = None
    retry_after: int | None = None
    code: str | None = None
    message: str | None = None
    delay_seconds: float | None = None
    drop: str | None = None

    def matches(self, system: str, entity: str, verbs: tuple[str, ...]) -> bool:
        """Say whether a request is meant."""
        return (
            self.system in {None, system}
            and self.entity in {None, entity}
            and (self.verb is None or self.verb in verbs)
        )


def read_rules(body: object) -> tuple[FaultRule, ...]:
    """Read the rules of `PUT /sandbox/faults`: a list, or `{"rules": [...]}`.

    Raises:
        ValueError: When a rule has an unknown part, with the known ones named.
    """
    rules = body.get("rules") if isinstance(body, dict) else body
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise ValueError("Send a list of fault rules, each of them a JSON object.")
    known = [field.name for field in fields(FaultRule)]
    for rule in rules:
        if unknown := sorted(set(rule) - set(known)):
            raise ValueError(
                f"Unknown parts of a fault rule: {', '.join(unknown)}. Known: {', '.join(known)}."
            )
        if rule.get("drop") not in {None, "before", "after"}:
            raise ValueError("The part drop of a fault rule is before or after.")
    return tuple(FaultRule(**rule) for rule in rules)


class FaultBoard:
    """The rules of the moment and how many requests each of them may still meet."""

    def __init__(self) -> None:
        """Start without rules."""
        self._lock = Lock()
        self._rules: list[tuple[FaultRule, int | None]] = []

    def replace(self, rules: tuple[FaultRule, ...]) -> None:
        """Make `rules` the only ones."""
        with self._lock:
            self._rules = [(rule, rule.count) for rule in rules]

    def listing(self) -> list[dict[str, Any]]:
        """Return the rules with what is left of their counts, as `GET /sandbox/faults` shows them."""
        with self._lock:
            return [asdict(rule) | {"count": left} for rule, left in self._rules]

    def take(self, system: str, entity: str, verbs: tuple[str, ...]) -> FaultRule | None:
        """Return the first rule that meets the request, one use of it spent."""
        with self._lock:
            for place, (rule, left) in enumerate(self._rules):
                if left != 0 and rule.matches(system, entity, verbs):
                    self._rules[place] = (rule, None if left is None else left - 1)
                    return rule
        return None


class FaultLayer:
    """ASGI middleware that lets the rules of a board act on one system's requests."""

    def __init__(self, app: ASGIApp, system: str, board: FaultBoard, stats: Stats) -> None:
        """Stand before `app`, the API of `system`."""
        self._app = app
        self._system = system
        self._board = board
        self._stats = stats

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, unless a rule has something else in mind."""
        rule = self._rule(scope)
        if rule is None:
            await self._app(scope, receive, send)
            return
        if rule.delay_seconds:
            self._stats.record_fault("delay")
            await asyncio.sleep(rule.delay_seconds)
        if rule.drop is not None:
            self._stats.record_fault(f"drop_{rule.drop}")
            await self._drop(rule.drop, scope, receive)
        elif rule.status is not None:
            self._stats.record_fault(str(rule.status))
            await _refusal(rule)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _rule(self, scope: Scope) -> FaultRule | None:
        match = _ENTITY.match(scope["path"]) if scope["type"] == "http" else None
        if match is None:
            return None
        verbs = (scope["method"], match[2]) if match[2] else (scope["method"],)
        return self._board.take(self._system, match[1], verbs)

    async def _drop(self, when: str, scope: Scope, receive: Receive) -> None:
        if when == "after":
            await self._app(scope, receive, _swallow)
        cut: Callable[[], None] = scope["extensions"][CUT]["connection"]
        cut()
        while (await receive())["type"] != "http.disconnect":
            pass


class CuttableProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, which lets a fault cut the connection without any answer."""

    def on_message_begin(self) -> None:
        """Offer the cut to the application, as an ASGI extension."""
        super().on_message_begin()
        self.scope["extensions"] = {CUT: {"connection": self.transport.abort}}


async def _swallow(_message: Message) -> None:
    """Take an answer that nobody will get."""


def _refusal(rule: FaultRule) -> JSONResponse:
    headers = {} if rule.retry_after is None else {"Retry-After": str(rule.retry_after)}
    error = {"code": rule.code or "", "message": rule.message or f"A fault rule answers {rule.status}."}
    return JSONResponse({"error": error}, rule.status or 500, headers)
