"""CreateMultiple, UpdateMultiple and UpsertMultiple: many rows, all or nothing (protocol 1.5)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sandbox.dataverse.api import Api
from sandbox.dataverse.entities import NAMESPACE, Entity
from sandbox.dataverse.errors import (
    INVALID_PAYLOAD,
    NOT_IMPLEMENTED,
    UNEXPECTED,
    bad_request,
    duplicate_record,
    records_not_found,
)
from sandbox.dataverse.finding import find_rows
from sandbox.dataverse.operations import changed_values
from sandbox.dataverse.payload import Payload, PayloadReader, key_payload, read_object
from sandbox.dataverse.references import Reference, read_link
from sandbox.dataverse.wire import Request, Response, json_response
from sandbox.rules.hooks import Caller
from sandbox.store import WriteUnit

_DUPLICATE = "Cannot insert duplicate key."


@dataclass(frozen=True)
class BulkMessage:
    """One bulk message on one table, inside one transaction.

    Attributes:
        api: The environment.
        unit: The transaction; an error rolls all of it back.
        request: What was asked.
        entity: The table.
    """

    api: Api
    unit: WriteUnit
    request: Request
    entity: Entity

    def create(self) -> Response:
        """`CreateMultiple`: 200 with the GUIDs in the order of the targets.

        Raises:
            ApiError: When a target does not hold, or a key occurs already.
        """
        payloads = [self._payload(target) for target in self._targets()]
        row_ids = [payload.values.get(self.entity.primary_id) for payload in payloads]
        self._refuse_duplicates([row_id for row_id in row_ids if row_id])
        values = self.api.writer.bound(self.unit, payloads)
        ids = self.api.writer.insert(self.unit, self.entity, values, Caller.IMPORT)
        context = f"{self.request.root}$metadata#{NAMESPACE}.CreateMultipleResponse"
        answer = json_response(200, {"@odata.context": context, "Ids": ids})
        return self._noted("CreateMultiple", answer, payloads, ids)

    def update(self) -> Response:
        """`UpdateMultiple`: rows named by their primary id; 204.

        Of several targets for one row each is applied in turn [?].

        Raises:
            ApiError: When a target has no id, or rows do not exist.
        """
        targets = self._targets()
        references = [self._reference(target) for target in targets]
        payloads = [self._payload(target) for target in targets]
        found = find_rows(self.unit.connection, self.entity, references)
        missing = [str(ref.row_id) for ref in references if ref.identity not in found]
        if missing:
            raise records_not_found(self.entity.table, missing)
        values = self.api.writer.bound(self.unit, payloads)
        rows = [
            (found[ref.identity], changed_values(ref, value))
            for ref, value in zip(references, values, strict=True)
        ]
        self.api.writer.update(self.unit, self.entity, rows, Caller.IMPORT)
        return self._noted("UpdateMultiple", Response(204), payloads, [row_id for row_id, _ in rows])

    def upsert(self) -> Response:
        """`UpsertMultiple`: rows named by `@odata.id` or primary id; 204.

        Traps [L]: a key that occurs twice is an error, and so is a column of the alternate key in
        the body of a row that has to be created (0x80040216).

        Raises:
            ApiError: As above, or when a target does not hold.
        """
        targets = self._targets()
        references = [self._reference(target) for target in targets]
        identities = [ref.identity for ref in references]
        self._refuse_duplicates(identities)
        payloads = [self._payload(target) for target in targets]
        values = self.api.writer.bound(self.unit, payloads)
        found = find_rows(self.unit.connection, self.entity, references)
        created, changed = [], []
        for ref, identity, value in zip(references, identities, values, strict=True):
            row_id = found.get(identity)
            if row_id is not None:
                changed.append((row_id, changed_values(ref, value)))
                continue
            if any(name in value for name, _ in ref.key):
                raise bad_request("An unexpected error occurred.", UNEXPECTED)
            created.append((key_payload(self.entity, ref), value))
        self.api.writer.update(self.unit, self.entity, changed, Caller.IMPORT)
        named = self.api.writer.bound(self.unit, [key for key, _ in created])
        rows = [{**key, **value} for key, (_, value) in zip(named, created, strict=True)]
        ids = iter(self.api.writer.insert(self.unit, self.entity, rows, Caller.IMPORT))
        row_ids = [found.get(identity) or next(ids) for identity in identities]
        return self._noted("UpsertMultiple", Response(204), payloads, row_ids)

    def delete(self) -> Response:
        """`DeleteMultiple`: for elastic tables only.

        Raises:
            ApiError: Always, as standard tables answer.
        """
        raise bad_request("DeleteMultiple has not yet been implemented.", NOT_IMPLEMENTED)

    def _targets(self) -> list[Mapping[str, Any]]:
        targets = read_object(self.request.body).get("Targets")
        if not isinstance(targets, list) or not all(isinstance(target, dict) for target in targets):
            raise bad_request("The parameter 'Targets' must be a list of rows.", INVALID_PAYLOAD)
        if not targets:
            raise bad_request("The parameter 'Targets' holds no row.", INVALID_PAYLOAD)
        expected = f"{NAMESPACE}.{self.entity.table.name}"
        for target in targets:
            if str(target.get("@odata.type", "")).removeprefix("#") != expected:
                raise bad_request(
                    f'Each row of \'Targets\' must say "@odata.type": "{expected}".', INVALID_PAYLOAD
                )
        return targets

    def _payload(self, target: Mapping[str, Any]) -> Payload:
        return self._reader.read(self.entity, target)

    def _reference(self, target: Mapping[str, Any]) -> Reference:
        """Read which row a target means: `@odata.id`, or the primary id among its values."""
        url = target.get("@odata.id")
        if isinstance(url, str):
            _, reference = read_link(self.api.entities, url, self.request.content_ids, self.request.root)
            if reference.table == self.entity.table.name:
                return reference
        row_id = target.get(self.entity.primary_id)
        if url is None and isinstance(row_id, str):
            return Reference(self.entity.table.name, row_id.lower())
        raise bad_request(
            f"A row of 'Targets' names no row of '{self.entity.table.entity_set}': "
            f"give @odata.id or {self.entity.primary_id}.",
            INVALID_PAYLOAD,
        )

    def _refuse_duplicates(self, identities: list[Any]) -> None:
        if len(set(identities)) != len(identities):
            raise duplicate_record(_DUPLICATE)

    @cached_property
    def _reader(self) -> PayloadReader:
        return PayloadReader(self.api.entities, self.request.root, self.request.content_ids)

    def _noted(self, verb: str, answer: Response, payloads: list[Payload], row_ids: list[str]) -> Response:
        written = tuple((row_id, payload.columns) for row_id, payload in zip(row_ids, payloads, strict=True))
        return replace(answer, rows=len(payloads), verb=verb, written=written)


MESSAGES: Mapping[str, Callable[[BulkMessage], Response]] = {
    "CreateMultiple": BulkMessage.create,
    "UpdateMultiple": BulkMessage.update,
    "UpsertMultiple": BulkMessage.upsert,
    "DeleteMultiple": BulkMessage.delete,
}
