"""One request, once: pool, token, TLS, timeout within the lease, bounded reading.

The lease is asked twice: when a request is prepared, and at the last instant before its bytes go to
the socket, since a machine may freeze in between. Nothing else runs between that instant and the
bytes, so that of all requests of a frozen process one can still go out late, not each of them.
"""

import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import NoReturn, Self

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from projops.errors import (
    ConfigurationError,
    LeaseHeldError,
    ProtocolError,
    SystemUnavailableError,
)
from projops.systems.admission import Admission
from projops.systems.auth import TokenSource
from projops.systems.calls import Answer, Call, GarbledAnswerError, is_json_object, unknown_outcome
from projops.systems.connection import Connection, is_loopback


@dataclass(slots=True)
class Transport:
    """Sends single requests; an async context manager that owns the connection pool.

    Attributes:
        connection: Where and as whom.
        tokens: Source of bearer tokens.
        admission: Lets requests go.
        deadline: Seconds left of the lease, asked before each request; None without lease.
        request_timeout: Seconds that one request may take.
        counts: Requests sent, by kind.
    """

    connection: Connection
    tokens: TokenSource
    admission: Admission
    deadline: Callable[[], float] | None = None
    request_timeout: float = 120.0
    counts: Counter[str] = field(default_factory=Counter)
    _http: aiohttp.ClientSession | None = field(default=None, init=False)

    async def __aenter__(self) -> Self:
        """Open the pool; no request is sent yet."""
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self.admission.window.most, ssl=_tls(self.connection)),
            cookie_jar=aiohttp.DummyCookieJar(),  # without affinity cookie, load is spread [D]
            headers={"User-Agent": "projops"},
            trust_env=not is_loopback(URL(self.connection.base_url).host or ""),  # proxies
            trace_configs=[self._last_look()],
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the pool, and give back what was reserved."""
        try:
            self.admission.close()
        finally:
            if self._http is not None:
                await self._http.close()
                self._http = None

    async def send(self, call: Call) -> Answer:
        """Send a request, with a fresh token once if the first is answered with 401.

        Raises:
            SystemUnavailableError: No whole answer came, and the call may be repeated.
            UnknownOutcomeError: No whole answer came, and the call must not be repeated.
            AuthenticationError: No token can be had.
            LeaseHeldError: The lease has no time left for a request.
            ConfigurationError: The certificate is not trusted.
            ProtocolError: The answer is larger than allowed.
        """
        answer, token = await self._send_with_token(call, refused=None)
        if answer.status == 401 and call.authorized:
            answer, _ = await self._send_with_token(call, refused=token)
        return answer

    async def _send_with_token(self, call: Call, refused: str | None) -> tuple[Answer, str]:
        if self._http is None:
            raise RuntimeError("A session is used outside `async with`.")
        async with self.admission.request(call.what):
            token = await self.tokens.token(self._http, refused=refused) if call.authorized else ""
            headers = {**call.headers, "Authorization": f"Bearer {token}"} if token else call.headers
            timeout = self._timeout(call)
            self.counts[call.kind] += 1
            began = self.admission.clock()
            try:
                async with self._http.request(
                    call.method,
                    call.url,
                    headers=headers,
                    data=call.body,
                    timeout=timeout,
                    allow_redirects=False,
                ) as response:
                    answer = await self._received(call, response)
            except (aiohttp.ClientError, TimeoutError) as problem:
                self._broken(call, problem)
            self.admission.answered(call.sort, self.admission.clock() - began, answer.headers)
            return answer, token

    async def _received(self, call: Call, response: aiohttp.ClientResponse) -> Answer:
        into = call.into if response.status == 200 else None
        if into is not None:
            into.seek(0)
            into.truncate()
        pieces: list[bytes] = []
        keep = pieces.append if into is None else into.write
        size = 0
        async for piece in response.content.iter_any():
            size += len(piece)
            if size > call.limit:
                raise ProtocolError(
                    f"{self.connection.name}, {call.what}: the answer is larger than {call.limit} bytes.",
                    remedy="Ask for less at once.",
                )
            keep(piece)
        body = b"".join(pieces)
        if response.status < 300 and into is None:
            self._require_whole(call, response, body)
        return Answer(response.status, CIMultiDict(response.headers), body)

    def _require_whole(self, call: Call, response: aiohttp.ClientResponse, body: bytes) -> None:
        """Refuse what cannot be the system's own answer, before anybody takes it for one."""
        if response.content_type == "text/html" and body:
            self._lost(call, "a web page came instead of an answer")
        content_is_due = call.method == "GET" or response.status == 200
        promised = response.content_type == "application/json" and content_is_due
        if (promised or (call.method == "GET" and not body)) and not is_json_object(body):
            reason = "the answer is no JSON object, or not all of it"
            if not call.repeatable:
                self._lost(call, reason)
            raise GarbledAnswerError(f"{self.connection.name}, {call.what}: {reason}.", body)

    def _last_look(self) -> aiohttp.TraceConfig:
        """Ask for the lease before the bytes of a request that has a body, as all writes do.

        aiohttp keeps the headers back until the body comes, calls this, and hands both to the socket
        without giving way to anything else.
        """

        async def ask(*_: object) -> None:
            self._time_left("sending")

        trace = aiohttp.TraceConfig()
        trace.on_request_chunk_sent.append(ask)
        return trace

    def _time_left(self, what: str) -> float:
        left = self.deadline() if self.deadline is not None else self.request_timeout
        if left <= 0:
            raise LeaseHeldError(
                f"{self.connection.name}, {what}: the lease of this map has no time left.",
                remedy="Retried by itself; another run may hold the map now.",
            )
        return left

    def _timeout(self, call: Call) -> aiohttp.ClientTimeout:
        """Make sure that the request ends before the lease does."""
        seconds = min(self._time_left(call.what), self.request_timeout)
        return aiohttp.ClientTimeout(total=seconds, sock_connect=min(seconds, 30.0))

    def _broken(self, call: Call, problem: Exception) -> NoReturn:
        """Raise what a broken connection means for this call."""
        name = self.connection.name
        if isinstance(problem.__cause__, LeaseHeldError):
            raise problem.__cause__ from None  # nothing was sent
        if isinstance(problem, aiohttp.ClientConnectorCertificateError):
            raise ConfigurationError(
                f"Connection {name}: the certificate of {call.url.host} is not trusted.",
                remedy="Put the certificate of its authority into a file and name it in extra ca_file.",
                connection=name,
            ) from None
        if isinstance(problem, aiohttp.ClientConnectorSSLError):
            raise ConfigurationError(
                f"Connection {name}: {call.url.origin()} speaks no TLS that we accept.",
                remedy="Check scheme and port of the connection.",
                connection=name,
            ) from None
        if isinstance(problem, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            raise self._unavailable(call, "it cannot be reached") from None  # nothing was sent
        self._lost(call, "the connection was lost or too slow")

    def _lost(self, call: Call, reason: str) -> NoReturn:
        if call.repeatable:
            raise self._unavailable(call, reason) from None
        raise unknown_outcome(self.connection, call, reason) from None

    def _unavailable(self, call: Call, reason: str) -> SystemUnavailableError:
        return SystemUnavailableError(
            f"{self.connection.name}, {call.what}: {call.url.origin()} failed ({reason}).",
            remedy="Retried by itself later; see whether the system is up.",
            connection=self.connection.name,
        )


def _tls(connection: Connection) -> ssl.SSLContext | bool:
    """Verify always, with the system's authorities and the connection's own."""
    asks_entra = connection.static_token is None and connection.authority.startswith("https:")
    if not connection.base_url.startswith("https:") and not asks_entra:
        return True
    context = ssl.create_default_context()
    if connection.ca_file is not None:
        try:
            context.load_verify_locations(connection.ca_file)
        except (ssl.SSLError, OSError):
            raise ConfigurationError(
                f"Connection {connection.name}: its extra ca_file holds no certificate.",
                remedy="Give a PEM file.",
                connection=connection.name,
            ) from None
    return context
