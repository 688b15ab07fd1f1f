"""A row of a request body: values by column, the rows that it is bound to, and those made with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.dataverse.entities import Collection, Entities, Entity, Link
from sandbox.dataverse.errors import (
    INVALID_PAYLOAD,
    bad_request,
    undeclared_navigation,
    undeclared_property,
)
from sandbox.dataverse.references import Reference, read_link
from sandbox.dataverse.values import stored_value
from sandbox.odata.wire import loads
from sandbox.schema.model import Column, ColumnType

_BIND = "@odata.bind"


@dataclass(frozen=True, slots=True)
class Payload:
    """What a body says about a row.

    Attributes:
        values: Stored values by column; a lookup set to null is among them.
        binds: The row that a lookup column shall point to, by column.
        parents: Rows to be created first, by the lookup column that shall point to them.
        children: Rows to be created after it, which point to it.
        attached: Rows that exist, and shall point to it.
    """

    values: Mapping[str, Any]
    binds: Mapping[str, Reference]
    parents: Mapping[str, "Related"] = field(default_factory=dict)
    children: tuple[tuple[Collection, "Related"], ...] = ()
    attached: tuple[tuple[Collection, Reference], ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the body names."""
        return (*self.values, *self.binds, *self.parents)


@dataclass(frozen=True, slots=True)
class Related:
    """A row that is created together with another one.

    Attributes:
        entity: Its table.
        payload: What the body says about it.
    """

    entity: Entity
    payload: Payload


@dataclass
class _Draft:
    """A payload while its body is being read."""

    values: dict[str, Any] = field(default_factory=dict)
    binds: dict[str, Reference] = field(default_factory=dict)
    parents: dict[str, Related] = field(default_factory=dict)
    children: list[tuple[Collection, Related]] = field(default_factory=list)
    attached: list[tuple[Collection, Reference]] = field(default_factory=list)

    def done(self) -> Payload:
        return Payload(self.values, self.binds, self.parents, tuple(self.children), tuple(self.attached))


@dataclass(frozen=True)
class PayloadReader:
    """Reads bodies; the parts of one request share it.

    Attributes:
        entities: All tables.
        root: Service root of the request, for absolute URLs.
        content_ids: What `$1` stands for.
        known: Targets of binds that were read already: many rows are bound to few others.
    """

    entities: Entities
    root: str
    content_ids: Mapping[str, str]
    known: dict[tuple[str, str, str], Reference] = field(default_factory=dict, repr=False)

    def read(self, entity: Entity, body: Mapping[str, Any], *, deep: bool = False) -> Payload:
        """Read one row.

        Columns that only the system writes (createdon, versionnumber, ...) are ignored, as Dataverse
        ignores what is not valid for create or update [?].

        Args:
            entity: Its table.
            body: The JSON object.
            deep: Whether related rows may be created with it, as a create may [D].

        Raises:
            ApiError: When a property is undeclared or a value does not fit.
        """
        draft = _Draft()
        properties = entity.properties
        for name, value in body.items():
            if name in properties:
                _value(entity, properties[name], value, draft.values)
            elif name.endswith(_BIND):
                self._bind(entity, name.removesuffix(_BIND), value, draft)
            elif "@" in name:
                continue
            elif name in entity.links or name in entity.collections:
                self._navigation(entity, name, value, draft, deep=deep)
            else:
                _value(entity, _secret(entity, name), value, draft.values)
        return draft.done()

    def _bind(self, entity: Entity, name: str, url: object, draft: _Draft) -> None:
        link, collection = entity.links.get(name), entity.collections.get(name)
        if collection is not None and isinstance(url, list):
            draft.attached += [(collection, self.member(collection, each)) for each in url]
        elif link is None:
            raise undeclared_navigation(entity.table, name)
        elif url is None:
            draft.values[link.column] = None
        elif isinstance(url, str):
            place = (entity.table.name, name, url)
            if place not in self.known:
                self.known[place] = self.link_target(entity, link, url)
            draft.binds[link.column] = self.known[place]
        else:
            raise bad_request(f"The value of '{name}{_BIND}' must be a URL.", INVALID_PAYLOAD)

    def _navigation(self, entity: Entity, name: str, value: object, draft: _Draft, *, deep: bool) -> None:
        """Read what stands under a navigation property: null, a row, or a list of rows (deep insert [D])."""
        link, collection = entity.links.get(name), entity.collections.get(name)
        if link is not None and value is None:
            draft.values[link.column] = None
            return
        if not deep:
            raise bad_request(
                f"Rows under '{name}' are created together with a new row of '{entity.table.name}' only: "
                f"write them first, and bind them with {name}{_BIND}.",
                INVALID_PAYLOAD,
            )
        if link is not None and isinstance(value, dict):
            draft.parents[link.column] = self._related(link.target, name, value)
        elif collection is not None and isinstance(value, list):
            draft.children += [(collection, self._related(collection.table, name, each)) for each in value]
        else:
            raise bad_request(f"The value of '{name}' must be a row or a list of rows.", INVALID_PAYLOAD)

    def _related(self, table: str, name: str, body: object) -> Related:
        entity = self.entities.by_name.get(table)
        if entity is None or not isinstance(body, dict):
            raise bad_request(f"What stands under '{name}' is no row of '{table}'.", INVALID_PAYLOAD)
        return Related(entity, self.read(entity, body, deep=True))

    def member(self, collection: Collection, url: object) -> Reference:
        """Read the URL of a row of a collection.

        Raises:
            ApiError: When it does not name a row of the right table.
        """
        if isinstance(url, str):
            _, reference = read_link(self.entities, url, self.content_ids, self.root)
            if reference.table == collection.table:
                return reference
        raise bad_request(
            f"'{collection.name}' leads to rows of '{collection.table}', and '{str(url)[:200]}' is none.",
            INVALID_PAYLOAD,
        )

    def link_target(self, entity: Entity, link: Link, url: str) -> Reference:
        """Read the URL that a navigation property is bound to.

        Raises:
            ApiError: When it does not name a row of the right table.
        """
        set_name, reference = read_link(self.entities, url, self.content_ids, self.root)
        if reference.table in {link.target, *link.others, ""} and (
            reference.table or link.target not in self.entities.by_name
        ):
            return reference
        raise bad_request(
            f"The navigation property '{link.name}' of '{entity.table.name}' leads to '{link.target}', "
            f"not to a row of '{set_name}'.",
            INVALID_PAYLOAD,
        )


def key_payload(entity: Entity, reference: Reference) -> Payload:
    """Read what an upsert's address says of the row that it creates; it must hold as a body must.

    Raises:
        ApiError: When a value does not fit its column.
    """
    if reference.row_id is not None:
        return Payload({entity.primary_id: reference.row_id}, {})
    values: dict[str, Any] = {}
    binds: dict[str, Reference] = {}
    for name, value in reference.key:
        column = entity.table.columns[name]
        if column.type is ColumnType.LOOKUP:
            binds[name] = Reference(column.target or "", value)
        else:
            values[name] = stored_value(entity.table, column, value)
    return Payload(values, binds)


def read_object(body: bytes) -> dict[str, Any]:
    """Read a JSON object with exact decimals.

    Raises:
        ApiError: When it is anything else.
        ODataError: When it is not JSON.
    """
    value = loads(body) if body.strip() else {}
    if not isinstance(value, dict):
        raise bad_request("The request body must be a JSON object.", INVALID_PAYLOAD)
    return value


def _value(entity: Entity, column: Column, value: object, values: dict[str, Any]) -> None:
    if not column.read_only:
        values[column.name] = stored_value(entity.table, column, value)


def _secret(entity: Entity, name: str) -> Column:
    """Return a column that can be written, though nobody can read it."""
    column = entity.table.columns.get(name)
    if column is None or not column.write_only:
        raise undeclared_property(entity.table, name)
    return column
