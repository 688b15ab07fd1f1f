r"""Multipart $batch over bytes: build requests, read answers.

Written with CRLF throughout, changesets of one request each, a Content-ID on each request. Read
tolerantly: LF for CRLF, boundaries with or without quotes, parts without Content-ID (a failed
changeset of Finance is one part that names none [L]), a missing end.
"""

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from multidict import CIMultiDict

from projops.errors import ProtocolError

_BOUNDARY = re.compile(r'boundary\s*=\s*(?:"([^"]+)"|([^\s;]+))', re.IGNORECASE)
_STATUS_LINE = re.compile(rb"^HTTP/\d(?:\.\d)?\s+(\d{3})")
_BLANK_LINE = re.compile(rb"\r?\n[ \t]*\r?\n")
_END_OF_BOUNDARY = re.compile(rb"--|[ \t]*\r?\n")
_CONTENT_TYPE, _CONTENT_ID = (
    re.compile(rb"(?im)^[ \t]*" + name + rb"[ \t]*:([^\r\n]*)") for name in (b"content-type", b"content-id")
)
_READS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One request inside a batch.

    Attributes:
        method: GET, POST, PATCH, PUT or DELETE.
        url: Encoded, absolute.
        body: JSON, or None.
        headers: If-Match and the like.
    """

    method: str
    url: str
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to one operation.

    Attributes:
        content_id: As the server echoes it, or "".
        status: HTTP status.
        headers: Case-insensitive.
        body: Bytes.
    """

    content_id: str
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Results:
    """What a batch answered.

    Attributes:
        parts: In the order of the operations; fewer where the server stopped at an error.
        complete: Whether the answer reached its end boundary.
    """

    parts: tuple[Result, ...]
    complete: bool


def build(operations: Sequence[Operation]) -> tuple[str, bytes]:
    """Write a batch; each write stands in a changeset of its own, so that rows fail one by one.

    Returns:
        The Content-Type with its boundary, and the body.
    """
    mark = uuid.uuid4()
    boundary, changesets = f"batch_{mark}", f"changeset_{mark}"
    pieces: list[bytes] = []
    for number, operation in enumerate(operations, start=1):
        pieces.append(f"--{boundary}\r\n".encode())
        pieces.append(_request_part(operation, number, changesets))
    pieces.append(f"--{boundary}--\r\n".encode())
    return f'multipart/mixed; boundary="{boundary}"', b"".join(pieces)


def parse(content_type: str, body: bytes) -> Results:
    """Read the answer to a batch.

    Raises:
        ProtocolError: It is no multipart answer, or a part has no status line.
    """
    boundary = _boundary_of(content_type)
    if boundary is None:
        raise ProtocolError(
            "The answer to a batch is not multipart.", remedy="See whether the host is right."
        )
    marker = b"--" + boundary
    complete = marker + b"--" in body
    pieces = list(_split(body, marker))
    whole = pieces if complete else pieces[:-1]  # of the last piece, nobody knows what is missing
    return Results(tuple(result for piece in whole for result in _read(piece)), complete)


def _request_part(operation: Operation, number: int, stem: str) -> bytes:
    inner = _http_part(operation, number)
    if operation.method in _READS:
        return inner
    changeset = f"{stem}_{number}"
    return b"".join(
        (
            f'Content-Type: multipart/mixed; boundary="{changeset}"\r\n\r\n--{changeset}\r\n'.encode(),
            inner,
            f"--{changeset}--\r\n".encode(),
        )
    )


def _http_part(operation: Operation, number: int) -> bytes:
    headers = [("Accept", "application/json"), *operation.headers]
    if operation.body is not None:
        headers.append(("Content-Type", "application/json; charset=utf-8"))
    head = (
        "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
        f"Content-ID: {number}\r\n\r\n{operation.method} {operation.url} HTTP/1.1\r\n"
    ) + "".join(f"{name}: {value}\r\n" for name, value in headers)
    return head.encode() + b"\r\n" + (operation.body or b"") + b"\r\n"


def _boundary_of(content_type: str) -> bytes | None:
    found = _BOUNDARY.search(content_type)
    if not content_type.lower().lstrip().startswith("multipart/") or found is None:
        return None
    return (found.group(1) or found.group(2)).encode()


def _split(body: bytes, marker: bytes) -> Iterator[bytes]:
    """Give what stands between boundary lines.

    Without a pattern: each changeset has a boundary of its own, for which one would be compiled anew.
    """
    pieces: list[bytes] = []
    for piece in (b"\n" + body).split(b"\n" + marker):
        if pieces and not _END_OF_BOUNDARY.match(piece):
            pieces[-1] += b"\n" + marker + piece  # a line of text that only begins like the boundary
        else:
            pieces.append(piece)
    for piece in pieces[1:]:
        if piece.startswith(b"--"):
            return
        yield piece.removesuffix(b"\r").lstrip(b" \t").removeprefix(b"\r").removeprefix(b"\n")


def _read(part: bytes) -> Iterator[Result]:
    head, content = _head_and_content(part)
    kind = _header(_CONTENT_TYPE, head)
    nested = _boundary_of(kind) if kind[:10].lower() == "multipart/" else None
    if nested is not None:
        for inner in _split(content, b"--" + nested):
            yield from _read(inner)
        return
    message_head, body = _head_and_content(content.lstrip())
    status = _STATUS_LINE.match(message_head)
    if status is None:
        raise ProtocolError(
            "A part of a batch answer has no status line.", remedy="Retry with single requests."
        )
    own = _headers(message_head)
    content_id = _header(_CONTENT_ID, head) or own.get("Content-ID") or ""
    yield Result(content_id, int(status.group(1)), own, body.rstrip(b"\r\n"))


def _header(pattern: re.Pattern[bytes], head: bytes) -> str:
    """Give one header of a part, "" where it has none."""
    found = pattern.search(head)
    return "" if found is None else found.group(1).decode("utf-8", "replace").strip()


def _head_and_content(part: bytes) -> tuple[bytes, bytes]:
    found = _BLANK_LINE.search(part)
    return (part[: found.start()], part[found.end() :]) if found else (part, b"")


def _headers(head: bytes) -> CIMultiDict[str]:
    pairs = (line.partition(":") for line in head.decode("utf-8", "replace").splitlines())
    return CIMultiDict((name.strip(), value.strip()) for name, colon, value in pairs if colon)
