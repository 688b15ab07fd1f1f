"""What the Web API calls things: properties, navigation properties and collections of each table."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from sandbox.odata.scope import Navigation, Profile, Scope, Wildcards, dataverse_column
from sandbox.schema.model import Column, ColumnType, Table
from sandbox.store import Store

NAMESPACE = "Microsoft.Dynamics.CRM"
PROFILE = Profile(
    namespace=NAMESPACE,
    wildcards=Wildcards.LIKE,
    column_of=dataverse_column,
    quoted_guids=True,
)
_OWNER = "ownerid"


@dataclass(frozen=True, slots=True)
class Link:
    """A single-valued navigation property: the lookup column and the table that it leads to.

    Attributes:
        name: The navigation property: the lookup's own name, `customerid_account` where polymorphic.
        column: Logical name of the lookup column.
        target: Logical name of the other table.
        relationship: Schema name of the relationship: the public one, else `{target}_{table}_{column}` [?].
        others: Further tables that the same navigation property may be bound to (`ownerid`: teams [D]).
    """

    name: str
    column: str
    target: str
    relationship: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection-valued navigation property: the rows of another table whose lookup points here.

    Attributes:
        name: The relationship's schema name: `contact_customer_accounts`.
        table: Logical name of the other table.
        column: Its lookup column.
    """

    name: str
    table: str
    column: str


@dataclass(frozen=True)
class Entity:
    """A table with its names on the wire.

    Attributes:
        table: The schema table.
        sql: Its rows.
        properties: Columns that can be read by wire name (`name`, `_parentaccountid_value`), the primary id
            first.
        links: Single-valued navigation properties by name.
        collections: Collection-valued ones by name.
    """

    table: Table
    sql: sa.Table
    properties: Mapping[str, Column]
    links: Mapping[str, Link]
    collections: Mapping[str, Collection]

    @property
    def primary_id(self) -> str:
        """Logical name of the GUID column."""
        return self.table.primary_id or ""

    @property
    def id_column(self) -> sa.Column[str]:
        """The GUID column."""
        return self.sql.c[self.primary_id]


class Entities:
    """All tables by entity set and by logical name."""

    def __init__(self, store: Store) -> None:
        """Derive the names from the store's schema."""
        collections: dict[str, dict[str, Collection]] = {name: {} for name in store.dataverse}
        for table in store.dataverse.values():
            for link in _links(table).values():
                if link.target in collections:
                    collection = Collection(link.relationship, table.name, link.column)
                    collections[link.target][collection.name] = collection
        self.by_name: Mapping[str, Entity] = {
            name: Entity(table, store.sql(table), _properties(table), _links(table), collections[name])
            for name, table in store.dataverse.items()
        }
        self.by_set: Mapping[str, Entity] = {
            entity.table.entity_set: entity for entity in self.by_name.values()
        }

    def scope(self, entity: Entity) -> Scope:
        """Return where a filter on `entity` looks up names."""
        return Scope(entity.table, entity.sql, self._navigate)

    def _navigate(self, scope: Scope, name: str) -> Navigation | None:
        here = self.by_name[scope.table.name]
        if link := here.links.get(name):
            if link.target not in self.by_name:
                return None
            there = self._aliased(link.target)
            return Navigation(there, there.sql.c[there.table.primary_id or ""] == scope.sql.c[link.column])
        if collection := here.collections.get(name):
            there = self._aliased(collection.table)
            on = there.sql.c[collection.column] == scope.sql.c[here.primary_id]
            return Navigation(there, on, collection=True)
        return None

    def _aliased(self, name: str) -> Scope:
        entity = self.by_name[name]
        return Scope(entity.table, entity.sql.alias(), self._navigate)


def wire_name(column: Column) -> str:
    """Return the property name of a column: `_x_value` for a lookup x."""
    return f"_{column.name}_value" if column.type is ColumnType.LOOKUP else column.name


def _properties(table: Table) -> dict[str, Column]:
    first = table.columns[table.primary_id or ""]
    columns = (first, *table.columns.values())
    return {wire_name(column): column for column in columns if not column.write_only}


def _links(table: Table) -> dict[str, Link]:
    links = {}
    for column in table.columns.values():
        if column.name == _OWNER:
            first, *others = column.targets
            links[_OWNER] = _link(_OWNER, table, column, first, *others)
            continue
        for target in column.targets if column.type is ColumnType.LOOKUP else ():
            name = f"{column.name}_{target}" if len(column.targets) > 1 else column.name
            links[name] = _link(name, table, column, target)
    return links


def _link(name: str, table: Table, column: Column, target: str, *others: str) -> Link:
    public = dict(zip(column.targets, column.relationships, strict=False))
    return Link(name, column.name, target, public.get(target, f"{target}_{table.name}_{column.name}"), others)
