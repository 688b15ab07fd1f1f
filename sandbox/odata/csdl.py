"""CSDL 4.0, the XML in which both systems describe their entity sets."""

from collections.abc import Iterable, Iterator, Mapping
from xml.etree import ElementTree as ET

from sandbox.schema.model import ColumnType

EDM_TYPES: Mapping[ColumnType, str] = {
    ColumnType.STRING: "Edm.String",
    ColumnType.MEMO: "Edm.String",
    ColumnType.GUID: "Edm.Guid",
    ColumnType.LOOKUP: "Edm.Guid",
    ColumnType.INTEGER: "Edm.Int32",
    ColumnType.OPTION: "Edm.Int32",
    ColumnType.MULTI_OPTION: "Edm.String",
    ColumnType.BIGINT: "Edm.Int64",
    ColumnType.DECIMAL: "Edm.Decimal",
    ColumnType.MONEY: "Edm.Decimal",
    ColumnType.DOUBLE: "Edm.Double",
    ColumnType.BOOLEAN: "Edm.Boolean",
    ColumnType.DATETIME: "Edm.DateTimeOffset",
    ColumnType.DATE: "Edm.Date",
}
_EDMX = "http://docs.oasis-open.org/odata/ns/edmx"
_EDM = "http://docs.oasis-open.org/odata/ns/edm"


def element(
    tag: str, attributes: Mapping[str, str | None], children: Iterable[ET.Element] = ()
) -> ET.Element:
    """Return an element; attributes that are None are left out."""
    made = ET.Element(tag, {name: value for name, value in attributes.items() if value is not None})
    made.extend(children)
    return made


def property_element(name: str, kind: str, *, nullable: bool = True) -> ET.Element:
    """Return a Property; decimals keep as many digits as they have."""
    return element(
        "Property",
        {
            "Name": name,
            "Type": kind,
            "Nullable": None if nullable else "false",
            "Scale": "variable" if kind == "Edm.Decimal" else None,
        },
    )


def key_element(names: Iterable[str]) -> ET.Element:
    """Return the Key of an entity type."""
    return element("Key", {}, (element("PropertyRef", {"Name": name}) for name in names))


def operation_element(
    tag: str, name: str, parameters: Mapping[str, str], returns: str | None, *, bound: bool = False
) -> ET.Element:
    """Return an Action or Function; where it is bound, its first parameter says to what."""
    parts = [element("Parameter", {"Name": each, "Type": kind}) for each, kind in parameters.items()]
    if returns is not None:
        parts.append(element("ReturnType", {"Type": returns}))
    return element(tag, {"Name": name, "IsBound": "true" if bound else None}, parts)


def document(
    schema: Mapping[str, str], content: Iterable[ET.Element], vocabularies: Mapping[str, str]
) -> bytes:
    """Return the whole document.

    Args:
        schema: Attributes of its one schema: `Namespace`, perhaps `Alias`.
        content: What the schema holds.
        vocabularies: Addresses of the vocabularies whose terms it uses, by namespace.
    """
    services = element("edmx:DataServices", {}, [element("Schema", {**schema, "xmlns": _EDM}, content)])
    root = element(
        "edmx:Edmx", {"Version": "4.0", "xmlns:edmx": _EDMX}, [*_references(vocabularies), services]
    )
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _references(vocabularies: Mapping[str, str]) -> Iterator[ET.Element]:
    for namespace, address in vocabularies.items():
        yield element("edmx:Reference", {"Uri": address}, [element("edmx:Include", {"Namespace": namespace})])
