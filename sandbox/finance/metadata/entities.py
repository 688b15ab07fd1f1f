"""DataEntities, PublicEntities and PublicEnumerations: properties and their names as seen live [L]."""

from collections.abc import Mapping
from typing import Any

from sandbox.finance.catalog import NAMESPACE, READ_ONLY_SETS, inner_name
from sandbox.finance.metadata.actions import ActionDescription, actions_of
from sandbox.finance.metadata.categories import category_of
from sandbox.finance.metadata.labels import entity_label, enum_label, property_label
from sandbox.finance.metadata.types import data_type, edm_type
from sandbox.finance.navigation import NavigationProperty, navigation_properties
from sandbox.schema.model import Column, Option, Table

_CONSTRAINT = "#Microsoft.Dynamics.Metadata.ReferentialConstraint"


def data_entity(table: Table) -> dict[str, Any]:
    """Return an element of `DataEntities`."""
    return {
        "Name": inner_name(table),
        "PublicEntityName": table.entity_type,
        "PublicCollectionName": table.entity_set,
        "LabelId": entity_label(table),
        "DataServiceEnabled": True,
        "DataManagementEnabled": True,
        "EntityCategory": category_of(table.name),
        "IsReadOnly": table.name in READ_ONLY_SETS,
    }


def public_entity(sets: Mapping[str, Table], table: Table) -> dict[str, Any]:
    """Return an element of `PublicEntities`."""
    return {
        "Name": table.entity_type,
        "EntitySetName": table.entity_set,
        "LabelId": entity_label(table),
        "IsReadOnly": table.name in READ_ONLY_SETS,
        "ConfigurationEnabled": True,
        "Properties": [_property(table, column) for column in table.columns.values()],
        "NavigationProperties": [
            _navigation(sets, way) for way in navigation_properties(sets, table).values()
        ],
        "PropertyGroups": [],
        "Actions": [_action(table, action) for action in actions_of(table.name)],
    }


def public_enumeration(name: str, options: tuple[Option, ...]) -> dict[str, Any]:
    """Return an element of `PublicEnumerations`."""
    members = [
        {
            "Name": option.label,
            "LabelId": enum_label(name, option.label),
            "Value": option.value,
            "ConfigurationEnabled": True,
        }
        for option in options
    ]
    return {"Name": name, "LabelId": enum_label(name), "Members": members}


def _property(table: Table, column: Column) -> dict[str, Any]:
    key = column.name in table.keys[0]
    editable = not column.read_only and table.name not in READ_ONLY_SETS
    return {
        "Name": column.name,
        "TypeName": edm_type(column),
        "DataType": data_type(column),
        "LabelId": property_label(column.name),
        "IsKey": key,
        "IsMandatory": key or column.required,
        "ConfigurationEnabled": True,
        "AllowEdit": editable and not key,
        "AllowEditOnCreate": editable,
        "IsDimension": False,
        "DimensionRelation": None,
        "IsDynamicDimension": False,
        "DimensionLegalEntityProperty": None,
        "DimensionTypeProperty": None,
    }


def _navigation(sets: Mapping[str, Table], way: NavigationProperty) -> dict[str, Any]:
    constraints = [
        {"@odata.type": _CONSTRAINT, "Property": ours, "ReferencedProperty": theirs}
        for ours, theirs in way.pairs
    ]
    return {
        "Name": way.name,
        "RelatedEntity": sets[way.target].entity_type,
        "RelatedRelationName": way.partner,
        "Cardinality": "Multiple" if way.collection else "Single",
        "Constraints": constraints,
    }


def _action(table: Table, action: ActionDescription) -> dict[str, Any]:
    binding = {"TypeName": f"{NAMESPACE}.{table.entity_type}", "IsCollection": action.on_set}
    parameters = [{"Name": table.entity_type, "Type": binding}]
    parameters += [
        {"Name": name, "Type": {"TypeName": kind, "IsCollection": False}}
        for name, kind in action.parameters.items()
    ]
    returns = None
    if action.returns is not None:
        inner = action.returns.removeprefix("Collection(").removesuffix(")")
        returns = {"TypeName": inner, "IsCollection": inner != action.returns}
    return {
        "Name": action.name,
        "BindingKind": "BoundToEntitySet" if action.on_set else "BoundToEntityInstance",
        "Parameters": parameters,
        "ReturnType": returns,
        "FieldLookup": None,
    }
