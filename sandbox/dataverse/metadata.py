"""What clients ask about tables: service document, EntityDefinitions and its parts (protocol 1.8)."""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.dataverse.api import Api
from sandbox.dataverse.entities import NAMESPACE, Entity
from sandbox.dataverse.errors import ApiError, bad_request, method_not_allowed, resource_not_found
from sandbox.dataverse.metafilter import matches
from sandbox.dataverse.wire import Request, Response, json_response
from sandbox.odata.keys import Segment, parse_key
from sandbox.odata.options import ExpandItem, parse_expand, parse_select
from sandbox.schema.model import Column, ColumnType

Definition = dict[str, Any]

METADATA_SETS = frozenset({"EntityDefinitions"})
_ALWAYS = frozenset({"MetadataId"})
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


def service_document(api: Api, request: Request) -> Response:
    """`GET /`: the entity sets.

    Raises:
        ApiError: 405 for another verb.
    """
    if request.method != "GET":
        raise method_not_allowed(request.method, "the service root")
    sets = [{"name": name, "kind": "EntitySet", "url": name} for name in sorted(api.entities.by_set)]
    return json_response(200, {"@odata.context": f"{request.root}$metadata", "value": sets})


def answer_metadata(api: Api, request: Request, segments: tuple[Segment, ...]) -> Response:
    """`EntityDefinitions`, one of them by LogicalName or MetadataId, and its parts; never paged.

    Raises:
        ApiError: 404 for an unknown table or part.
        ODataError: When an option cannot be read.
    """
    if request.method != "GET":
        raise method_not_allowed(request.method, request.path)
    first, *rest = segments
    context = f"{request.root}$metadata#{request.path}"
    if first.key is None:
        found = [_definition(entity) for entity in api.entities.by_name.values()]
        return _listing(found, request, context)
    entity = _entity(api, first.key)
    if not rest:
        full = _expanded(_definition(entity), parse_expand(request.options.get("$expand", "")))
        chosen = _selected(full, parse_select(request.options.get("$select", "")))
        return json_response(200, {"@odata.context": f"{context}/$entity", **chosen})
    return _part(entity, rest, request, context)


def _entity(api: Api, key: str) -> Entity:
    value = _literal(key)
    for entity in api.entities.by_name.values():
        if value in {entity.table.name, _metadata_id(entity.table.name)}:
            return entity
    raise ApiError(404, "0x80060888", f"Could not find an entity with name {value}.")


def _literal(key: str) -> str:
    """Return the text of a key with one part: `LogicalName='account'` or a GUID."""
    parts = parse_key(key)
    return str(getattr(parts[0].literal, "val", "")) if len(parts) == 1 else ""


def _part(entity: Entity, rest: list[Segment], request: Request, context: str) -> Response:
    parts = _parts(entity)
    name = rest[0].name
    if name not in parts:
        raise resource_not_found(name)
    found = parts[name]
    cast = rest[-1].name.removeprefix(f"{NAMESPACE}.") if "." in rest[-1].name else ""
    if cast:
        found = [item for item in found if item["@odata.type"] == f"#{NAMESPACE}.{cast}"]
    if rest[0].key is None:
        return _listing(found, request, context)
    wanted = _literal(rest[0].key)
    for item in found:
        if wanted in {item.get("LogicalName"), item.get("SchemaName"), item["MetadataId"]}:
            chosen = _selected(item, parse_select(request.options.get("$select", "")))
            return json_response(200, {"@odata.context": f"{context}/$entity", **chosen})
    raise ApiError(404, "0x80060888", f"Could not find '{wanted}' of {entity.table.name}.")


def _listing(found: Iterable[Definition], request: Request, context: str) -> Response:
    options = request.options
    if "$filter" in options:
        found = [item for item in found if matches(item, options["$filter"])]
    expand = parse_expand(options.get("$expand", ""))
    select = parse_select(options.get("$select", ""))
    value = [_selected(_expanded(item, expand), select, expand) for item in found]
    return json_response(200, {"@odata.context": context, "value": value})


def _selected(item: Definition, select: tuple[str, ...], expand: Iterable[ExpandItem] = ()) -> Definition:
    public = {name: value for name, value in item.items() if not name.startswith("_")}
    if not select:
        return public
    if unknown := [name for name in select if name not in public]:
        raise bad_request(
            f"Could not find a property named '{unknown[0]}' on type '{NAMESPACE}.EntityMetadata'."
        )
    kept = {*select, *_ALWAYS, *(part.name for part in expand), "@odata.type"}
    return {name: value for name, value in public.items() if name in kept}


def _expanded(item: Definition, expand: Iterable[ExpandItem]) -> Definition:
    full = dict(item)
    for part in expand:
        if part.name == "OptionSet" and "_options" in item:
            full[part.name] = item["_options"]
        elif "_entity" in item and part.name in (parts := _parts(item["_entity"])):
            select = parse_select(part.options.get("$select", ""))
            full[part.name] = [_selected(child, select) for child in parts[part.name]]
        else:
            raise bad_request(f"Could not find a navigation property named '{part.name}' to expand.")
    return full


def _definition(entity: Entity) -> Definition:
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
        "MetadataId": _metadata_id(table.name),
        "_entity": entity,
    }


def _parts(entity: Entity) -> dict[str, list[Definition]]:
    """Return the collections below a definition by name."""
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
        "MetadataId": _metadata_id(f"{entity.table.name}.{column.name}"),
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
        "MetadataId": _metadata_id(name),
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
        "MetadataId": _metadata_id(name),
    }


def _label(text: str) -> Definition:
    localized = {"Label": text, "LanguageCode": 1033, "IsManaged": True}
    return {"LocalizedLabels": [localized], "UserLocalizedLabel": localized}


def _managed(value: bool) -> Definition:
    return {"Value": value, "CanBeChanged": False, "ManagedPropertyLogicalName": ""}


def _metadata_id(name: str) -> str:
    return str(uuid.uuid5(_NAMESPACE_ID, name))
