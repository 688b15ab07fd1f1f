"""Bad answers to the reading of a list: what a broken or hostile system, proxy or line can send."""

import gzip
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

from projops.mapping.model import System
from tests.bad_input.kinds import Case, Ending
from tests.unit.projops.systems.wire import Handler

GUID = "8f6c0b52-0000-4000-8000-000000000001"
ROW = {"accountid": GUID, "name": "Ada"}
JSON = {"Content-Type": "application/json; odata.metadata=minimal"}
# Each system, and what its list ends with: Dataverse tells where the next delta begins.
LISTS: Mapping[System, Mapping[str, Any]] = {
    System.DATAVERSE: {"@odata.deltaLink": "{base}/api/data/v9.2/accounts?$deltatoken=1"},
    System.FINANCE: {},
}


@dataclass(frozen=True)
class Reply:
    """One answer.

    Attributes:
        status: HTTP status.
        body: Its bytes.
        headers: Its headers.
        raw: Sent instead of an HTTP answer, after which the connection is closed.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)
    raw: bytes | None = None

    def handler(self, base_url: str) -> Handler:
        """Give what answers so, with the server's own address in the place of `{base}`."""

        async def answer(request: web.Request) -> web.StreamResponse:
            if self.raw is not None:
                assert request.transport is not None
                request.transport.write(self.raw)
                request.transport.close()
                return web.Response()
            body = self.body.replace(b"{base}", base_url.encode())
            return web.Response(status=self.status, body=body, headers=self.headers)

        return answer


def good(system: System) -> Reply:
    """A whole page of one row, the last."""
    return Reply(body=orjson.dumps({"value": [ROW], **LISTS[system]}))


def _page(system: System, **entries: Any) -> Reply:
    content = {"value": [ROW], **LISTS[system], **entries}
    return Reply(body=orjson.dumps({name: value for name, value in content.items() if value is not None}))


def _linked(system: System, link: Any) -> Reply:
    """A page with a next link."""
    return _page(system, **{"@odata.nextLink": link, "@odata.deltaLink": None})


def _raw(head: str, body: bytes) -> Reply:
    return Reply(raw=head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)


Make = Callable[[System], Reply]
_HTTP = "HTTP/1.1 200 OK\nContent-Type: application/json\n"
_FOREIGN = {
    "link to another host": "https://evil.example/x",
    "link without scheme to another host": "//evil.example/x",
    "link with the host as user name": "http://127.0.0.1@evil.example/x",
    "link to another port": "http://127.0.0.1:1/x",
    "link to a file": "file:///etc/passwd",
    "link to another scheme": "https://127.0.0.1/x",
}
# Answered once, then well: the engine asks again.
_PASSING: Mapping[str, Make] = {
    "truncated JSON": lambda system: Reply(body=good(system).body[:-20]),
    "empty body": lambda _: Reply(),
    "chunked body that is cut": lambda _: _raw(
        f"{_HTTP}Transfer-Encoding: chunked", b'400\r\n{"value":[' + b" " * 20
    ),
    "body shorter than its length": lambda _: _raw(f"{_HTTP}Content-Length: 9999", b'{"value":[]}'),
    "chunk size that is no number": lambda _: _raw(
        f"{_HTTP}Transfer-Encoding: chunked", b"zz\r\n{}\r\n0\r\n"
    ),
    "gzip that is none": lambda _: Reply(body=b"not zipped", headers={**JSON, "Content-Encoding": "gzip"}),
    "gzip that is cut": lambda system: Reply(
        body=gzip.compress(good(system).body * 50)[:-30], headers={**JSON, "Content-Encoding": "gzip"}
    ),
    "no HTTP at all": lambda _: Reply(raw=b"\x16\x03\x01\x00\x00 SSH-2.0-nothing\r\n\r\n"),
    "status that is no number": lambda _: _raw("HTTP/1.1 OK fine\nX: y", b"{}"),
    "header of a megabyte": lambda _: _raw(f"HTTP/1.1 200 OK\nX: {'y' * 1_000_000}", b"{}"),
    "closed without an answer": lambda _: Reply(raw=b""),
    "server error in HTML": lambda _: Reply(502, b"<html>Bad gateway</html>", {"Content-Type": "text/html"}),
    "throttled without Retry-After": lambda _: Reply(429, b"slow down"),
    "Retry-After in words": lambda _: Reply(429, b"{}", {**JSON, "Retry-After": "soon"}),
    "Retry-After below zero": lambda _: Reply(429, b"{}", {**JSON, "Retry-After": "-5"}),
    "Retry-After that is no number": lambda _: Reply(503, b"{}", {**JSON, "Retry-After": "nan"}),
    "error body that is a list": lambda _: Reply(500, b'[{"error":{}}]'),
    "error body of nested nothing": lambda _: Reply(503, b'{"error":{"innererror":[],"message":null}}'),
}
# Answered so for as long as one asks: kind, answer, ending, what the message names.
_LASTING: tuple[tuple[str, Make, Ending, str], ...] = (
    ("list for an object", lambda _: Reply(body=b"[]"), Ending.STOP, "no JSON object"),
    ("text for an object", lambda _: Reply(body=b'"{}"'), Ending.STOP, "no JSON object"),
    ("object for the rows", lambda system: _page(system, value={}), Ending.STOP, "no rows"),
    ("no rows at all", lambda _: Reply(body=b"{}"), Ending.STOP, "no rows"),
    ("number for a row", lambda system: _page(system, value=[1]), Ending.STOP, "no rows"),
    ("null for a row", lambda system: _page(system, value=[None]), Ending.STOP, "no rows"),
    (
        "error with status 200",
        lambda _: Reply(body=b'{"error":{"code":"0x1","message":"no"}}'),
        Ending.STOP,
        "rows",
    ),
    ("trailing comma", lambda _: Reply(body=b'{"value":[],}'), Ending.STOP, "no JSON"),
    ("two objects", lambda system: Reply(body=good(system).body * 2), Ending.STOP, "no JSON"),
    ("single quotes", lambda _: Reply(body=b"{'value':[]}"), Ending.STOP, "no JSON"),
    (
        "UTF-16",
        lambda system: Reply(body=good(system).body.decode().encode("utf-16") + b"}"),
        Ending.STOP,
        "no JSON",
    ),
    (
        "bytes that are no UTF-8",
        lambda _: Reply(body=b'{"value":[{"name":"\xff\xfe"}]}'),
        Ending.STOP,
        "no JSON",
    ),
    (
        "byte order mark",
        lambda system: Reply(body=b"\xef\xbb\xbf" + good(system).body),
        Ending.STOP,
        "no JSON",
    ),
    (
        "a hundred thousand brackets",
        lambda _: Reply(body=b'{"value":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        Ending.STOP,
        "no JSON",
    ),
    ("next link to itself", lambda system: _linked(system, "{base}/loop"), Ending.STOP, "repeats"),
    ("number for a next link", lambda system: _linked(system, 5), Ending.STOP, "link"),
    ("list for a next link", lambda system: _linked(system, ["{base}/x"]), Ending.STOP, "link"),
    ("redirect", lambda _: Reply(302, b"", {"Location": "https://evil.example/"}), Ending.STOP, "redirect"),
    ("answer 204 to a reading", lambda _: Reply(204, b"", {}), Ending.STOP, "no JSON"),
    ("token that is not accepted", lambda _: Reply(401, b"Bearer let-me-in"), Ending.STOP, "not accept"),
    ("right that is missing", lambda _: Reply(403, b"{}"), Ending.STOP, "role"),
    (
        "address that is not known",
        lambda _: Reply(404, b'{"Message":"No HTTP resource was found"}'),
        Ending.STOP,
        "No HTTP",
    ),
    ("status that nobody knows", lambda _: Reply(499, b"?"), Ending.STOP, "HTTP 499"),
    ("server error that stays", lambda _: Reply(500, b"<html>"), Ending.AGAIN_LATER, "HTTP 500"),
    (
        "throttling that stays",
        lambda _: Reply(429, b"", {"Retry-After": "1"}),
        Ending.AGAIN_LATER,
        "HTTP 429",
    ),
)
_DELTAS: tuple[tuple[str, Make, Ending, str], ...] = (
    ("no delta link", lambda _: Reply(body=orjson.dumps({"value": [ROW]})), Ending.STOP, "no delta link"),
    (
        "delta link to another host",
        lambda system: _page(system, **{"@odata.deltaLink": "//evil.example/"}),
        Ending.STOP,
        "elsewhere",
    ),
    ("number for a delta link", lambda system: _page(system, **{"@odata.deltaLink": 7}), Ending.STOP, "link"),
    (
        "expired delta token",
        lambda _: Reply(400, b'{"error":{"code":"0x80044352","message":"Version stamp"}}'),
        Ending.FULL_READ,
        "full read",
    ),
    (
        "deleted row without a GUID",
        lambda system: _page(system, value=[{"@odata.context": "x/$deletedEntity", "id": "../x"}]),
        Ending.STOP,
        "no GUID",
    ),
)


def answer_cases() -> Iterator[Case]:
    """Every bad answer, of each system that can give it."""
    for system in LISTS:
        for kind, make in _PASSING.items():
            yield Case(kind, system.value, Ending.RETRIED, "", make(system))
        for kind, make, ending, named in _LASTING:
            yield Case(kind, system.value, ending, named, make(system))
        for kind, link in _FOREIGN.items():
            yield Case(kind, system.value, Ending.STOP, "elsewhere", _linked(system, link))
    for kind, make, ending, named in _DELTAS:
        yield Case(kind, System.DATAVERSE.value, ending, named, make(System.DATAVERSE))
