"""A whole answer as a value, and what faults make of it."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote_plus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.clock import Clock, http_date
from sandbox.faults.rules import FaultRule
from sandbox.odata.wire import dumps, error_body, loads

REPEAT = "sandbox-repeat"
_NO_PREFER = "-"
_BOUNDARY = re.compile(rb'boundary\s*=\s*"?([^";,\s]+)', re.IGNORECASE)
_PAGE = b"""<!DOCTYPE html>
<html><head><title>Gateway</title></head>
<body><h1>The service is busy</h1><p>Please try again in a few minutes.</p></body></html>
"""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer.

    Attributes:
        status: HTTP status.
        headers: Raw, in order, without Content-Length.
        body: The whole body.
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes = b""

    async def send(self, send: Send) -> None:
        """Send it as it is, with the length that it has."""
        length = () if self.status == HTTPStatus.NO_CONTENT else (_length(self.body),)
        headers = [*self.headers, *length]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})

    @property
    def content_type(self) -> bytes:
        """Its Content-Type, empty where there is none."""
        return next((value for name, value in self.headers if name.lower() == b"content-type"), b"")


async def answer_of(app: ASGIApp, scope: Scope, receive: Receive) -> Answer:
    """Let `app` answer a request to us instead of to the client."""
    started: Message = {}
    body = bytearray()

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            started.update(message)
        else:
            body.extend(message.get("body", b""))

    await app(scope, receive, keep)
    headers = ((name, value) for name, value in started["headers"] if name.lower() != b"content-length")
    return Answer(started["status"], tuple(headers), bytes(body))


def refusal(rule: FaultRule, clock: Clock) -> Answer:
    """Make the answer of a rule with a status."""
    return error_answer(rule.status or 500, refusal_body(rule), refusal_headers(rule, clock))


def error_answer(status: int, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Make an answer of a JSON body."""
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return Answer(status, (_type("application/json"), *raw), body)


def refusal_headers(rule: FaultRule, clock: Clock) -> dict[str, str]:
    """Return `Retry-After`, in seconds or as an HTTP date by the sandbox's clock, or nothing."""
    if rule.retry_after is None:
        return {}
    if not rule.retry_after_date:
        return {"Retry-After": str(rule.retry_after)}
    return {"Retry-After": http_date(clock.now() + timedelta(seconds=rule.retry_after))}


def refusal_body(rule: FaultRule) -> bytes:
    """Return the error body of a rule with a status."""
    return error_body(rule.code or "", rule.message or f"A fault rule answers {rule.status}.")


def garbage() -> Answer:
    """Make the answer of a proxy that knows better."""
    return Answer(200, (_type("text/html; charset=utf-8"),), _PAGE)


def truncated(answer: Answer, share: float) -> Answer:
    """Leave out the end of a body, `share` of it stays; its length is told as it is then."""
    return replace(answer, body=answer.body[: int(len(answer.body) * share)])


def broken_off(answer: Answer) -> bytes:
    """Return the raw bytes of an answer up to the middle of its body, or of its head where it has none."""
    head = b"HTTP/1.1 %d %s\r\n" % (answer.status, HTTPStatus(answer.status).phrase.encode())
    length = () if answer.status == HTTPStatus.NO_CONTENT else (_length(answer.body),)
    head += b"".join(name + b": " + value + b"\r\n" for name, value in (*answer.headers, *length))
    return head + b"\r\n" + answer.body[: len(answer.body) // 2] if answer.body else head


def without_end(answer: Answer) -> Answer:
    """Leave out the closing boundary of a multipart answer."""
    boundary = _BOUNDARY.search(answer.content_type)
    if boundary is None:
        return answer
    return replace(answer, body=answer.body.rpartition(b"--" + boundary[1] + b"--")[0])


def first_parts(content_type: bytes, body: bytes, number: int) -> bytes:
    """Return a multipart body with its first parts only, a part within a part counted with its outer one."""
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        return body
    mark = b"--" + boundary[1]
    lead, *parts = re.split(re.escape(mark) + rb"(?=--|\s)", body)
    return mark.join([lead, *parts[:number], b"--\r\n"])


def repeated_page(answer: Answer, scope: Scope) -> Answer:
    """Let a page be followed by itself: its next link leads to the request that it answers.

    The link says so (`sandbox-repeat`) and carries the request's Prefer header, without which a first
    page of changes would come back as a plain list.
    """
    readable = answer.status == HTTPStatus.OK and b"json" in answer.content_type
    body: Any = loads(answer.body) if readable else None
    if not isinstance(body, dict) or not isinstance(body.get("value"), list):
        return answer
    body.pop("@odata.deltaLink", None)
    headers = Headers(scope=scope)
    query = scope["query_string"].decode("latin-1")
    mark = f"{REPEAT}={quote(headers.get('prefer') or _NO_PREFER, safe='')}"
    raw = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    address = f"{scope['scheme']}://{headers.get('host', '')}{raw}"
    body["@odata.nextLink"] = f"{address}?{query}&{mark}" if query else f"{address}?{mark}"
    return replace(answer, body=dumps(body))


def second_time(scope: Scope) -> Scope:
    """Return the request that a `repeated_page` link was made of."""
    query: bytes = scope["query_string"]
    plain, _, mark = query.decode("latin-1").rpartition(f"{REPEAT}=")
    prefer = unquote_plus(mark.partition("&")[0])
    headers = [(name, value) for name, value in scope["headers"] if name != b"prefer"]
    if prefer != _NO_PREFER:
        headers.append((b"prefer", prefer.encode("latin-1", "replace")))
    return {**scope, "query_string": plain.removesuffix("&").encode("latin-1"), "headers": headers}


async def body_of(receive: Receive) -> bytes:
    """Read a request's whole body."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        body.extend(message.get("body", b""))
        more = message.get("more_body", False)
    return bytes(body)


def receiving(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    """Return a `receive` that hands out another body, and then goes on as the real one."""
    waiting = [body]

    async def receive_instead() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return receive_instead


def _type(media_type: str) -> tuple[bytes, bytes]:
    return b"content-type", media_type.encode()


def _length(body: bytes) -> tuple[bytes, bytes]:
    return b"content-length", str(len(body)).encode()
