"""Lengths that the gateway lets through, and the verbs that it names."""

from collections.abc import Iterable
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from sandbox.gateway import Gateway

LONGEST = 10


class Echo:
    """An application that answers the body, or 405 to DELETE."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = (await receive()).get("body", b"")
        status = 405 if scope["method"] == "DELETE" else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode() + b" " + body})


async def ask(
    path: str, chunks: Iterable[bytes] = (), method: str = "POST", **headers: str
) -> tuple[int, dict[bytes, bytes], bytes]:
    """Send a request through the gateway; return status, headers and body."""
    pending = [*chunks]
    sent: list[Message] = []

    async def receive() -> Message:
        chunk = pending.pop(0) if pending else b""
        return {"type": "http.request", "body": chunk, "more_body": bool(pending)}

    async def send(message: Message) -> None:
        sent.append(message)

    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope: dict[str, Any] = {"type": "http", "method": method, "path": path, "headers": named}
    await Gateway(Echo(), LONGEST)(scope | {"raw_path": path.encode()}, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


@pytest.mark.parametrize(("chunks", "status"), [((b"12345", b"67890"), 200), ((b"12345", b"678901"), 413)])
async def test_chunks_are_counted(chunks: tuple[bytes, ...], status: int) -> None:
    answered, _, body = await ask("/data/Currencies", chunks, transfer_encoding="chunked")
    assert answered == status
    assert (b"1234567890" in body) == (status == 200)


async def test_a_length_that_is_said_is_believed() -> None:
    assert (await ask("/api/data/v9.2/accounts", [b"{}"], content_length="10"))[0] == 200
    assert (await ask("/api/data/v9.2/accounts", content_length="11"))[0] == 413
    assert (await ask("/api/data/v9.2/accounts"))[0] == 411


async def test_other_addresses_have_limits_of_their_own() -> None:
    assert (await ask("/blobs/a", content_length="11"))[0] == 200


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("//api///data//v9.2", b"/api/data//v9.2"),
        ("//data/Currencies", b"/data/Currencies"),
        ("/data/Sets(Id='a//b')", b"/data/Sets(Id='a//b')"),
        ("//database/x", b"//database/x"),
    ],
)
async def test_double_slashes_before_the_root_are_one(path: str, seen: bytes) -> None:
    assert (await ask(path, method="GET"))[2] == seen + b" "


@pytest.mark.parametrize(
    ("path", "verbs"),
    [
        ("/api/data/v9.2/accounts", b"GET, POST"),
        ("/api/data/v9.2/accounts(1)", b"GET, PATCH, PUT, DELETE"),
        ("/api/data/v9.2/accounts(1)/name", b"GET, PUT, DELETE"),
        ("/api/data/v9.2/$batch", b"POST"),
        ("/data/$metadata", b"GET"),
        ("/data/Currencies/Microsoft.Dynamics.DataEntities.Do", b"POST"),
    ],
)
async def test_a_refused_verb_is_answered_with_those_there_are(path: str, verbs: bytes) -> None:
    status, headers, _ = await ask(path, method="DELETE")
    assert (status, headers[b"allow"]) == (405, verbs)
