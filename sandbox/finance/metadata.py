"""What Finance says about itself: service document, `$metadata`, `/Metadata`, and which environment it is."""

from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import quoteattr

from sandbox.finance.catalog import NAMESPACE, READ_ONLY_SETS, Catalog
from sandbox.finance.request import DataRequest, DataResponse
from sandbox.odata.wire import dumps
from sandbox.schema.model import Column, ColumnType, Option, Table

_EDM_TYPES = {
    ColumnType.STRING: "Edm.String",
    ColumnType.MEMO: "Edm.String",
    ColumnType.GUID: "Edm.Guid",
    ColumnType.INTEGER: "Edm.Int32",
    ColumnType.BIGINT: "Edm.Int64",
    ColumnType.DECIMAL: "Edm.Decimal",
    ColumnType.MONEY: "Edm.Decimal",
    ColumnType.DOUBLE: "Edm.Double",
    ColumnType.BOOLEAN: "Edm.Boolean",
    ColumnType.DATETIME: "Edm.DateTimeOffset",
    ColumnType.DATE: "Edm.DateTimeOffset",
}
_DATA_TYPES = {
    "Edm.String": "String",
    "Edm.Guid": "Guid",
    "Edm.Int32": "Int32",
    "Edm.Int64": "Int64",
    "Edm.Decimal": "Real",
    "Edm.Double": "Real",
    "Edm.Boolean": "Boolean",
    "Edm.DateTimeOffset": "DateTime",
}


def service_document(catalog: Catalog, request: DataRequest) -> DataResponse:
    """`GET /data`: the entity sets."""
    value = [{"name": name, "kind": "EntitySet", "url": name} for name in sorted(catalog.sets)]
    return DataResponse(200, dumps({"@odata.context": f"{request.root}/data/$metadata", "value": value}))


def metadata_document(catalog: Catalog) -> DataResponse:
    """`GET /data/$metadata`: CSDL 4.0."""
    return DataResponse(200, _csdl(tuple(catalog.sets.values())).encode(), media_type="application/xml")


def public_entities(catalog: Catalog, name: str | None = None) -> Any:
    """`GET /Metadata/PublicEntities`, or one of them by entity name; None where there is none."""
    if name is None:
        return {"value": [_public_entity(table) for table in catalog.sets.values()]}
    tables = (table for table in catalog.sets.values() if table.entity_type.lower() == name.lower())
    table = next(tables, None)
    return None if table is None else _public_entity(table)


def public_enumerations(catalog: Catalog, name: str | None = None) -> Any:
    """`GET /Metadata/PublicEnumerations`, or one of them by name; None where there is none."""
    enums = [_public_enum(enum, options) for enum, options in _enums(tuple(catalog.sets.values())).items()]
    if name is None:
        return {"value": enums}
    return next((enum for enum in enums if enum["Name"].lower() == name.lower()), None)


def edm_type(column: Column) -> str:
    """The EDM type of a property."""
    return f"{NAMESPACE}.{column.enum}" if column.type is ColumnType.ENUM else _EDM_TYPES[column.type]


def _public_entity(table: Table) -> dict[str, Any]:
    return {
        "Name": table.entity_type,
        "EntitySetName": table.entity_set,
        "LabelId": table.label,
        "IsReadOnly": table.name in READ_ONLY_SETS,
        "ConfigurationEnabled": True,
        "Properties": [_public_property(table, column) for column in table.columns.values()],
        "NavigationProperties": [],
        "PropertyGroups": [],
        "Actions": [],
    }


def _public_property(table: Table, column: Column) -> dict[str, Any]:
    kind, key = edm_type(column), column.name in table.keys[0]
    return {
        "Name": column.name,
        "TypeName": kind,
        "DataType": _DATA_TYPES.get(kind, "Enum"),
        "IsKey": key,
        "IsMandatory": key or column.required,
        "ConfigurationEnabled": True,
        "AllowEdit": not key,
        "AllowEditOnCreate": True,
        "IsDimension": False,
    }


def _public_enum(name: str, options: tuple[Option, ...]) -> dict[str, Any]:
    members = [
        {"Name": option.label, "Value": option.value, "ConfigurationEnabled": True} for option in options
    ]
    return {"Name": name, "LabelId": name, "Members": members}


def _enums(tables: tuple[Table, ...]) -> dict[str, tuple[Option, ...]]:
    columns = (column for table in tables for column in table.columns.values())
    return {column.enum: column.options for column in columns if column.enum is not None}


def _csdl(tables: tuple[Table, ...]) -> str:
    return "\n".join(_csdl_lines(tables))


def _csdl_lines(tables: tuple[Table, ...]) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
    yield f'<Schema Namespace="{NAMESPACE}" xmlns="http://docs.oasis-open.org/odata/ns/edm">'
    for name, options in _enums(tables).items():
        members = "".join(f'<Member Name={quoteattr(it.label)} Value="{it.value}"/>' for it in options)
        yield f"<EnumType Name={quoteattr(name)}>{members}</EnumType>"
    for table in tables:
        keys = "".join(f'<PropertyRef Name="{name}"/>' for name in table.keys[0])
        properties = "".join(_csdl_property(table, column) for column in table.columns.values())
        yield f'<EntityType Name="{table.entity_type}"><Key>{keys}</Key>{properties}</EntityType>'
    yield '<EntityContainer Name="Resources">'
    for table in tables:
        yield f'<EntitySet Name="{table.name}" EntityType="{NAMESPACE}.{table.entity_type}"/>'
    yield "</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"


def _csdl_property(table: Table, column: Column) -> str:
    required = ' Nullable="false"' if not column.nullable or column.name in table.keys[0] else ""
    scale = ' Scale="variable"' if edm_type(column) == "Edm.Decimal" else ""
    return f'<Property Name="{column.name}" Type="{edm_type(column)}"{required}{scale}/>'
