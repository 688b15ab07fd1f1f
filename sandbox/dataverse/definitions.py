"""Tables, columns, keys and relationships as the metadata that clients read (protocol 1.8)."""

import uuid
from collections.abc import Mapping
from typing import Any

from sandbox.dataverse.entities import NAMESPACE, Entity
from sandbox.schema.model import Column, ColumnType

Definition = dict[str, Any]

_NAMESPACE_ID = uuid.UUID("6f0d2a63-6f5d-4d0c-9d0b-5c9a3d1f2b10")

_TYPES: Mapping[ColumnType, tuple[str, str]] = {
    ColumnType.STRING: ("String", "String"),
    ColumnType.MEMO: ("Memo", "Memo"),
    ColumnType.GUID: ("Uniqueidentifier", "UniqueIdentifier"),
    ColumnType.INTEGER: ("Integer", "Integer"),
    ColumnType.BIGINT: ("BigInt", "BigInt"),
    ColumnType.DECIMAL: ("Decimal", "Decimal"),
    ColumnType.MONEY: ("Money", "Money"),
    ColumnType.DOUBLE: ("Double", "Double"),
    ColumnType.BOOLEAN: ("Boolean", "Boolean"),
    ColumnType.DATETIME: ("DateTime", "DateTime"),
    ColumnType.DATE: ("DateTime", "DateTime"),
    ColumnType.OPTION: ("Picklist", "Picklist"),
    ColumnType.MULTI_OPTION: ("Virtual", "MultiSelectPicklist"),
    ColumnType.LOOKUP: ("Lookup", "Lookup"),
}


def definition(entity: Entity) -> Definition:
    """Return the EntityMetadata of a table; `_entity` is for `parts` and not shown."""
    table = entity.table
    return {
        "LogicalName": table.name,
        "SchemaName": table.name,
        "EntitySetName": table.entity_set,
        "LogicalCollectionName": table.entity_set,
        "PrimaryIdAttribute": table.primary_id,
        "PrimaryNameAttribute": table.primary_name,
        "ChangeTrackingEnabled": table.change_tracking,
        "DisplayName": _label(table.label),
        "DisplayCollectionName": _label(table.label),
        "OwnershipType": "UserOwned" if "ownerid" in table.columns else "OrganizationOwned",
        "TableType": "Standard",
        "IsCustomEntity": "_" in table.name,
        "IsActivity": False,
        "IsCustomizable": _managed(True),
        "CanCreateAttributes": _managed(True),
        "CanChangeTrackingBeEnabled": _managed(True),
        "MetadataId": metadata_id(table.name),
        "_entity": entity,
    }


def parts(entity: Entity) -> dict[str, list[Definition]]:
    """Return the collections below a definition by name; `_options` of a column are its OptionSet."""
    outgoing = [
        _relationship(link.name, (entity.table.name, link.column), link.target)
        for link in entity.links.values()
    ]
    incoming = [
        _relationship(part.column, (part.table, part.column), entity.table.name)
        for part in entity.collections.values()
    ]
    return {
        "Attributes": [_attribute(entity, column) for column in entity.table.columns.values()],
        "Keys": [_key(entity, number, key) for number, key in enumerate(entity.table.keys, start=1)],
        "ManyToOneRelationships": outgoing,
        "OneToManyRelationships": incoming,
        "ManyToManyRelationships": [],
    }


def _attribute(entity: Entity, column: Column) -> Definition:
    kind, metadata_type = _TYPES[column.type]
    if column.name in {"statecode", "statuscode"}:
        kind, metadata_type = {"statecode": ("State", "State"), "statuscode": ("Status", "Status")}[
            column.name
        ]
    attribute: Definition = {
        "@odata.type": f"#{NAMESPACE}.{metadata_type}AttributeMetadata",
        "LogicalName": column.name,
        "SchemaName": column.name,
        "AttributeType": kind,
        "AttributeTypeName": {"Value": f"{metadata_type}Type"},
        "EntityLogicalName": entity.table.name,
        "DisplayName": _label(column.label or column.name),
        "RequiredLevel": {"Value": "SystemRequired" if column.required else "None", "CanBeChanged": False},
        "IsPrimaryId": column.name == entity.primary_id,
        "IsPrimaryName": column.name == entity.table.primary_name,
        "IsValidForCreate": not column.read_only,
        "IsValidForRead": True,
        "IsValidForUpdate": not column.read_only and column.name != entity.primary_id,
        "MetadataId": metadata_id(f"{entity.table.name}.{column.name}"),
    }
    return attribute | _details(column)


def _details(column: Column) -> Definition:
    """Return what only columns of this type say about themselves."""
    match column.type:
        case ColumnType.STRING | ColumnType.MEMO:
            return {"MaxLength": column.max_length}
        case ColumnType.DECIMAL | ColumnType.MONEY | ColumnType.DOUBLE:
            return {"Precision": column.scale, "MinValue": column.minimum, "MaxValue": column.maximum}
        case ColumnType.INTEGER | ColumnType.BIGINT:
            return {"MinValue": column.minimum, "MaxValue": column.maximum}
        case ColumnType.DATETIME | ColumnType.DATE:
            return _date_details(column)
        case ColumnType.LOOKUP:
            return {"Targets": list(column.targets)}
    options = [{"Value": option.value, "Label": _label(option.label)} for option in column.options]
    return (
        {"_options": {"Options": options, "IsGlobal": False, "OptionSetType": "Picklist"}} if options else {}
    )


def _date_details(column: Column) -> Definition:
    date_only = column.type is ColumnType.DATE
    behavior = column.behavior.value if column.behavior else ("DateOnly" if date_only else "UserLocal")
    return {"DateTimeBehavior": {"Value": behavior}, "Format": "DateOnly" if date_only else "DateAndTime"}


def _key(entity: Entity, number: int, columns: tuple[str, ...]) -> Definition:
    name = f"{entity.table.name}_key{number}"
    return {
        "@odata.type": f"#{NAMESPACE}.EntityKeyMetadata",
        "LogicalName": name,
        "SchemaName": name,
        "EntityLogicalName": entity.table.name,
        "KeyAttributes": list(columns),
        "EntityKeyIndexStatus": "Active",
        "MetadataId": metadata_id(name),
    }


def _relationship(navigation: str, lookup: tuple[str, str], referenced: str) -> Definition:
    referencing, column = lookup
    name = f"{referenced}_{referencing}_{column}"
    return {
        "@odata.type": f"#{NAMESPACE}.OneToManyRelationshipMetadata",
        "SchemaName": name,
        "RelationshipType": "OneToManyRelationship",
        "ReferencedEntity": referenced,
        "ReferencedAttribute": f"{referenced}id",
        "ReferencedEntityNavigationPropertyName": name,
        "ReferencingEntity": referencing,
        "ReferencingAttribute": column,
        "ReferencingEntityNavigationPropertyName": navigation,
        "MetadataId": metadata_id(name),
    }


def _label(text: str) -> Definition:
    localized = {"Label": text, "LanguageCode": 1033, "IsManaged": True}
    return {"LocalizedLabels": [localized], "UserLocalizedLabel": localized}


def _managed(value: bool) -> Definition:
    return {"Value": value, "CanBeChanged": False, "ManagedPropertyLogicalName": ""}


def metadata_id(name: str) -> str:
    """Return the MetadataId of what has this name: always the same."""
    return str(uuid.uuid5(_NAMESPACE_ID, name))
