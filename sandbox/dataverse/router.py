"""From a request to the operation that answers it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import sqlalchemy as sa

from sandbox.dataverse.api import Api
from sandbox.dataverse.bulk import MESSAGES, BulkMessage
from sandbox.dataverse.delta import tracked
from sandbox.dataverse.entities import NAMESPACE, Collection, Entity
from sandbox.dataverse.errors import ApiError, method_not_allowed, resource_not_found
from sandbox.dataverse.finding import require_row
from sandbox.dataverse.functions import FUNCTIONS
from sandbox.dataverse.listing import list_page
from sandbox.dataverse.metadata import METADATA_SETS, answer_metadata, service_document
from sandbox.dataverse.operations import Operation
from sandbox.dataverse.properties import plain_property
from sandbox.dataverse.reading import Reading
from sandbox.dataverse.references import Reference, read_reference, resolve_aliases, resolve_content_id
from sandbox.dataverse.systemjobs.bulk_delete import bulk_delete
from sandbox.dataverse.wire import Request, Response, json_response
from sandbox.odata.keys import Segment, split_path
from sandbox.store import WriteUnit

Action = Callable[[Api, WriteUnit, Request], Response]
ACTIONS: Mapping[str, Action] = {"BulkDelete": bulk_delete}
_WRITES = frozenset({"POST", "PATCH", "PUT", "DELETE"})


def dispatch(api: Api, request: Request, unit: WriteUnit | None = None) -> Response:
    """Answer one operation; inside a changeset with its `unit`, else in a transaction of its own.

    Raises:
        ApiError: What Dataverse refuses.
        ODataError: What is no OData.
    """
    path = request.path
    if path.startswith("$") and path.partition("/")[0] != "$metadata":
        request = replace(request, path=resolve_content_id(path, request.content_ids))
    segments = split_path(request.path)
    if not segments:
        return service_document(api, request)
    first = segments[0].name
    _check_content_type(request)
    if action := ACTIONS.get(first.removeprefix(f"{NAMESPACE}.")):
        return replace(_act(api, request, action, unit), entity=first)
    if function := FUNCTIONS.get(first.removeprefix(f"{NAMESPACE}.")):
        return replace(function(api, request, segments[0].key or ""), entity=first)
    if first in METADATA_SETS:
        return replace(answer_metadata(api, request, segments), entity=first)
    entity = api.entities.by_set.get(first)
    if entity is None:
        raise resource_not_found(first)
    route = _Route(api, request, entity, segments[1:], unit)
    key = None if segments[0].key is None else resolve_aliases(segments[0].key, request.options)
    reference = None if key is None else read_reference(entity, key)
    answer = route.on_set() if reference is None else route.on_row(reference)
    return replace(answer, entity=first, key=answer.key or segments[0].key or "")


def _check_content_type(request: Request) -> None:
    given = request.headers.get("content-type", "")
    if request.method in _WRITES and request.body and given and "json" not in given.lower():
        raise ApiError(
            415, "0x80060888", f"The content type '{given}' is not supported: send application/json."
        )


def _act(api: Api, request: Request, action: Action, unit: WriteUnit | None) -> Response:
    if request.method != "POST":
        raise method_not_allowed(request.method, request.path)
    with in_unit(api, unit) as at_work:
        return action(api, at_work, request)


@contextmanager
def in_unit(api: Api, unit: WriteUnit | None) -> Iterator[WriteUnit]:
    """Work in the transaction of a changeset, or in one of one's own."""
    if unit is not None:
        yield unit
        return
    with api.store.write() as own:
        yield own


@dataclass(frozen=True)
class _Route:
    """A request whose table is known."""

    api: Api
    request: Request
    entity: Entity
    rest: tuple[Segment, ...]
    unit: WriteUnit | None

    def on_set(self) -> Response:
        """Answer `accounts`, `accounts/$count` and the bulk messages."""
        method, names = self.request.method, tuple(segment.name for segment in self.rest)
        if not names and method == "GET":
            with self._reading() as reading:
                return list_page(reading)
        if not names and method == "POST":
            with self._operation() as operation:
                return operation.create()
        if names == ("$count",) and method == "GET":
            with self._reading() as reading:
                delta = tracked(reading)
                return delta.count() if delta else reading.count()
        message = MESSAGES.get(names[0].removeprefix(f"{NAMESPACE}.")) if len(names) == 1 else None
        if message is not None and method == "POST":
            with in_unit(self.api, self.unit) as unit:
                return message(BulkMessage(self.api, unit, self.request, self.entity))
        raise self._refusal()

    def on_row(self, reference: Reference) -> Response:
        """Answer `accounts(key)` and what stands below it."""
        if self.rest:
            return self._below(reference)
        match self.request.method:
            case "GET":
                with self._reading() as reading:
                    return reading.single(require_row(reading.connection, self.entity, reference))
            case "PATCH":
                with self._operation() as operation:
                    return operation.save(reference)
            case "DELETE":
                with self._operation() as operation:
                    return operation.delete(reference)
        raise self._refusal()

    def _below(self, reference: Reference) -> Response:
        name, tail = self.rest[0].name, tuple(segment.name for segment in self.rest[1:])
        link = self.entity.links.get(name)
        if link is not None and tail == ("$ref",) and self.request.method != "GET":
            with self._operation() as operation:
                return operation.link(reference, link)
        collection = self.entity.collections.get(name)
        if collection is not None and tail == ("$ref",):
            return self._references(reference, collection)
        if tail not in {(), ("$ref",), ("$value",), ("$count",)}:
            raise resource_not_found(tail[-1])
        if self.request.method == "GET":
            with self._reading() as reading:
                return self._read_below(reading, reference, name, tail)
        if self.request.method in {"PUT", "DELETE"} and not tail and link is None:
            with self._operation() as operation:
                return operation.column(reference, name)
        raise self._refusal()

    def _references(self, reference: Reference, collection: Collection) -> Response:
        """Answer `accounts(key)/collection/$ref`: which rows belong to a row, one more, one less."""
        if self.request.method == "GET":
            with self._reading() as reading:
                return self._reference_list(reading.connection, reference, collection)
        with self._operation() as operation:
            if self.request.method == "POST":
                return operation.associate(reference, collection)
            if self.request.method == "DELETE":
                return operation.disassociate(reference, collection, self.rest[0].key)
        raise self._refusal()

    def _reference_list(
        self, connection: sa.Connection, reference: Reference, collection: Collection
    ) -> Response:
        other = self.api.entities.by_name[collection.table]
        row_id = require_row(connection, self.entity, reference)
        query = sa.select(other.id_column).where(other.sql.c[collection.column] == row_id)
        place = f"{self.request.root}{other.table.entity_set}"
        rows = [{"@odata.id": f"{place}({found})"} for found in connection.execute(query).scalars()]
        context = f"{self.request.root}$metadata#Collection($ref)"
        return json_response(200, {"@odata.context": context, "value": rows})

    def _read_below(
        self, reading: Reading, reference: Reference, name: str, tail: tuple[str, ...]
    ) -> Response:
        row_id = require_row(reading.connection, self.entity, reference)
        if link := self.entity.links.get(name):
            target = self.api.entities.by_name.get(link.target)
            target_id = self._lookup(reading.connection, row_id, link.column)
            if target is None or target_id is None:
                return Response(204)
            if tail == ("$ref",):
                return self._link_answer(target, target_id)
            return Reading(self.api, reading.connection, self.request, target).single(target_id)
        if collection := self.entity.collections.get(name):
            other = self.api.entities.by_name[collection.table]
            within = other.sql.c[collection.column] == row_id
            many = Reading(self.api, reading.connection, self.request, other, within)
            return many.count() if tail == ("$count",) else list_page(many)
        if name not in self.entity.properties:
            raise resource_not_found(name)
        place = (self.entity, row_id, name)
        return plain_property(self.api, reading.connection, self.request, place, raw=tail == ("$value",))

    def _lookup(self, connection: sa.Connection, row_id: str, column: str) -> str | None:
        query = sa.select(self.entity.sql.c[column]).where(self.entity.id_column == row_id)
        found: str | None = connection.execute(query).scalar()
        return found

    def _link_answer(self, target: Entity, target_id: str) -> Response:
        address = f"{self.request.root}{target.table.entity_set}({target_id})"
        return json_response(
            200, {"@odata.context": f"{self.request.root}$metadata#$ref", "@odata.id": address}
        )

    def _refusal(self) -> ApiError:
        known = {*self.entity.properties, *self.entity.links, *self.entity.collections, "$count"}
        if self.rest and self.rest[0].name not in known:
            return resource_not_found(self.rest[0].name)
        return method_not_allowed(self.request.method, self.request.path)

    @contextmanager
    def _reading(self) -> Iterator[Reading]:
        if self.unit is not None:
            yield Reading(self.api, self.unit.connection, self.request, self.entity)
            return
        with self.api.store.read() as connection:
            yield Reading(self.api, connection, self.request, self.entity)

    @contextmanager
    def _operation(self) -> Iterator[Operation]:
        with in_unit(self.api, self.unit) as unit:
            yield Operation(self.api, unit, self.request, self.entity)
