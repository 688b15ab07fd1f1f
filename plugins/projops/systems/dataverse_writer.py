"""Writing to Dataverse: a bulk message, and where it fails the same rows one by one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from projops.errors import UnknownOutcomeError
from projops.systems import encoding, failures, outcomes
from projops.systems.batch import Operation, Result
from projops.systems.calls import Answer
from projops.systems.dataverse import SERVICE, EntitySet
from projops.systems.decoding import decode_json
from projops.systems.exchange import Exchange
from projops.systems.failures import Kind
from projops.systems.outcomes import RowOutcome, Status
from projops.systems.session import ODataSession

TAG = "project-operations-sync"
"""Our writes bear it: webhooks see it as a shared variable, so that none of them wakes us [D]."""
_TAGGED = f"?tag={TAG}"
_REQUESTS_A_BATCH = 100
_ENTITY_ID = re.compile(r"\(([0-9a-fA-F-]{36})\)")
_INACTIVE = b'{"statecode":1}'  # the default status reason follows by itself [D]


class Verb(StrEnum):
    """What a write may do, and the bulk message that does it [D]."""

    CREATE = "CreateMultiple"
    UPDATE = "UpdateMultiple"
    UPSERT = "UpsertMultiple"


@dataclass(frozen=True, slots=True)
class RowWrite:
    """One row to write.

    Attributes:
        body: JSON object of the columns to write, without GUID and without the columns that `key`
            names: in both places they make UpsertMultiple fail with 0x80040216 [L].
        entity_id: GUID of the row; for a create the GUID that it shall have.
        key: Alternate key as `quoting.key_predicate` writes it, where the GUID is not known.
    """

    body: bytes
    entity_id: str | None = None
    key: str | None = None

    def address(self, table: EntitySet) -> str:
        """Give the row's address relative to the service; the set itself where it has none."""
        predicate = f"({self.entity_id})" if self.entity_id is not None else self.key or ""
        return f"{table.name}{predicate}"


@dataclass(frozen=True, slots=True)
class DataverseWriter:
    """Writes to one Dataverse environment.

    Attributes:
        session: Open session; its `deadline` should be the lease's.
    """

    session: ODataSession

    async def write_many(self, verb: Verb, table: EntitySet, rows: Sequence[RowWrite]) -> list[RowOutcome]:
        """Write rows by one bulk message; if it refuses one, all of them singly.

        A bulk message is one transaction: any error rolls all of it back [D].

        Args:
            verb: Create, update or upsert.
            table: Where to.
            rows: 100 to 1,000 are advised [D]; each needs a GUID or a key unless it is created.

        Returns:
            An outcome for each row, in order.

        Raises:
            ProjOpsError: What concerns all rows: access, throttling, an unknown column.
        """
        if len(rows) < 2:
            return await self.write_each(verb, table, rows)
        what = f"writing {len(rows)} rows of {table.name}"
        try:
            answer = await self.session.request(
                "POST",
                f"{SERVICE}{table.name}/Microsoft.Dynamics.CRM.{verb}{_TAGGED}",
                what=what,
                body=_targets(verb, table, rows),
                kind="write",
                repeatable=verb is not Verb.CREATE,
            )
        except UnknownOutcomeError:
            return [outcomes.unknown(index) for index in range(len(rows))]
        if answer.failure is None:
            return _all_written(answer, rows, what)
        if outcomes.of_failure(0, answer.failure) is None:
            self.session.checked(answer, what)
        return await self.write_each(verb, table, rows)

    async def write_each(self, verb: Verb, table: EntitySet, rows: Sequence[RowWrite]) -> list[RowOutcome]:
        """Write rows as single requests in $batch, so that each has an outcome of its own.

        Args and errors as `write_many`.
        """
        operations = [self._operation(verb, table, row) for row in rows]
        what = f"writing {len(rows)} rows of {table.name} singly"
        return await self._run(operations, what, table, rows, verb)

    async def delete(self, table: EntitySet, ids: Sequence[str]) -> list[RowOutcome]:
        """Delete rows by GUID; one that is gone already is `not_found`."""
        rows = [RowWrite(b"", entity_id=each) for each in ids]
        operations = [Operation("DELETE", self._url(table, row)) for row in rows]
        return await self._run(operations, f"deleting rows of {table.name}", table, rows, Verb.UPDATE)

    async def deactivate(self, table: EntitySet, ids: Sequence[str]) -> list[RowOutcome]:
        """Set rows inactive by GUID; one that is gone is `not_found`."""
        return await self.write_each(
            Verb.UPDATE, table, [RowWrite(_INACTIVE, entity_id=each) for each in ids]
        )

    async def _run(
        self, operations: list[Operation], what: str, table: EntitySet, rows: Sequence[RowWrite], verb: Verb
    ) -> list[RowOutcome]:
        repeatable = verb is not Verb.CREATE
        exchange = Exchange(self.session, f"{SERVICE}$batch", what, "write", repeatable, _REQUESTS_A_BATCH)
        results = await exchange.run(operations)
        return [
            self._outcome(exchange, index, result, table, row, verb)
            for index, (result, row) in enumerate(zip(results, rows, strict=True))
        ]

    def _outcome(
        self,
        exchange: Exchange,
        index: int,
        result: Result | None,
        table: EntitySet,
        row: RowWrite,
        verb: Verb,
    ) -> RowOutcome:
        if result is None:
            return outcomes.unknown(index)
        failure = exchange.failure(result)
        if failure is None:
            entity_id = _id_in(result.headers.get("OData-EntityId", "")) or row.entity_id
            return RowOutcome(index, Status.OK, entity_id=entity_id, etag=result.headers.get("ETag"))
        outcome = outcomes.of_failure(index, failure)
        if outcome is None:
            raise failures.error(failure, self.session.connection.name, exchange.what)
        own_may_miss = verb is Verb.UPDATE
        if failure.kind is Kind.NOT_FOUND and not (
            own_may_miss and outcomes.concerns_row_itself(failure.message, table.entity_type, row.entity_id)
        ):
            return RowOutcome(index, Status.PARENT_MISSING, failure.code, failure.message)
        return outcome

    def _operation(self, verb: Verb, table: EntitySet, row: RowWrite) -> Operation:
        url = self._url(table, row)
        if verb is Verb.UPDATE:
            return Operation("PATCH", url, row.body, (("If-Match", "*"),))
        if verb is Verb.UPSERT:
            return Operation("PATCH", url, row.body)
        if row.entity_id is None and row.key is None:
            return Operation("POST", url, row.body)
        return Operation("PATCH", url, row.body, (("If-None-Match", "*"),))

    def _url(self, table: EntitySet, row: RowWrite) -> str:
        return f"{self.session.connection.base_url}{SERVICE}{row.address(table)}{_TAGGED}"


def _targets(verb: Verb, table: EntitySet, rows: Sequence[RowWrite]) -> bytes:
    return b'{"Targets":[' + b",".join(_target(verb, table, row) for row in rows) + b"]}"


def _target(verb: Verb, table: EntitySet, row: RowWrite) -> bytes:
    names = {"@odata.type": f"Microsoft.Dynamics.CRM.{table.entity_type}"}
    if row.entity_id is not None:
        names[table.primary_id] = row.entity_id
    elif row.key is not None:
        names["@odata.id"] = row.address(table)
    elif verb is not Verb.CREATE:
        raise ValueError(f"A row of {table.name} can only be created without GUID and key.")
    return encoding.splice(row.body, names)


def _all_written(answer: Answer, rows: Sequence[RowWrite], what: str) -> list[RowOutcome]:
    created = decode_json(answer.body, what).get("Ids", []) if answer.body else []
    ids = created if len(created) == len(rows) else [row.entity_id for row in rows]
    return [RowOutcome(index, Status.OK, entity_id=each) for index, each in enumerate(ids)]


def _id_in(address: str) -> str | None:
    found = _ENTITY_ID.search(address)
    return found.group(1).lower() if found else None
