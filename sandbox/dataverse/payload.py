"""A row of a request body: values by column, and the rows that its lookups are bound to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.dataverse.entities import Entities, Entity, Link
from sandbox.dataverse.errors import INVALID_PAYLOAD, bad_request, undeclared_property
from sandbox.dataverse.references import Reference, read_link
from sandbox.dataverse.values import stored_value
from sandbox.odata.wire import loads

_BIND = "@odata.bind"


@dataclass(frozen=True, slots=True)
class Payload:
    """What a body says about a row.

    Attributes:
        values: Stored values by column; a lookup set to null is among them.
        binds: The row that a lookup column shall point to, by column.
    """

    values: Mapping[str, Any]
    binds: Mapping[str, Reference]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the body names."""
        return (*self.values, *self.binds)


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

    def read(self, entity: Entity, body: Mapping[str, Any]) -> Payload:
        """Read one row.

        Columns that only the system writes (createdon, versionnumber, ...) are ignored, as Dataverse
        ignores what is not valid for create or update [?].

        Raises:
            ApiError: When a property is undeclared or a value does not fit.
        """
        values: dict[str, Any] = {}
        binds: dict[str, Reference] = {}
        for name, value in body.items():
            if name.endswith(_BIND):
                self._bind(entity, name.removesuffix(_BIND), value, values, binds)
            elif "@" not in name:
                _value(entity, name, value, values)
        return Payload(values, binds)

    def _bind(
        self, entity: Entity, name: str, url: object, values: dict[str, Any], binds: dict[str, Reference]
    ) -> None:
        link = entity.links.get(name)
        if link is None:
            raise undeclared_property(entity.table, name + _BIND)
        if url is None:
            values[link.column] = None
        elif isinstance(url, str):
            place = (entity.table.name, name, url)
            if place not in self.known:
                self.known[place] = self.link_target(entity, link, url)
            binds[link.column] = self.known[place]
        else:
            raise bad_request(f"The value of '{name}{_BIND}' must be a URL.", INVALID_PAYLOAD)

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


def _value(entity: Entity, name: str, value: object, values: dict[str, Any]) -> None:
    column = entity.properties.get(name)
    if column is None and name in entity.links:
        _navigation(entity, name, value, values)
        return
    if column is None:
        raise undeclared_property(entity.table, name)
    if not column.read_only:
        values[column.name] = stored_value(entity.table, column, value)


def _navigation(entity: Entity, name: str, value: object, values: dict[str, Any]) -> None:
    """Empty a lookup by its navigation property; related rows inside of a row are not taken."""
    if value is not None:
        raise bad_request(
            f"Creating '{name}' together with a row of '{entity.table.entity_set}' is not supported: "
            f"write it first, and bind it with {name}{_BIND}.",
            INVALID_PAYLOAD,
        )
    values[entity.links[name].column] = None
