"""Option sets: of one column, of two-option columns, and those that columns of several tables share."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.dataverse.metadata.labels import label, managed, metadata_id
from sandbox.dataverse.metadata.model import Definition
from sandbox.dataverse.metadata.tables import is_custom
from sandbox.schema.model import Column, ColumnType, Option, Table

_INACTIVE_REASON = 2
_YES_NO = (Option(0, "No"), Option(1, "Yes"))


def shared_option_sets(tables: Iterable[Table]) -> dict[str, Definition]:
    """Return the global option sets by name.

    Which ones are global is not public: here, a column's options of several tables that have the same
    name and the same members, under that name [?].
    """
    found: dict[str, list[tuple[Option, ...]]] = defaultdict(list)
    columns = (column for table in tables for column in table.columns.values())
    for column in columns:
        if column.type is ColumnType.OPTION and is_custom(column.name) and column.options:
            found[column.name].append(column.options)
    return {
        name: _choices(name, "Picklist", sets[0], shared=True)
        for name, sets in found.items()
        if len(sets) > 1 and len(set(sets)) == 1
    }


def column_option_set(table: Table, column: Column, shared: Mapping[str, Definition]) -> Definition | None:
    """Return the OptionSet of a column, None for a column without choices."""
    name = f"{table.name}_{column.name}"
    if column.type is ColumnType.BOOLEAN:
        return _two_options(name, column.options or _YES_NO)
    if column.type not in {ColumnType.OPTION, ColumnType.MULTI_OPTION}:
        return None
    kind = {"statecode": "State", "statuscode": "Status"}.get(column.name, "Picklist")
    return shared.get(column.name) or _choices(name, kind, column.options)


def _choices(name: str, kind: str, options: tuple[Option, ...], *, shared: bool = False) -> Definition:
    rendered = [_option(option) | _of_state(kind, option) for option in options]
    properties = _common(name, kind, shared) | {"Options": rendered, "ParentOptionSetName": None}
    return Definition(
        "OptionSetMetadata", "OptionSetMetadataBase", properties, frozenset(_common("", "", False))
    )


def _two_options(name: str, options: tuple[Option, ...]) -> Definition:
    by_value = {option.value: _option(option) for option in options}
    common = _common(name, "Boolean", False)
    properties = common | {"TrueOption": by_value[1], "FalseOption": by_value[0]}
    return Definition("BooleanOptionSetMetadata", "OptionSetMetadataBase", properties, frozenset(common))


def _common(name: str, kind: str, shared: bool) -> dict[str, Any]:
    return {
        "Description": label(None),
        "DisplayName": label(name),
        "ExternalTypeName": None,
        "HasChanged": None,
        "IntroducedVersion": "1.0",
        "IsCustomOptionSet": is_custom(name),
        "IsCustomizable": managed(True, "iscustomizable"),
        "IsGlobal": shared,
        "IsManaged": True,
        "MetadataId": metadata_id(f"option set {name}"),
        "Name": name,
        "OptionSetType": kind,
    }


def _option(option: Option) -> dict[str, Any]:
    return {
        "Value": option.value,
        "Color": None,
        "ExternalValue": "",
        "HasChanged": None,
        "IsHidden": False,
        "IsManaged": True,
        "MetadataId": None,
        "ParentValues": [],
        "Tag": None,
        "Label": label(option.label),
        "Description": label(None),
    }


def _of_state(kind: str, option: Option) -> dict[str, Any]:
    """What options of a state and of a status reason say more.

    Which reason belongs to which state is public for 1 and 2 alone; others count as active here [?].
    """
    namespace = "#Microsoft.Dynamics.CRM"
    if kind == "State":
        default = _INACTIVE_REASON if option.value == 1 else 1
        return {
            "@odata.type": f"{namespace}.StateOptionMetadata",
            "DefaultStatus": default,
            "InvariantName": option.label,
        }
    if kind == "Status":
        return {
            "@odata.type": f"{namespace}.StatusOptionMetadata",
            "State": int(option.value == _INACTIVE_REASON),
            "TransitionData": None,
        }
    return {}
