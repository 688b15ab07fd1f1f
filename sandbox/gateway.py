"""What a web server does before either system sees a request: its path, its length, its encoding."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.faults.answers import receiving
from sandbox.odata.wire import dumps, error_body

LONGEST_BODY = 122_526_105
"""Bytes of a request's body: 116.85 MB, the documented limit of a Dataverse message [D]; Finance's is the
same here [?]. Blobs have limits of their own."""

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_LIMITED = ("/api/", "/data", "/metadata")
_ROOT = re.compile(rb"/+(api)/+(data)(?=/|$)|/+(data|metadata)(?=/|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Objection:
    """Why a request goes no further."""

    status: int
    text: str


class Gateway:
    """ASGI middleware before all others that look at a request's path or body."""

    def __init__(self, app: ASGIApp, longest: int = LONGEST_BODY) -> None:
        """Stand before `app`; bodies have at most `longest` bytes."""
        self._app = app
        self._longest = longest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, or answer 411, 413 or 415."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = {**scope, **_without_double_slashes(scope)}
        if not scope["path"].lower().startswith(_LIMITED):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        objection = self._objection(scope["method"], headers)
        if objection is None and headers.get("transfer-encoding", "").lower() == "chunked":
            body = await _read(receive, self._longest)
            objection = self._too_long() if body is None else None
            receive = receiving(body or b"", receive)
        if objection is None:
            await self._app(scope, receive, _naming_verbs(scope["path"], send))
        else:
            await _refused(scope["path"], objection)(scope, receive, send)

    def _objection(self, method: str, headers: Mapping[str, str]) -> _Objection | None:
        length = headers.get("content-length")
        if length is not None and int(length) > self._longest:
            return self._too_long()
        if method in _WITH_BODY and length is None and "transfer-encoding" not in headers:
            return _Objection(411, "The request must be chunked or have a content length.")
        encoding = headers.get("content-encoding", "identity").lower()
        if encoding not in {"identity", ""}:
            return _Objection(
                415, f"The content encoding '{encoding}' is not supported: send the body as it is."
            )
        return None

    def _too_long(self) -> _Objection:
        return _Objection(
            413,
            f"The request is longer than the {self._longest:,} bytes that are allowed: send less at once.",
        )


def _refused(path: str, objection: _Objection) -> Response:
    """Answer as the system's web server does: Finance's knows no `error` [L]."""
    dataverse = path.lower().startswith("/api/")
    body = error_body("", objection.text) if dataverse else dumps({"Message": objection.text})
    return Response(body, objection.status, media_type="application/json")


def _naming_verbs(path: str, send: Send) -> Send:
    """Let answers that refuse a verb say which ones there are."""

    async def named(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 405:
            # The router's own header names what its addresses take, not what this resource does.
            others = [each for each in message["headers"] if each[0].lower() != b"allow"]
            message = {**message, "headers": [*others, (b"allow", _verbs(path).encode())]}
        await send(message)

    return named


def _verbs(path: str) -> str:
    """Return what a resource takes, by the shape of its address: a row has its key in brackets."""
    parents, _, last = path.rstrip("/").rpartition("/")
    if last == "$batch" or ".CRM." in last or ".DataEntities." in last:
        return "POST"
    if last in {"$metadata", "$count", "$value"} or path.lower().startswith("/metadata"):
        return "GET"
    if last == "$ref":
        return "GET, POST, PUT, DELETE"
    if last.endswith(")"):
        return "GET, PATCH, PUT, DELETE"
    return "GET, PUT, DELETE" if parents.endswith(")") else "GET, POST"


def _without_double_slashes(scope: Scope) -> dict[str, str | bytes]:
    """Return the path with single slashes up to the service root; keys further on may hold any number."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    root = _ROOT.match(raw)
    if root is None or b"//" not in root[0]:
        return {}
    single = b"/" + b"/".join(part for part in root.groups() if part)
    path = scope["path"]
    return {"raw_path": single + raw[root.end() :], "path": single.decode() + path[root.end() :]}


async def _read(receive: Receive, longest: int) -> bytes | None:
    """Read a body that comes in chunks; None where it is longer than it may be."""
    chunks, length, more = [], 0, True
    while more:
        message = await receive()
        chunk: bytes = message.get("body", b"")
        length += len(chunk)
        if length > longest:
            return None
        chunks.append(chunk)
        more = message["type"] == "http.request" and message.get("more_body", False)
    return b"".join(chunks)
