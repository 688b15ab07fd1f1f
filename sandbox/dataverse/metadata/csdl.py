"""`$metadata`: the tables as CSDL 4.0, once a process; without annotations unless they are asked for [D]."""

from collections.abc import Iterator
from functools import lru_cache
from xml.etree import ElementTree as ET

from sandbox.dataverse.entities import NAMESPACE, Collection, Entities, Entity, Link
from sandbox.dataverse.metadata.operations import imports, operations
from sandbox.odata.csdl import EDM_TYPES, document, element, key_element, property_element
from sandbox.schema.model import Table

_ALIAS = "mscrm"
_BASE = "crmbaseentity"
_KEYS = "OData.Community.Keys.V1"
_CHANGE_TRACKING = "Org.OData.Capabilities.V1.ChangeTracking"
_DESCRIPTION = "Org.OData.Core.V1.Description"
_VOCABULARIES = {
    _KEYS: "http://vocabularies.odata.org/OData.Community.Keys.V1.xml",
    "OData.Community.Display.V1": "http://vocabularies.odata.org/OData.Community.Display.V1.xml",
}
_ANNOTATING = {
    "Org.OData.Core.V1": "https://oasis-tcs.github.io/odata-vocabularies/vocabularies/Org.OData.Core.V1.xml",
    "Org.OData.Capabilities.V1": "https://oasis-tcs.github.io/odata-vocabularies/vocabularies/"
    "Org.OData.Capabilities.V1.xml",
}


@lru_cache(maxsize=4)
def metadata_document(entities: Entities, *, annotations: bool) -> bytes:
    """Return `$metadata`.

    Args:
        entities: All tables.
        annotations: Whether `?annotations=true` asks for what tables can do and are for.
    """
    vocabularies = _VOCABULARIES | (_ANNOTATING if annotations else {})
    content = _Content(entities, annotations)
    return document({"Namespace": NAMESPACE, "Alias": _ALIAS}, content.elements(), vocabularies)


class _Content:
    """What the schema holds."""

    def __init__(self, entities: Entities, annotations: bool) -> None:
        self.entities = entities
        self.annotations = annotations

    def elements(self) -> Iterator[ET.Element]:
        yield element("EntityType", {"Name": _BASE, "Abstract": "true"})
        for entity in self.entities.by_name.values():
            yield self.entity_type(entity)
        yield from operations()
        yield self.container()

    def entity_type(self, entity: Entity) -> ET.Element:
        columns = entity.properties.items()
        parts = [
            key_element([entity.primary_id]),
            *(property_element(name, EDM_TYPES[column.type]) for name, column in columns),
            *(self.single(entity, link) for link in self.links(entity)),
            *(self.many(each) for each in entity.collections.values()),
        ]
        if entity.table.keys:
            parts.append(_alternate_keys(entity))
        if self.annotations:
            parts.append(_described(entity.table))
        return element("EntityType", {"Name": entity.table.name, "BaseType": f"{_ALIAS}.{_BASE}"}, parts)

    def links(self, entity: Entity) -> list[Link]:
        """Return the navigation properties to tables that are here."""
        return [link for link in entity.links.values() if link.target in self.entities.by_name]

    def single(self, entity: Entity, link: Link) -> ET.Element:
        target = self.entities.by_name[link.target]
        constraint = element(
            "ReferentialConstraint",
            {"Property": f"_{link.column}_value", "ReferencedProperty": target.primary_id},
        )
        return element(
            "NavigationProperty",
            {
                "Name": link.name,
                "Type": f"{_ALIAS}.{link.target}",
                "Nullable": None if not entity.table.columns[link.column].required else "false",
                "Partner": link.relationship,
            },
            [constraint],
        )

    def many(self, collection: Collection) -> ET.Element:
        links = self.entities.by_name[collection.table].links.values()
        partner = next(link.name for link in links if link.relationship == collection.name)
        return element(
            "NavigationProperty",
            {
                "Name": collection.name,
                "Type": f"Collection({_ALIAS}.{collection.table})",
                "Partner": partner,
            },
        )

    def container(self) -> ET.Element:
        sets = (self.entity_set(entity) for entity in self.entities.by_name.values())
        return element("EntityContainer", {"Name": "System"}, [*sets, *imports()])

    def entity_set(self, entity: Entity) -> ET.Element:
        targets = {link.name: link.target for link in self.links(entity)}
        targets |= {each.name: each.table for each in entity.collections.values()}
        parts = [
            element(
                "NavigationPropertyBinding",
                {"Path": name, "Target": self.entities.by_name[target].table.entity_set},
            )
            for name, target in targets.items()
        ]
        if self.annotations:
            parts.append(_tracked(entity.table))
        kind = f"{_ALIAS}.{entity.table.name}"
        return element("EntitySet", {"Name": entity.table.entity_set, "EntityType": kind}, parts)


def _alternate_keys(entity: Entity) -> ET.Element:
    records = (_alternate_key(entity, key) for key in entity.table.keys)
    return element("Annotation", {"Term": f"{_KEYS}.AlternateKeys"}, [element("Collection", {}, records)])


def _alternate_key(entity: Entity, key: tuple[str, ...]) -> ET.Element:
    wire = {column.name: name for name, column in entity.properties.items()}
    references = (
        element(
            "Record",
            {"Type": f"{_KEYS}.PropertyRef"},
            [
                element("PropertyValue", {"Property": "Alias", "String": wire[name]}),
                element("PropertyValue", {"Property": "Name", "PropertyPath": wire[name]}),
            ],
        )
        for name in key
    )
    value = element("PropertyValue", {"Property": "Key"}, [element("Collection", {}, references)])
    return element("Record", {"Type": f"{_KEYS}.AlternateKey"}, [value])


def _described(table: Table) -> ET.Element:
    return element("Annotation", {"Term": _DESCRIPTION, "String": table.label})


def _tracked(table: Table) -> ET.Element:
    supported = "true" if table.change_tracking else "false"
    value = element("PropertyValue", {"Property": "Supported", "Bool": supported})
    return element("Annotation", {"Term": _CHANGE_TRACKING}, [element("Record", {}, [value])])
