"""A request to `/data` as a value, whether it came by itself or inside of a batch."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote

from sandbox.finance.representation import Representation, read_representation
from sandbox.odata.keys import Segment, split_path

_SAFE = "$'()*,/:@=!"
_ORIGIN = re.compile(r"\Ahttps?://[^/]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DataRequest:
    """One OData request.

    Attributes:
        method: HTTP method, upper case.
        root: Scheme and host that the client used, `http://127.0.0.1:8802`: links go back there.
        path: Path from the root, URL-decoded: `/data/CustomersV3`.
        options: Query options, URL-decoded.
        headers: By lower-case name.
        body: The body.
        in_batch: Whether it is part of a `$batch`, where AX write errors are 500 (protocol 2.1 [L]).
        repeated: Query options that came more than once.
    """

    method: str
    root: str
    path: str
    options: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    in_batch: bool = False
    repeated: frozenset[str] = frozenset()

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The resource path below `/data`.

        Raises:
            ODataSyntaxError: A quote or parenthesis of the path is left open.
        """
        return split_path(self.path)[1:]

    @property
    def cross_company(self) -> bool:
        """Whether the request reaches other companies than the default one."""
        return self.options.get("cross-company", "").lower() == "true"

    @property
    def representation(self) -> Representation:
        """The form of JSON that the client asked for.

        Raises:
            RoutingError: `$format` names something else than JSON.
        """
        return read_representation(self.headers.get("accept", ""), self.options.get("$format"))

    @property
    def preferences(self) -> Mapping[str, str]:
        """The Prefer header: values by lower-case name, `true` where a name stands alone."""
        items = (item.strip().partition("=") for item in self.headers.get("prefer", "").split(","))
        return {name.strip().lower(): value.strip(' "') or "true" for name, _, value in items if name}

    @property
    def url(self) -> str:
        """The whole address, for messages and links."""
        return self.link(self.options)

    def link(self, options: Mapping[str, str]) -> str:
        """The same resource with other query options."""
        query = "&".join(f"{quote(name, _SAFE)}={quote(value, _SAFE)}" for name, value in options.items())
        address = self.root + quote(self.path, _SAFE)
        return f"{address}?{query}" if query else address


@dataclass(frozen=True, slots=True)
class DataResponse:
    """The answer to one OData request.

    Attributes:
        status: HTTP status.
        body: JSON or text, already rendered.
        headers: Beside those that every answer has.
        media_type: Of the body.
        rows: Rows that were read or written, for the counters.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = Representation().media_type
    rows: int = 0


def read_request(
    method: str, root: str, url: str, headers: Mapping[str, str], body: bytes, *, in_batch: bool = False
) -> DataRequest:
    """Read a request from its parts.

    Args:
        method: HTTP method.
        root: Scheme and host of the connection.
        url: Encoded: absolute, from the root (`/data/X`), or relative to `/data/` (`X`).
        headers: By lower-case name.
        body: The body.
        in_batch: Whether it is part of a `$batch`.
    """
    address, _, query = url.partition("#")[0].partition("?")
    path = unquote(_ORIGIN.sub("", address))
    if not path.startswith("/"):
        path = f"/data/{path}"
    pairs = parse_qsl(query, keep_blank_values=True)
    times = Counter(name for name, _ in pairs)
    repeated = frozenset(name for name, number in times.items() if number > 1)
    return DataRequest(method, root, path, dict(pairs), headers, body, in_batch, repeated)
