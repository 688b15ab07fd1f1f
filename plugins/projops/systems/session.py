"""A session with one system: retries with Retry-After, concurrency, and whose links are followed."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar

from projops.errors import AuthenticationError, PoisonPageError, ProtocolError
from projops.systems import batch, failures
from projops.systems.admission import Admission, Ledger
from projops.systems.auth import TokenSource, token_source
from projops.systems.begun import Begun
from projops.systems.calls import Answer, Call, GarbledAnswerError, unknown_outcome
from projops.systems.concurrency import Window
from projops.systems.connection import Connection
from projops.systems.failures import Kind
from projops.systems.limits import Limits, limits_of
from projops.systems.links import file_link, own_link
from projops.systems.retries import RetryPolicy, retrying
from projops.systems.transport import Transport

_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE"})
_ODATA_HEADERS = {"Accept": "application/json", "OData-Version": "4.0", "OData-MaxVersion": "4.0"}
_BLOB = {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/octet-stream"}
_JSON = {"Content-Type": "application/json; charset=utf-8"}

Result = TypeVar("Result")


@dataclass(slots=True)
class ODataSession:
    """An async context manager that owns the connections to one system.

    Attributes:
        connection: Where and as whom.
        deadline: Seconds left of the lease, asked before each request, whose timeout is shorter;
            None where no lease is held (reads).
        policy: Retries and timeouts.
        tokens: Source of bearer tokens; None takes what the connection asks for.
        pause: Waits for seconds; tests hand in their own.
        clock: Monotonic seconds.
        limits: Most requests under way and the like; None takes those of the connection.
        ledger: Turns shared with other tasks that use the same connection, or None.
        counts: Requests sent by kind, and `retries` and `throttled`.
    """

    connection: Connection
    deadline: Callable[[], float] | None = None
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    tokens: TokenSource | None = None
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    clock: Callable[[], float] = time.monotonic
    limits: Limits | None = None
    ledger: Ledger | None = None
    counts: Counter[str] = field(default_factory=Counter)
    _admission: Admission = field(init=False)
    _transport: Transport = field(init=False)
    _open: AsyncExitStack = field(default_factory=AsyncExitStack, init=False)
    _begun: Begun = field(default_factory=Begun, init=False)

    def __post_init__(self) -> None:
        limits = self.limits or limits_of(self.connection)
        self._admission = Admission(
            self.connection.name,
            Window(limits.concurrent),
            self.ledger,
            patience=self.policy.total,
            pause=self.pause,
            clock=self.clock,
        )
        self._transport = Transport(
            self.connection,
            self.tokens or token_source(self.connection, self.clock),
            self._admission,
            deadline=self.deadline,
            request_timeout=self.policy.request_timeout,
            counts=self.counts,
        )

    async def __aenter__(self) -> Self:
        """Open the pool; no request is sent yet."""
        await self._open.enter_async_context(self._transport)
        await self._open.enter_async_context(self._begun)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what was begun and nobody waited for, and close the pool."""
        await self._open.aclose()

    async def request(
        self,
        method: str,
        url: str,
        *,
        what: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        kind: str = "read",
        repeatable: bool | None = None,
    ) -> Answer:
        """Send a request until it has an answer that retrying does not change.

        Args:
            method: GET, POST, ...
            url: Encoded path and query from the base URL, or a link that the system gave us.
            what: What is being done, for messages: "reading accounts".
            headers: Besides the OData ones.
            body: Bytes of the body, JSON unless headers say otherwise.
            kind: What it counts as in `counts`.
            repeatable: Whether doing it twice does no harm; by default the method decides.

        Returns:
            The answer; its `failure` is None, or one that concerns this very request (a row refused,
            a row not found, ...).

        Raises:
            ThrottledError: Still 429 or 503 after the last try.
            SystemUnavailableError: No answer, or a transient failure, after the last try.
            UnknownOutcomeError: The connection was lost, and the request must not be sent twice.
            AuthenticationError: The token is refused, or none can be had.
            LeaseHeldError: The lease has no time left for a request.
            PoisonPageError: No whole JSON came, however often it was asked for.
            ProtocolError: A foreign link, a redirect, an answer beyond bounds.
        """
        call = Call(
            method=method,
            url=own_link(self.connection, url),
            what=what,
            headers={**_ODATA_HEADERS, **(_JSON if body is not None else {}), **(headers or {})},
            body=body,
            kind=kind,
            repeatable=method in _IDEMPOTENT if repeatable is None else repeatable,
        )
        return await self._until_answered(call)

    async def read(
        self, url: str, *, what: str, headers: Mapping[str, str] | None = None, kind: str = "read"
    ) -> Answer:
        """GET something that must be there.

        Raises:
            ProjOpsError: As `request`, and the error of `failures.error` for any other failure.
        """
        return self.checked(await self.request("GET", url, what=what, headers=headers, kind=kind), what)

    async def download(self, url: str, into: BinaryIO, *, what: str, limit: int) -> Answer:
        """GET a file from a signed address, without our token, into an open file.

        Args:
            url: Whole address; see `links.file_link`.
            into: Seekable; emptied before each try.
            what: For messages.
            limit: Most bytes.

        Returns:
            The answer without its body; `failure` where the address gives nothing.

        Raises:
            ProtocolError: The address is of a host that keeps no files of the system.
        """
        address = file_link(self.connection, url, what)
        call = Call("GET", address, what, kind="download", authorized=False, into=into, limit=limit)
        return await self._until_answered(call)

    async def upload(self, url: str, content: bytes, *, what: str) -> Answer:
        """PUT a file to a signed address, whole and without our token; twice does no harm.

        Args:
            url: Whole address; see `links.file_link`.
            content: The file.
            what: For messages.

        Raises:
            ProtocolError: The address is of a host that keeps no files of the system.
        """
        address = file_link(self.connection, url, what)
        call = Call("PUT", address, what, _BLOB, content, kind="upload", authorized=False)
        return await self._until_answered(call)

    def checked(self, answer: Answer, what: str) -> Answer:
        """Give the answer back if it is a success, else raise the error that it means."""
        if answer.failure is not None:
            raise failures.error(answer.failure, self.connection.name, what)
        return answer

    async def all_of(self, calls: Sequence[Callable[[], Awaitable[Result]]]) -> list[Result]:
        """Run calls side by side; results in order of the calls.

        Their requests go in that order, as many at once as are worth it (`systems.admission`).

        Raises:
            ProjOpsError: The first error; calls still running are cancelled.
        """

        async def one(call: Callable[[], Awaitable[Result]]) -> Result:
            return await call()

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(call)) for call in calls]
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None
        return [task.result() for task in tasks]

    def begin(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        """Begin what is to be waited for later; the end of the session cancels it."""
        return self._begun.begin(work)

    def refused(self, seconds: float) -> None:
        """Hold all requests back for as long as the system asks (Retry-After), here and in other tasks."""
        self.counts["throttled"] += 1
        self._admission.refused(seconds)

    def local(self, link: str) -> str:
        """Give a link as path and query, so that it outlives a change of the base URL.

        Raises:
            ProtocolError: It leads to another scheme, host or port than the connection's.
        """
        return own_link(self.connection, link).raw_path_qs

    async def _until_answered(self, call: Call) -> Answer:
        again = retrying(self.policy, self.clock, self._pause_before_retry)
        try:
            return await again(self._attempt, call)
        except GarbledAnswerError as garbled:
            raise PoisonPageError(
                garbled.message,
                body=garbled.body,
                remedy="It was asked for several times; see what stands between us and the system.",
                connection=self.connection.name,
            ) from None

    async def _pause_before_retry(self, seconds: float) -> None:
        self.counts["retries"] += 1
        await self.pause(seconds)

    async def _attempt(self, call: Call) -> Answer:
        answer = await self._transport.send(call)
        if answer.status < 300 or answer.status == 304:
            return answer
        if answer.status < 400:
            raise ProtocolError(
                f"{self.connection.name}, {call.what}: answered with a redirect ({answer.status}).",
                remedy="Put the address that it leads to into the connection.",
            )
        return self._judged(call, answer)

    def _judged(self, call: Call, answer: Answer) -> Answer:
        """Raise what may pass by itself; give back what concerns this request only."""
        name = self.connection.name
        failure = self.understood(answer)
        if failure.kind is Kind.AUTH and call.authorized:
            raise AuthenticationError(
                f"Connection {name}: the system does not accept our token ({failure.message}).",
                remedy="Put a valid token into extra token, or use client id and secret."
                if self.connection.static_token
                else "Register the client id as an application user there.",
                connection=name,
            )
        if failure.kind is Kind.THROTTLED:
            self.refused(failure.retry_after or 0.0)
        if failure.kind in (Kind.TRANSIENT, Kind.THROTTLED):
            if not call.repeatable and not _certainly_not_done(failure):
                raise unknown_outcome(self.connection, call, failure.message)
            raise failures.error(failure, name, call.what)
        return Answer(answer.status, answer.headers, answer.body, failure)

    def understood(self, answer: Answer | batch.Result) -> failures.Failure:
        """Say what an answer that is no success means; our secrets are masked, should it repeat them."""
        facts = (answer.status, answer.headers, answer.body)
        return failures.understand(self.connection.system, *facts, self.connection.secrets)


def _certainly_not_done(failure: failures.Failure) -> bool:
    """Tell a refusal at the door (429, or 503 with Retry-After) from a failure half-way."""
    return failure.kind is Kind.THROTTLED and (failure.status != 503 or failure.retry_after is not None)
