"""What is wrong with an answer to a hostile request."""

import json
import re
from collections.abc import Iterator, Mapping

from tests.fuzz.requests import Request

# What only the inside of a program knows; no hostile text says it, as rows may hold those.
_INSIDE = re.compile(
    rb"Traceback \(most recent|sqlalchemy|psycopg|sqlite3\.|asyncpg|OperationalError|\.py\"",
    re.IGNORECASE,
)
_PART_FAILED = re.compile(rb"HTTP/1\.1 5\d\d")
_AX_WRITE_ERROR = (b"innererror", b"AxODataWriteException")


def faults_of(request: Request, status: int, headers: Mapping[str, str], body: bytes) -> Iterator[str]:
    """Give what is wrong with an answer, a sentence each.

    Args:
        request: What was sent.
        status: HTTP status.
        headers: By lower-case name.
        body: Whole.
    """
    if status >= 500 and not (request.system == "finance" and status == 501):  # a list of all labels [L]
        yield f"answered {status}"
    sent = request.body + request.url.encode()
    if any(found not in sent.lower() for found in map(bytes.lower, _INSIDE.findall(body))):
        yield "tells of its inside"
    if "x-injected" in headers:
        yield "let a header in"
    kind = headers.get("content-type", "")
    if "json" in kind and request.method != "HEAD":
        yield from _of_json(status, body)
    if kind.startswith("multipart/mixed") and _PART_FAILED.search(body):
        # Finance answers AX write errors inside of changesets so [L].
        if request.system != "finance" or not all(mark in body for mark in _AX_WRITE_ERROR):
            yield "has a part that failed with 5xx"


def _of_json(status: int, body: bytes) -> Iterator[str]:
    try:
        answer = json.loads(body) if body else None
    except ValueError:
        yield "is no JSON"
        return
    if status >= 400 and not (isinstance(answer, dict) and answer.keys() & {"error", "Message"}):
        yield f"answered {status} without an error object"
