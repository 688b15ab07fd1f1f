"""OneToManyRelationshipMetadata of a lookup, and EntityKeyMetadata of an alternate key [D]."""

from dataclasses import replace
from typing import Any

from sandbox.dataverse.entities import Link
from sandbox.dataverse.metadata.labels import label, managed, metadata_id
from sandbox.dataverse.metadata.model import Definition
from sandbox.dataverse.metadata.tables import is_custom
from sandbox.schema.model import Table

_KIND = "OneToManyRelationshipMetadata"
_SHARED = frozenset(
    """HasChanged IntroducedVersion IsCustomizable IsCustomRelationship IsManaged IsValidForAdvancedFind
    MetadataId RelationshipType SchemaName SecurityTypes""".split()
)
# Deleting a row empties the lookups that point to it, and does nothing else to their rows [?].
_CASCADES = {
    "Assign": "NoCascade",
    "Archive": "RemoveLink",
    "Delete": "RemoveLink",
    "Merge": "NoCascade",
    "Reparent": "NoCascade",
    "RollupView": "NoCascade",
    "Share": "NoCascade",
    "Unshare": "NoCascade",
}


def relationship(table: Table, link: Link) -> Definition:
    """Return the relationship of a lookup, as both of its tables list it (`in_all` of all of them).

    Args:
        table: The referencing table.
        link: Its navigation property.
    """
    properties: dict[str, Any] = {
        "HasChanged": None,
        "IntroducedVersion": "1.0",
        "IsCustomizable": managed(True, "iscustomizable"),
        "IsCustomRelationship": is_custom(link.relationship),
        "IsManaged": True,
        "IsValidForAdvancedFind": True,
        "MetadataId": metadata_id(link.relationship),
        "RelationshipType": "OneToManyRelationship",
        "SchemaName": link.relationship,
        "SecurityTypes": "Append",
        "AssociatedMenuConfiguration": _menu(),
        "CascadeConfiguration": _CASCADES,
        "DenormalizedAttributeName": None,
        "EntityKey": None,
        "IsDenormalizedLookup": False,
        "IsHierarchical": False,
        "IsRelationshipAttributeDenormalized": False,
        "ReferencedAttribute": f"{link.target}id",
        "ReferencedEntity": link.target,
        "ReferencedEntityNavigationPropertyName": link.relationship,
        "ReferencingAttribute": link.column,
        "ReferencingEntity": table.name,
        "ReferencingEntityNavigationPropertyName": link.name,
        "RelationshipAttributes": [],
        "RelationshipBehavior": 1,
    }
    return Definition(_KIND, _KIND, properties, frozenset(properties))


def in_all(one: Definition) -> Definition:
    """Return a relationship as `RelationshipDefinitions` lists it, among those of other types."""
    return replace(one, base="RelationshipMetadataBase", shared=_SHARED)


def key_definition(table: Table, number: int, columns: tuple[str, ...]) -> Definition:
    """Return the EntityKeyMetadata of the alternate key with this number, from 1."""
    name = f"{table.name}_key{number}"
    properties = {
        "AsyncJob": None,
        "DisplayName": label(name),
        "EntityKeyIndexStatus": "Active",
        "EntityLogicalName": table.name,
        "HasChanged": None,
        "IntroducedVersion": "1.0",
        "IsCustomizable": managed(True, "iscustomizable"),
        "IsExportKey": False,
        "IsManaged": True,
        "IsSynchronous": False,
        "KeyAttributes": list(columns),
        "LogicalName": name,
        "MetadataId": metadata_id(name),
        "SchemaName": name,
    }
    return Definition("EntityKeyMetadata", "EntityKeyMetadata", properties, frozenset(properties))


def _menu() -> dict[str, Any]:
    return {
        "AvailableOffline": True,
        "Behavior": "UseCollectionName",
        "Group": "Details",
        "Icon": None,
        "IsCustomizable": True,
        "Label": label(None),
        "MenuId": None,
        "Order": 10_000,
        "QueryApi": "",
        "ViewId": "00000000-0000-0000-0000-000000000000",
    }
