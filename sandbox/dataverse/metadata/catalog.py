"""All definitions of an environment, made once a process: tables, relationships, global option sets."""

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

from sandbox.dataverse.entities import Entities, Entity
from sandbox.dataverse.metadata.columns import column_definition
from sandbox.dataverse.metadata.model import Definition
from sandbox.dataverse.metadata.option_sets import shared_option_sets
from sandbox.dataverse.metadata.relationships import in_all, key_definition, relationship
from sandbox.dataverse.metadata.tables import table_definition

_FIRST_CUSTOM_TYPE_CODE = 10_001


@dataclass(frozen=True)
class Catalog:
    """The entity sets of metadata.

    Attributes:
        sets: Definitions by set name.
    """

    sets: dict[str, tuple[Definition, ...]]


@lru_cache(maxsize=1)
def catalog(entities: Entities) -> Catalog:
    """Return the definitions of all tables."""
    tables = list(entities.by_name.values())
    shared = shared_option_sets(entity.table for entity in tables)
    outgoing = {
        entity.table.name: tuple(relationship(entity.table, link) for link in entity.links.values())
        for entity in tables
    }
    incoming: dict[str, list[Definition]] = defaultdict(list)
    for relationships in outgoing.values():
        for one in relationships:
            incoming[one.properties["ReferencedEntity"]].append(one)
    definitions = []
    for position, entity in enumerate(tables):
        name = entity.table.name
        below = {
            "Attributes": _attributes(entity, shared),
            "Keys": _keys(entity),
            "ManyToOneRelationships": outgoing[name],
            "OneToManyRelationships": tuple(incoming[name]),
            "ManyToManyRelationships": (),
        }
        # Tables that came with solutions have numbers of their own in each environment.
        code = entity.table.object_type_code or _FIRST_CUSTOM_TYPE_CODE + position
        definitions.append(table_definition(entity.table, code, below))
    return Catalog(
        {
            "EntityDefinitions": tuple(definitions),
            "RelationshipDefinitions": tuple(in_all(one) for some in outgoing.values() for one in some),
            "GlobalOptionSetDefinitions": tuple(shared.values()),
        }
    )


def _attributes(entity: Entity, shared: dict[str, Definition]) -> tuple[Definition, ...]:
    columns = entity.table.columns.values()
    return tuple(column_definition(entity, column, place, shared) for place, column in enumerate(columns, 1))


def _keys(entity: Entity) -> tuple[Definition, ...]:
    table = entity.table
    return tuple(key_definition(table, number, key) for number, key in enumerate(table.keys, 1))
