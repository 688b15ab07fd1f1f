"""A request as it goes out, its answer as it came, and what is no answer at all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

import msgspec
from yarl import URL

from projops.errors import SystemUnavailableError, UnknownOutcomeError
from projops.systems.connection import Connection
from projops.systems.failures import Failure
from projops.systems.wire_values import is_utf8

_SYNTAX = msgspec.json.Decoder(msgspec.Raw)
LARGEST_ANSWER = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, read to its end.

    Attributes:
        status: HTTP status.
        headers: Case-insensitive.
        body: Bytes, decompressed.
        failure: What it means, where the status is 400 or more.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it goes out, each time it is tried.

    Attributes:
        method: GET, POST, ...
        url: Whole address, already encoded.
        what: What is being done, for messages: "reading accounts".
        headers: All but authorization.
        body: Bytes, or None.
        kind: What it counts as.
        repeatable: Whether doing it twice does no harm.
        authorized: Whether our token goes along.
        into: File that takes the body of a success, instead of `Answer.body`.
        limit: Most bytes of the answer.
    """

    method: str
    url: URL
    what: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    kind: str = "read"
    repeatable: bool = True
    authorized: bool = True
    into: BinaryIO | None = None
    limit: int = LARGEST_ANSWER

    @property
    def sort(self) -> str:
        """What it has in common with requests that take about as long."""
        return (
            f"{self.kind} {self.method} {self.url.path.partition('(')[0]}" if self.authorized else self.kind
        )


class GarbledAnswerError(SystemUnavailableError):
    """An answer that lacks its end or is otherwise no JSON, as a proxy under load leaves it.

    Args:
        body: What came.
    """

    def __init__(self, message: str, body: bytes) -> None:
        self.body = body
        super().__init__(message, remedy="Retried by itself; see what stands between us and the system.")


def is_json_object(body: bytes) -> bool:
    """Tell a JSON object from what lacks its end or is something else; far quicker than reading it."""
    try:
        _SYNTAX.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return False
    return body.lstrip().startswith(b"{") and is_utf8(body)


def unknown_outcome(connection: Connection, call: Call, reason: str) -> UnknownOutcomeError:
    """Give the error for a request that must not be sent twice and may have been done."""
    return UnknownOutcomeError(
        f"{connection.name}, {call.what}: whether it happened is unknown ({reason}).",
        remedy="The rows are read back by key before anything else.",
        connection=connection.name,
    )
