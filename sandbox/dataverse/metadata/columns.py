"""AttributeMetadata of a column, and what columns of each type say more about themselves [D]."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sandbox.dataverse.entities import Entity
from sandbox.dataverse.metadata.labels import label, managed, metadata_id
from sandbox.dataverse.metadata.model import Definition
from sandbox.dataverse.metadata.option_sets import column_option_set
from sandbox.dataverse.metadata.tables import is_custom
from sandbox.schema.model import Column, ColumnType, Table

# AttributeType, and the name that the type's metadata type begins with.
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
_SPECIAL: Mapping[str, tuple[str, str]] = {
    "statecode": ("State", "State"),
    "statuscode": ("Status", "Status"),
    "ownerid": ("Owner", "Lookup"),
    "customerid": ("Customer", "Lookup"),
    "parentcustomerid": ("Customer", "Lookup"),
}
# Columns that every table has, with the capitals of the documentation.
_SCHEMA_NAMES = {
    name.lower(): name
    for name in """CreatedBy CreatedOn ExchangeRate ImportSequenceNumber ModifiedBy ModifiedOn
    OverriddenCreatedOn OwnerId OwningBusinessUnit OwningTeam OwningUser TimeZoneRuleVersionNumber
    TransactionCurrencyId UTCConversionTimeZoneCode VersionNumber""".split()
}
_FALSE = """CanBeSecuredForCreate CanBeSecuredForRead CanBeSecuredForUpdate IsDataSourceSecret IsLogical
IsRequiredForForm IsRetrievable IsSearchable IsSecured""".split()
_TRUE = "IsFilterable IsManaged IsValidForForm IsValidForGrid IsValidODataAttribute".split()
_NULL = """AttributeOf AutoNumberFormat CreatedOn DeprecatedVersion ExternalName HasChanged InheritsFrom
LinkedAttributeId ModifiedOn SettingOf""".split()
_CALCULATED = {"FormulaDefinition": None, "SourceTypeMask": 0}
_MANAGED = {
    "CanModifyAdditionalSettings": (True, "canmodifyadditionalsettings"),
    "IsAuditEnabled": (True, "canmodifyauditsettings"),
    "IsCustomizable": (True, "iscustomizable"),
    "IsGlobalFilterEnabled": (False, "canmodifyglobalfiltersettings"),
    "IsRenameable": (True, "isrenameable"),
    "IsSortableEnabled": (False, "canmodifyissortablesettings"),
    "IsValidForAdvancedFind": (True, "canmodifysearchsettings"),
}


def column_definition(
    entity: Entity, column: Column, position: int, shared: Mapping[str, Definition]
) -> Definition:
    """Return the AttributeMetadata of a column.

    Args:
        entity: Its table.
        column: The column.
        position: Its ColumnNumber.
        shared: Global option sets by name.
    """
    kind, metadata_type = _SPECIAL.get(column.name, _TYPES[column.type])
    common = _common(entity.table, column, position) | {
        "AttributeType": kind,
        "AttributeTypeName": {"Value": f"{metadata_type if kind == 'Virtual' else kind}Type"},
    }
    options = column_option_set(entity.table, column, shared)
    below = {"OptionSet": options, "GlobalOptionSet": shared.get(column.name)} if options else {}
    return Definition(
        f"{metadata_type}AttributeMetadata",
        "AttributeMetadata",
        common | _details(column),
        frozenset(common),
        below,
    )


def _common(table: Table, column: Column, position: int) -> dict[str, Any]:
    primary = column.name == table.primary_id
    writable = not column.read_only
    level = "SystemRequired" if primary or column.required else "None"
    return {
        **dict.fromkeys(_FALSE, False),
        **dict.fromkeys(_TRUE, True),
        **dict.fromkeys(_NULL),
        **{name: managed(value, by) for name, (value, by) in _MANAGED.items()},
        "ColumnNumber": position,
        "Description": label(None),
        "DisplayName": label(column.label or column.name),
        "EntityLogicalName": table.name,
        "IntroducedVersion": "1.0",
        "IsCustomAttribute": is_custom(column.name),
        "IsPrimaryId": primary,
        "IsPrimaryName": column.name == table.primary_name,
        "IsValidForCreate": writable,
        "IsValidForRead": not column.write_only,
        "IsValidForUpdate": writable and not primary,
        "LogicalName": column.name,
        "MetadataId": metadata_id(f"{table.name}.{column.name}"),
        "RequiredLevel": managed(level, "canmodifyrequirementlevelsettings", changeable=level == "None"),
        "SchemaName": _schema_name(table, column.name),
        "SourceType": None,
    }


def _schema_name(table: Table, name: str) -> str:
    """Return the name with its capitals; the logical name where none is public [?]."""
    if name == f"{table.name}id":
        return f"{table.schema_name}Id"
    return _SCHEMA_NAMES.get(name, name)


def _details(column: Column) -> dict[str, Any]:
    """Return what only columns of this type say about themselves."""
    return _DETAILS[column.type](column)


def _text(column: Column) -> dict[str, Any]:
    memo = column.type is ColumnType.MEMO
    form = "TextArea" if memo else "Text"
    details = {
        "Format": form,
        "FormatName": {"Value": form},
        "ImeMode": "Auto",
        "IsLocalizable": False,
        "MaxLength": column.max_length,
    }
    if memo:
        return details
    return details | _CALCULATED | {"DatabaseLength": 2 * (column.max_length or 0), "YomiOf": None}


def _fraction(column: Column) -> dict[str, Any]:
    details = _range(column) | {"ImeMode": "Disabled", "Precision": column.scale}
    if column.type is ColumnType.DOUBLE:
        return details
    details |= _CALCULATED
    if column.type is ColumnType.MONEY:
        details |= {"CalculationOf": None, "IsBaseCurrency": False, "PrecisionSource": 0}
    return details


def _range(column: Column) -> dict[str, Any]:
    bounds = {"MinValue": column.minimum, "MaxValue": column.maximum}
    return {name: None if text is None else Decimal(text) for name, text in bounds.items()}


def _moment(column: Column) -> dict[str, Any]:
    day = column.type is ColumnType.DATE
    behavior = column.behavior.value if column.behavior else ("DateOnly" if day else "UserLocal")
    return {
        "CanChangeDateTimeBehavior": managed(not column.read_only, "canchangedatetimebehavior"),
        "DateTimeBehavior": {"Value": behavior},
        "Format": "DateOnly" if day else "DateAndTime",
        "ImeMode": "Inactive",
        "MaxSupportedValue": "9999-12-30T23:59:59Z",
        "MinSupportedValue": "1753-01-01T00:00:00Z",
        **_CALCULATED,
    }


def _integer(column: Column) -> dict[str, Any]:
    return _range(column) | _CALCULATED | {"Format": "None"}


def _lookup(column: Column) -> dict[str, Any]:
    return {"Targets": list(column.targets), "Format": "None", "IsPolymorphic": len(column.targets) > 1}


def _two_options(column: Column) -> dict[str, Any]:
    return {"DefaultValue": bool(column.default), **_CALCULATED}


def _choice(column: Column) -> dict[str, Any]:
    return {"DefaultFormValue": -1 if column.default is None else column.default, **_CALCULATED}


def _identifier(_column: Column) -> dict[str, Any]:
    return {}


_DETAILS: Mapping[ColumnType, Callable[[Column], dict[str, Any]]] = {
    ColumnType.STRING: _text,
    ColumnType.MEMO: _text,
    ColumnType.GUID: _identifier,
    ColumnType.INTEGER: _integer,
    ColumnType.BIGINT: _range,
    ColumnType.DECIMAL: _fraction,
    ColumnType.MONEY: _fraction,
    ColumnType.DOUBLE: _fraction,
    ColumnType.BOOLEAN: _two_options,
    ColumnType.DATETIME: _moment,
    ColumnType.DATE: _moment,
    ColumnType.OPTION: _choice,
    ColumnType.MULTI_OPTION: _choice,
    ColumnType.LOOKUP: _lookup,
}
