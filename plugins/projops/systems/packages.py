"""Data packages of Finance: executions, and exports of what has changed, by definition group and company [D].

    definition_groups.ensure_group -> export (our execution id) -> wait -> download
    -> package_files.read_package

Finance keeps the mark up to which a group has exported an entity of a company, and moves it at each
export. So the caller records the execution id before `export`, and fetches an execution again that
it has not loaded; `re_execute` repeats one from where its first run began.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, BinaryIO

import orjson

from projops.errors import ProtocolError, SystemUnavailableError, WatermarkExpiredError
from projops.systems.calls import Answer
from projops.systems.decoding import decode_json
from projops.systems.finance import DATA
from projops.systems.session import ODataSession

_GROUPS = "DataManagementDefinitionGroups"
_ACTION = "Microsoft.Dynamics.DataEntities"
LARGEST_PACKAGE = 2 * 1024 * 1024 * 1024
_NO_LONGER_THERE = frozenset({403, 404, 410})  # a link that has expired, a package that is gone
_FIRST_PAUSE, _LONGEST_PAUSE, _PAUSE_GROWTH = 0.25, 20.0, 1.5


class ExecutionStatus(StrEnum):
    """Where an execution stands [D]."""

    UNKNOWN = "Unknown"
    NOT_RUN = "NotRun"
    EXECUTING = "Executing"
    SUCCEEDED = "Succeeded"
    PARTIALLY_SUCCEEDED = "PartiallySucceeded"
    FAILED = "Failed"
    CANCELED = "Canceled"


_UNDER_WAY = frozenset({ExecutionStatus.UNKNOWN, ExecutionStatus.NOT_RUN, ExecutionStatus.EXECUTING})


@dataclass(frozen=True, slots=True)
class Export:
    """An export to ask for.

    Attributes:
        group: Definition group.
        execution_id: Chosen by us, recorded before the call.
        company: Legal entity; "" takes the default company (entities without companies).
    """

    group: str
    execution_id: str
    company: str = ""


@dataclass(frozen=True, slots=True)
class Packages:
    """Asks one Finance environment for data packages.

    Attributes:
        session: Open session.
    """

    session: ODataSession

    async def export(self, export: Export, *, re_execute: bool = False) -> None:
        """Ask for an export; it runs by itself.

        Args:
            export: What to export.
            re_execute: Repeat the execution of this id from where its first run began.

        Raises:
            UnknownOutcomeError: No answer came: see whether `status` knows the execution.
            ProtocolError: Finance refuses it.
        """
        await self.act(
            "ExportToPackage",
            {
                "definitionGroupId": export.group,
                "packageName": export.execution_id,
                "executionId": export.execution_id,
                "reExecute": re_execute,
                "legalEntityId": export.company,
            },
            kind="write",
            repeatable=False,
        )

    async def status(self, execution_id: str) -> ExecutionStatus | None:
        """Say where an execution stands; None while Finance does not know it.

        Asked early, Finance answers 400 "... were not found" [L].
        """
        what = f"asking for the status of execution {execution_id}"
        answer = await self.ask("GetExecutionSummaryStatus", {"executionId": execution_id}, what, kind="poll")
        if answer.failure is not None and _not_found(answer):
            return None
        value = value_of(self.session.checked(answer, what), what)
        try:
            return ExecutionStatus(str(value))
        except ValueError:
            raise ProtocolError(
                f"Execution {execution_id} has a status that is not known: {value!s:.40}.",
                remedy="Look at the job in Finance's data management workspace.",
            ) from None

    async def wait(self, execution_id: str, seconds: float = 1800.0) -> None:
        """Wait until an export has succeeded, asking less and less often.

        Args:
            execution_id: As given to `export`.
            seconds: How long to wait at most.

        Raises:
            SystemUnavailableError: It failed, was canceled, or takes longer. Ask for it again with
                `re_execute`, so that nothing is skipped.
        """
        status = await self.ended(execution_id, seconds)
        if status is not ExecutionStatus.SUCCEEDED:
            reason = "; ".join(await self.errors(execution_id)) or "no reason is given"
            raise _failed(execution_id, f"ended as {status}: {reason}")

    async def ended(self, execution_id: str, seconds: float = 1800.0) -> ExecutionStatus:
        """Wait until an execution has ended, one way or another, asking less and less often.

        Raises:
            SystemUnavailableError: It takes longer than `seconds`.
        """
        end, pause = self.session.clock() + seconds, _FIRST_PAUSE
        status = await self.status(execution_id)
        while status is None or status in _UNDER_WAY:
            if self.session.clock() + pause > end:
                raise _failed(
                    execution_id, f"has not finished within {seconds:.0f} s ({status or 'not known'})"
                )
            await self.session.pause(pause)
            pause = min(pause * _PAUSE_GROWTH, _LONGEST_PAUSE)
            status = await self.status(execution_id)
        return status

    async def errors(self, execution_id: str) -> list[str]:
        """Give the sentences that Finance has about an execution, at most ten."""
        what = f"asking for the errors of execution {execution_id}"
        text = value_of(
            await self.act("GetExecutionErrors", {"executionId": execution_id}, kind="poll"), what
        )
        try:
            entries = orjson.loads(text or "[]") if isinstance(text, str) else text
        except orjson.JSONDecodeError:
            return [str(text)[:500]]
        listed = entries if isinstance(entries, list) else [entries]
        return [
            str(each.get("ErrorMessage", each) if isinstance(each, dict) else each)[:500]
            for each in listed[:10]
        ]

    async def download(self, execution_id: str, into: BinaryIO, limit: int = LARGEST_PACKAGE) -> None:
        """Fetch the package of an export that has succeeded into an open file.

        Args:
            execution_id: As given to `export`.
            into: Seekable; emptied first. Its position afterwards is its end.
            limit: Most bytes.

        Raises:
            WatermarkExpiredError: The package is no longer there (7 days [D]).
            ProtocolError: The link leads to a host that keeps no files of the environment.
        """
        what = f"downloading export {execution_id}"
        answer = await self.act("GetExportedPackageUrl", {"executionId": execution_id}, kind="poll")
        address = str(value_of(answer, what) or "")
        if not address:
            raise _gone(execution_id)
        fetched = await self.session.download(address, into, what=what, limit=limit)
        if fetched.failure is not None and fetched.status in _NO_LONGER_THERE:
            raise _gone(execution_id)
        self.session.checked(fetched, what)

    async def act(
        self, action: str, parameters: Mapping[str, object], *, kind: str, repeatable: bool = True
    ) -> Answer:
        """Call an action that must succeed.

        Args:
            action: Its name.
            parameters: Its parameters.
            kind: What the request counts as.
            repeatable: Whether it may be called twice without harm.

        Raises:
            UnknownOutcomeError: No answer came to one that is not repeatable.
            ProtocolError: Finance refuses it.
        """
        what = f"calling {action}"
        answer = await self.ask(action, parameters, what, kind=kind, repeatable=repeatable)
        return self.session.checked(answer, what)

    async def ask(
        self, action: str, parameters: Mapping[str, object], what: str, *, kind: str, repeatable: bool = True
    ) -> Answer:
        """Call an action, as `act`; `failure` says where Finance refuses it."""
        return await self.session.request(
            "POST",
            f"{DATA}{_GROUPS}/{_ACTION}.{action}",
            what=what,
            body=orjson.dumps(parameters),
            kind=kind,
            repeatable=repeatable,
        )


def value_of(answer: Answer, what: str) -> Any:
    """Take the value out of an action's answer, plain or wrapped once more [D shows both]."""
    value: Any = decode_json(answer.body, what)
    while isinstance(value, dict):
        value = value.get("value")
    return value


def _not_found(answer: Answer) -> bool:
    return answer.failure is not None and "not found" in answer.failure.message.lower()


def _failed(execution_id: str, how: str) -> SystemUnavailableError:
    return SystemUnavailableError(
        f"Execution {execution_id} {how.rstrip('.')}.",
        remedy="Tried again by itself; see the job in Finance's data management workspace.",
        execution_id=execution_id,
    )


def _gone(execution_id: str) -> WatermarkExpiredError:
    return WatermarkExpiredError(
        f"The package of export {execution_id} is no longer there.",
        remedy="A full read heals it, by itself.",
        execution_id=execution_id,
    )
