"""Multipart `$batch` bodies, read tolerantly and written strictly, as bytes (protocol 1.6).

Read: LF or CRLF, blank lines before the first boundary and before a body, boundaries with and
without quotes, blanks unencoded in URLs, `Content-Type` on an empty body [R]. Written: always CRLF, always a
reason phrase, since clients split on CRLFCRLF and look for " 200 " in the status line [R].
"""

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import pairwise

from sandbox.odata.errors import BatchError

_BOUNDARY = re.compile(
    r'multipart/mixed\s*;.*?\bboundary\s*=\s*(?:"([^"]+)"|([^\s;,]+))', re.IGNORECASE | re.DOTALL
)
_BLANK_LINE = re.compile(rb"\r?\n[ \t]*\r?\n")
_REQUEST_LINE = re.compile(r"([A-Za-z]+)\s+(.*?)(?:\s+HTTP/\d(?:\.\d)?)?\s*")


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """One request inside a batch.

    Attributes:
        method: HTTP method, upper case.
        url: As it stands: absolute, from the root, relative, or `$1`.
        headers: By lower-case name.
        body: Without the line breaks around it.
        content_id: What others refer to it by, or None.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_id: str | None = None


@dataclass(frozen=True, slots=True)
class Changeset:
    """Requests that succeed or fail together."""

    requests: tuple[BatchRequest, ...]


@dataclass(frozen=True, slots=True)
class BatchResponse:
    """The answer to one request, or the one answer to a changeset that failed."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_id: str | None = None


def parse_batch(content_type: str, body: bytes) -> tuple[BatchRequest | Changeset, ...]:
    """Take a batch apart.

    Args:
        content_type: The request's Content-Type, which names the boundary.
        body: The request's body.

    Raises:
        BatchError: No boundary, no part, a part that is neither a request nor a changeset, or a
            changeset inside of a changeset.
    """
    parts = list(_parts(content_type, body))
    if not parts:
        raise BatchError("The batch request holds no operation.")
    return tuple(_item(headers, content) for headers, content in parts)


def count_requests(items: Sequence[BatchRequest | Changeset]) -> int:
    """How many single requests a batch holds."""
    return sum(len(item.requests) if isinstance(item, Changeset) else 1 for item in items)


def render_batch(items: Sequence[BatchResponse | Sequence[BatchResponse]]) -> tuple[str, bytes]:
    """Put the answers together, a changeset's as a multipart of its own.

    Returns:
        The Content-Type and the body.
    """
    boundary = f"batchresponse_{uuid.uuid4()}"
    parts = [
        _response_part(item) if isinstance(item, BatchResponse) else _changeset_part(item) for item in items
    ]
    return _content_type(boundary), _joined(boundary, parts)


def _parts(content_type: str, body: bytes) -> Iterator[tuple[dict[str, str], bytes]]:
    match = _BOUNDARY.search(content_type)
    if match is None:
        raise BatchError(f"The content type '{content_type}' is not multipart/mixed with a boundary.")
    boundary = re.escape((match.group(1) or match.group(2)).encode())
    delimiter = re.compile(rb"(?:\A|\r?\n)--" + boundary + rb"(?:(--)[^\r\n]*(?:\r?\n|\Z)|[ \t]*\r?\n)")
    marks = list(delimiter.finditer(body))
    for here, following in pairwise([*marks, None]):
        if here is None or here.group(1):
            return
        content = body[here.end() : following.start() if following else len(body)]
        if content.strip():
            yield _split_head(content)


def _split_head(content: bytes) -> tuple[dict[str, str], bytes]:
    head, _, rest = _partition(content.lstrip(b"\r\n"))
    return _headers(head.decode("utf-8", "replace").splitlines()), rest


def _partition(content: bytes) -> tuple[bytes, bytes, bytes]:
    match = _BLANK_LINE.search(content)
    return (
        (content, b"", b"")
        if match is None
        else (content[: match.start()], match.group(), content[match.end() :])
    )


def _headers(lines: Sequence[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _item(headers: Mapping[str, str], content: bytes) -> BatchRequest | Changeset:
    if headers.get("content-type", "").lower().startswith("multipart/"):
        inner = list(_parts(headers["content-type"], content))
        if any(part.get("content-type", "").lower().startswith("multipart/") for part, _ in inner):
            raise BatchError("A changeset must not hold another changeset.")
        return Changeset(tuple(_request(part, text) for part, text in inner))
    return _request(headers, content)


def _request(part: Mapping[str, str], content: bytes) -> BatchRequest:
    head, _, body = _partition(content.lstrip(b"\r\n"))
    lines = head.decode("utf-8", "replace").splitlines()
    match = _REQUEST_LINE.fullmatch(lines[0]) if lines else None
    if match is None or not match.group(2):
        line = lines[0] if lines else ""
        raise BatchError(f"The request line '{line}' of an operation in the batch is not valid.")
    headers = _headers(lines[1:])
    content_id = part.get("content-id") or headers.get("content-id")
    return BatchRequest(match.group(1).upper(), match.group(2), headers, body.strip(b"\r\n"), content_id)


def _response_part(response: BatchResponse) -> bytes:
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if response.content_id is not None:
        lines.append(f"Content-ID: {response.content_id}")
    lines += ["", f"HTTP/1.1 {response.status} {_reason(response.status)}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + response.body + b"\r\n"


def _changeset_part(responses: Sequence[BatchResponse]) -> bytes:
    boundary = f"changesetresponse_{uuid.uuid4()}"
    head = f"Content-Type: {_content_type(boundary)}\r\n\r\n".encode()
    return head + _joined(boundary, [_response_part(response) for response in responses])


def _joined(boundary: str, parts: Sequence[bytes]) -> bytes:
    mark = f"--{boundary}\r\n".encode()
    return b"".join([mark + part for part in parts]) + f"--{boundary}--\r\n".encode()


def _content_type(boundary: str) -> str:
    return f"multipart/mixed; boundary={boundary}"


def _reason(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus.__members__.values() else "Status"
