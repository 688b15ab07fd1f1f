"""Many operations in $batch requests: sent until each has its answer, or nobody can know it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from projops.errors import ProtocolError, SystemUnavailableError, UnknownOutcomeError
from projops.systems import batch, failures
from projops.systems.batch import Operation, Result
from projops.systems.calls import is_json_object
from projops.systems.failures import Kind
from projops.systems.session import ODataSession

_CONTINUE = {"Prefer": "odata.continue-on-error"}


@dataclass(frozen=True, slots=True)
class Exchange:
    """How the batches of one task go out.

    Attributes:
        session: Open session.
        url: Path of `$batch`.
        what: For messages.
        kind: What the requests count as.
        repeatable: Whether each operation may be sent twice without harm.
        size: Most operations in one batch.
    """

    session: ODataSession
    url: str
    what: str
    kind: str
    repeatable: bool
    size: int

    async def run(self, operations: Sequence[Operation]) -> list[Result | None]:
        """Send operations, in batches side by side.

        Returns:
            In order of the operations; None where it is unknown whether the operation was done.

        Raises:
            SystemUnavailableError: Repeatable operations that stay without an answer.
            ProtocolError: Answers that do not belong to the operations.
            ProjOpsError: As `ODataSession.request`.
        """
        starts = range(0, len(operations), self.size)
        calls = [partial(self._one_batch, operations[start : start + self.size]) for start in starts]
        return [result for results in await self.session.all_of(calls) for result in results]

    async def _one_batch(self, operations: Sequence[Operation]) -> list[Result | None]:
        """Send what is open again while some of it is throttled, garbled or was not reached."""
        results: list[Result | None] = [None] * len(operations)
        open_ones = list(range(len(operations)))
        for attempt in range(self.session.policy.attempts):
            answered, reached_all = await self._send([operations[index] for index in open_ones])
            for index, result in zip(open_ones, answered, strict=False):
                results[index] = result
            rest = open_ones[len(answered) :]
            if rest and not reached_all:
                return results
            again = [index for index in open_ones[: len(answered)] if self._may_pass(results[index])]
            open_ones = sorted(again + rest)
            if not open_ones:
                return results
            if again or not answered:
                await self._pause(attempt, [results[index] for index in again])
        return results

    async def _send(self, operations: Sequence[Operation]) -> tuple[Sequence[Result], bool]:
        """Send one batch.

        Returns:
            The answers in order, and whether operations beyond them may be sent again.
        """
        content_type, body = batch.build(operations)
        try:
            answer = await self.session.request(
                "POST",
                self.url,
                what=self.what,
                headers={"Content-Type": content_type, **_CONTINUE},
                body=body,
                kind=self.kind,
                repeatable=self.repeatable,
            )
        except UnknownOutcomeError:
            return (), False
        kind = answer.headers.get("Content-Type", "")
        if not kind.lower().startswith("multipart/"):
            self.session.checked(answer, self.what)
        found = batch.parse(kind, answer.body)
        _check_order(found.parts, len(operations), self.what)
        # A batch ends early at an operation that failed; else nobody knows what became of the rest.
        stopped = bool(found.parts) and self.failure(found.parts[-1]) is not None
        return found.parts, (found.complete and stopped) or self.repeatable

    def _may_pass(self, result: Result | None) -> bool:
        failure = None if result is None else self.failure(result)
        if failure is None:
            return self.repeatable and result is not None and _is_garbled(result)
        return failure.kind is Kind.THROTTLED or (failure.kind is Kind.TRANSIENT and self.repeatable)

    def failure(self, result: Result) -> failures.Failure | None:
        """Say what a result means, or None if it is a success."""
        if 200 <= result.status < 300:
            return None
        return self.session.understood(result)

    def success(self, result: Result | None) -> Result:
        """Give back a result that must be a success.

        Raises:
            SystemUnavailableError: There is none, or not all of it.
            ProjOpsError: What its failure means.
        """
        if result is None or _is_garbled(result):
            lack = "not whole" if result is None else "no JSON"
            raise SystemUnavailableError(
                f"{self.session.connection.name}, {self.what}: the answer to a batch is {lack}.",
                remedy="Retried by itself later.",
                connection=self.session.connection.name,
            )
        failure = self.failure(result)
        if failure is not None:
            raise failures.error(failure, self.session.connection.name, self.what)
        return result

    async def _pause(self, attempt: int, results: Sequence[Result | None]) -> None:
        """Wait for what the operations were asked to wait for, all other requests too."""
        asked = max((failures.retry_after(each.headers) or 0.0 for each in results if each), default=0.0)
        if any(each and self._is_throttled(each) for each in results):
            self.session.refused(asked)
        await self.session.pause(max(asked, self.session.policy.base * 2.0**attempt))

    def _is_throttled(self, result: Result) -> bool:
        failure = self.failure(result)
        return failure is not None and failure.kind is Kind.THROTTLED


def _check_order(parts: Sequence[Result], operations: int, what: str) -> None:
    """Make sure that answers stand in the order of their operations, as far as they say."""
    misplaced = [
        part for number, part in enumerate(parts, start=1) if part.content_id not in ("", str(number))
    ]
    if len(parts) > operations or misplaced:
        raise ProtocolError(
            f"The answers to {what} do not belong to what was asked.", remedy="Nothing is taken from them."
        )


def _is_garbled(result: Result) -> bool:
    """Tell an answer whose JSON was promised and is not there, or not all of it."""
    kind = result.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return kind == "application/json" and result.status == 200 and not is_json_object(result.body)
