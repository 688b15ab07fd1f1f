"""A system on the wire whose answers a test writes itself, and time that it holds."""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import orjson
from aiohttp import web

from projops.systems.session import ODataSession

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Seen:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Part:
    """The answer to one operation of a batch."""

    status: int
    content: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_id: str = ""

    def text(self) -> bytes:
        head = "Content-Type: application/http\r\n"
        head += f"Content-ID: {self.content_id}\r\n" if self.content_id else ""
        own = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        body = b"" if self.content is None else orjson.dumps(self.content)
        return f"{head}\r\nHTTP/1.1 {self.status} Phrase\r\n{own}\r\n".encode() + body + b"\r\n"


@dataclass
class Wire:
    """Answers in the order in which a test wrote them, and keeps what was asked."""

    base_url: str = ""
    seen: list[Seen] = field(default_factory=list)
    answers: deque[Handler] = field(default_factory=deque)

    def reply(
        self, status: int = 200, content: object = None, *, body: bytes = b"", headers: Mapping[str, str] = {}
    ) -> None:
        payload = orjson.dumps(content) if content is not None else body
        kind = {"Content-Type": "application/json"} if content is not None else {}

        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, body=payload, headers={**kind, **headers})

        self.answers.append(answer)

    def reply_batch(self, *parts: "Part", status: int = 200, end: bool = True) -> None:
        """Answer a batch, one part an operation; without `end` the answer stops before its end."""
        body = b"".join(b"--b\r\n" + part.text() for part in parts) + (b"--b--\r\n" if end else b"")
        self.reply(status, body=body, headers={"Content-Type": "multipart/mixed; boundary=b"})

    def hang_up(self) -> None:
        """Close the connection after the request was read, without an answer."""

        async def cut(request: web.Request) -> web.StreamResponse:
            assert request.transport is not None
            request.transport.close()
            return web.Response()

        self.answers.append(cut)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(Seen(request.method, request.raw_path, request.headers, await request.read()))
        if not self.answers:
            return web.Response(status=418, text="nothing was prepared")
        return await self.answers.popleft()(request)


@dataclass
class Time:
    """Seconds that pass only when somebody waits."""

    now: float = 1000.0
    pauses: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


OpenSession = Callable[..., AbstractAsyncContextManager[ODataSession]]
