"""Create, update, upsert and delete of one row, with their conditions (protocol 1.4)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from sandbox.dataverse.api import Api
from sandbox.dataverse.duplicates import refuse_duplicate
from sandbox.dataverse.entities import Collection, Entity, Link
from sandbox.dataverse.errors import (
    bad_request,
    duplicate_record,
    method_not_allowed,
    record_not_found,
    resource_not_found,
    version_mismatch,
)
from sandbox.dataverse.finding import find_row, missing_row, require_row
from sandbox.dataverse.payload import Payload, PayloadReader, key_payload, read_object
from sandbox.dataverse.reading import Reading
from sandbox.dataverse.references import Reference, read_reference
from sandbox.dataverse.values import stored_value
from sandbox.dataverse.wire import Request, Response
from sandbox.store import WriteUnit
from sandbox.store.tables import VERSION


@dataclass(frozen=True)
class Operation:
    """One write on one table.

    Attributes:
        api: The environment.
        unit: The transaction.
        request: What was asked.
        entity: The table.
    """

    api: Api
    unit: WriteUnit
    request: Request
    entity: Entity

    def create(self) -> Response:
        """`POST accounts`: 204 with the row's URL in `OData-EntityId`, or 201 with the row.

        Rows under navigation properties are created in the same transaction (deep insert [D]).

        Raises:
            ApiError: When the body does not hold, or a key occurs already (412).
        """
        payload = self._reader.read(self.entity, read_object(self.request.body), deep=True)
        row_id = self._insert(self.entity, payload, {})
        return self._written(row_id, payload, created=True)

    def save(self, reference: Reference) -> Response:
        """`PATCH accounts(key)`: update, or create where it is missing and no condition forbids it.

        Raises:
            ApiError: 404 or 412 as the conditions say, or when the body does not hold.
        """
        payload = self._reader.read(self.entity, read_object(self.request.body))
        row_id = find_row(self.unit.connection, self.entity, reference)
        if row_id is None:
            if self._must_exist:
                raise missing_row(self.entity, reference)
            [named] = self.api.writer.bound(self.unit, [key_payload(self.entity, reference)])
            row_id = self._insert(self.entity, payload, named)
            return self._written(row_id, payload, created=True)
        self._check_conditions(row_id)
        [values] = self.api.writer.bound(self.unit, [payload])
        changes = changed_values(reference, values)
        refuse_duplicate(self.unit.connection, self.request, self.entity, changes, row_id)
        self.api.writer.update(self.unit, self.entity, [(row_id, changes)])
        self._attach(payload, row_id)
        return self._written(row_id, payload, created=False)

    def _insert(self, entity: Entity, payload: Payload, named: Mapping[str, Any]) -> str:
        """Create a row, before it those that it points to, after it those that point to it.

        Args:
            entity: Its table.
            payload: What the body says.
            named: What else is known of it, as the key of its URL; the body wins [D].
        """
        parents = {
            column: self._insert(parent.entity, parent.payload, {})
            for column, parent in payload.parents.items()
        }
        [values] = self.api.writer.bound(self.unit, [payload])
        values = {**named, **values, **parents}
        refuse_duplicate(self.unit.connection, self.request, entity, values, None)
        [row_id] = self.api.writer.insert(self.unit, entity, [values])
        for collection, child in payload.children:
            self._insert(child.entity, child.payload, {collection.column: row_id})
        self._attach(payload, row_id)
        return row_id

    def _attach(self, payload: Payload, row_id: str) -> None:
        for collection, reference in payload.attached:
            self._point(collection, reference, row_id)

    def _point(self, collection: Collection, reference: Reference, row_id: str | None) -> str:
        """Let a row of a collection point to `row_id`, or to nothing; return its GUID."""
        other = self.api.entities.by_name[collection.table]
        member = require_row(self.unit.connection, other, reference)
        self.api.writer.update(self.unit, other, [(member, {collection.column: row_id})])
        return member

    def associate(self, reference: Reference, collection: Collection) -> Response:
        """`POST accounts(key)/collection/$ref {"@odata.id": url}`: the other row points to this one [D].

        Raises:
            ApiError: 404 for an unknown row on either side.
        """
        row_id = require_row(self.unit.connection, self.entity, reference)
        self._check_conditions(row_id)
        member = self._reader.member(collection, read_object(self.request.body).get("@odata.id"))
        self._point(collection, member, row_id)
        return Response(204, key=row_id, rows=1)

    def disassociate(self, reference: Reference, collection: Collection, key: str | None) -> Response:
        """`DELETE accounts(key)/collection(key)/$ref`, or `.../collection/$ref?$id=url` [D].

        Raises:
            ApiError: 404 for an unknown row on either side, or one that does not belong to this one.
        """
        row_id = require_row(self.unit.connection, self.entity, reference)
        self._check_conditions(row_id)
        other = self.api.entities.by_name[collection.table]
        member = (
            self._reader.member(collection, self.request.options.get("$id"))
            if key is None
            else read_reference(other, key)
        )
        within = sa.select(other.id_column).where(other.sql.c[collection.column] == row_id)
        member_id = require_row(self.unit.connection, other, member)
        if member_id not in set(self.unit.connection.execute(within).scalars()):
            raise record_not_found(other.table, member_id)
        self._point(collection, Reference(other.table.name, member_id), None)
        return Response(204, key=row_id, rows=1)

    def delete(self, reference: Reference) -> Response:
        """`DELETE accounts(key)`.

        Raises:
            ApiError: 404 when it does not exist, 412 when If-Match names another version.
        """
        row_id = require_row(self.unit.connection, self.entity, reference)
        self._check_conditions(row_id)
        self.api.writer.delete(self.unit, self.entity, row_id)
        return Response(204, key=row_id, rows=1)

    def column(self, reference: Reference, name: str) -> Response:
        """`PUT accounts(key)/name {"value": ..}` and `DELETE accounts(key)/name`.

        Raises:
            ApiError: 404 for an unknown row or property, 400 for a value that does not fit.
        """
        column = self.entity.properties.get(name)
        if column is None:
            raise resource_not_found(name)
        if column.read_only or column.name == self.entity.primary_id:
            raise bad_request(f"The property '{name}' of '{self.entity.table.name}' cannot be written.")
        value = None
        if self.request.method == "PUT":
            body = read_object(self.request.body)
            if "value" not in body:
                raise bad_request(f'The body of a PUT on a property must be {{"value": ...}}: {name}.')
            value = stored_value(self.entity.table, column, body["value"])
        return self._change(reference, {column.name: value})

    def link(self, reference: Reference, link: Link) -> Response:
        """`PUT accounts(key)/nav/$ref {"@odata.id": url}` and `DELETE accounts(key)/nav/$ref`.

        Raises:
            ApiError: 404 for an unknown row on either side.
        """
        if self.request.method == "DELETE":
            return self._change(reference, {link.column: None})
        if self.request.method != "PUT":
            raise method_not_allowed(self.request.method, f"{link.name}/$ref")
        target = read_object(self.request.body).get("@odata.id")
        if not isinstance(target, str):
            raise bad_request('The body of a PUT on $ref must be {"@odata.id": "url of a row"}.')
        payload = Payload({}, {link.column: self._reader.link_target(self.entity, link, target)})
        [values] = self.api.writer.bound(self.unit, [payload])
        return self._change(reference, values)

    @property
    def _must_exist(self) -> bool:
        return self.request.headers.get("if-match") is not None

    @property
    def _reader(self) -> PayloadReader:
        return PayloadReader(self.api.entities, self.request.root, self.request.content_ids)

    def _change(self, reference: Reference, values: Mapping[str, Any]) -> Response:
        row_id = require_row(self.unit.connection, self.entity, reference)
        self._check_conditions(row_id)
        self.api.writer.update(self.unit, self.entity, [(row_id, values)])
        return Response(204, key=row_id, columns=tuple(values), rows=1)

    def _check_conditions(self, row_id: str) -> None:
        """Compare the row's version with If-Match and If-None-Match; `null` is no condition [D]."""
        wanted, unwanted = (self.request.headers.get(name, "") for name in ("if-match", "if-none-match"))
        if unwanted == "*":
            raise duplicate_record()
        if wanted in {"", "*"} and unwanted in {"", "null"}:
            return
        query = sa.select(self.entity.sql.c[VERSION]).where(self.entity.id_column == row_id)
        etag = f'W/"{self.unit.connection.execute(query).scalar_one()}"'
        if (wanted not in {"", "*"} and etag not in _etags(wanted)) or etag in _etags(unwanted):
            raise version_mismatch()

    def _written(self, row_id: str, payload: Payload, *, created: bool) -> Response:
        """Answer 204, or the row itself where `return=representation` asks for it."""
        address = f"{self.request.root}{self.entity.table.entity_set}({row_id})"
        headers = {"OData-EntityId": address} | ({"Location": address} if created else {})
        answer = Response(204, headers=headers)
        if self.request.preferences.representation:
            # The row is read back without the write's own conditions.
            plain = replace(self.request, headers={"prefer": self.request.headers.get("prefer", "")})
            row = Reading(self.api, self.unit.connection, plain, self.entity).single(row_id)
            answer = replace(row, status=201 if created else 200, headers={**row.headers, **headers})
        return replace(answer, key=row_id, columns=payload.columns, rows=1)


def _etags(header: str) -> set[str]:
    return {part.strip() for part in header.split(",")}


def changed_values(reference: Reference, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that an upsert changes: key columns in the body are ignored [D]."""
    keys = {name for name, _ in reference.key}
    return {name: value for name, value in values.items() if name not in keys}
