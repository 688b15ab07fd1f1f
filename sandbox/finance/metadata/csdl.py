"""`GET /data/$metadata`: the entity sets as CSDL 4.0, once a process."""

from collections.abc import Iterator, Mapping
from xml.etree import ElementTree as ET

from sandbox.finance.catalog import NAMESPACE
from sandbox.finance.metadata.actions import ACTIONS, ActionDescription
from sandbox.finance.metadata.types import edm_type, enums
from sandbox.finance.navigation import NavigationProperty, navigation_properties
from sandbox.odata.csdl import document, element, key_element, operation_element, property_element
from sandbox.schema.model import Table

_documents: dict[frozenset[str], bytes] = {}


def csdl(sets: Mapping[str, Table]) -> bytes:
    """Return the document of these entity sets; it is made once, since what a set holds never changes."""
    names = frozenset(sets)
    if names not in _documents:
        _documents[names] = document({"Namespace": NAMESPACE}, _content(sets), {})
    return _documents[names]


def _content(sets: Mapping[str, Table]) -> Iterator[ET.Element]:
    for name, options in enums(sets.values()).items():
        members = (element("Member", {"Name": it.label, "Value": str(it.value)}) for it in options)
        yield element("EnumType", {"Name": name}, members)
    for table in sets.values():
        yield _entity_type(sets, table)
    for action in ACTIONS:
        yield _action(sets[action.entity_set], action)
    container = [_entity_set(sets, table) for table in sets.values()]
    yield element("EntityContainer", {"Name": "Resources"}, container)


def _entity_type(sets: Mapping[str, Table], table: Table) -> ET.Element:
    key = table.keys[0]
    parts = [key_element(key)]
    for name, column in table.columns.items():
        nullable = column.nullable and name not in key
        parts.append(property_element(name, edm_type(column), nullable=nullable))
    parts += (_navigation(sets, way) for way in navigation_properties(sets, table).values())
    return element("EntityType", {"Name": table.entity_type}, parts)


def _navigation(sets: Mapping[str, Table], way: NavigationProperty) -> ET.Element:
    target = f"{NAMESPACE}.{sets[way.target].entity_type}"
    constraints = (
        element("ReferentialConstraint", {"Property": ours, "ReferencedProperty": theirs})
        for ours, theirs in way.pairs
    )
    return element(
        "NavigationProperty",
        {
            "Name": way.name,
            "Type": f"Collection({target})" if way.collection else target,
            "Partner": way.partner,
        },
        () if way.collection else constraints,
    )


def _action(table: Table, action: ActionDescription) -> ET.Element:
    kind = f"{NAMESPACE}.{table.entity_type}"
    binding = {table.entity_type: f"Collection({kind})" if action.on_set else kind}
    return operation_element(
        "Action", action.name, {**binding, **action.parameters}, action.returns, bound=True
    )


def _entity_set(sets: Mapping[str, Table], table: Table) -> ET.Element:
    bindings = (
        element("NavigationPropertyBinding", {"Path": way.name, "Target": way.target})
        for way in navigation_properties(sets, table).values()
    )
    kind = f"{NAMESPACE}.{table.entity_type}"
    return element("EntitySet", {"Name": table.name, "EntityType": kind}, bindings)
