"""Whether every name that a CSDL document uses leads to something: types, keys, partners, targets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
EDMX = "{http://docs.oasis-open.org/odata/ns/edmx}"
PRIMITIVES = frozenset(
    f"Edm.{name}"
    for name in "Binary Boolean Byte Date DateTimeOffset Decimal Double Guid Int16 Int32 Int64 String".split()
)


@dataclass(frozen=True)
class Document:
    """A document with one schema.

    Attributes:
        schema: Its element.
        types: Entity, complex and enum types by full name, under the namespace and under its alias.
    """

    schema: ET.Element
    types: Mapping[str, ET.Element]

    def entity_type(self, name: str) -> ET.Element:
        return self.types[f"{self.schema.get('Namespace')}.{name}"]

    def entity_set(self, name: str) -> ET.Element:
        found = self.schema.find(f"{EDM}EntityContainer/{EDM}EntitySet[@Name='{name}']")
        assert found is not None, name
        return found


def read_csdl(body: bytes) -> Document:
    root = ET.fromstring(body)
    assert (root.tag, root.get("Version")) == (f"{EDMX}Edmx", "4.0")
    [schema] = root.findall(f"{EDMX}DataServices/{EDM}Schema")
    owners = [name for name in (schema.get("Namespace"), schema.get("Alias")) if name]
    tags = [f"{EDM}{kind}" for kind in ("EntityType", "ComplexType", "EnumType")]
    declared = [child for child in schema if child.tag in tags]
    assert len({child.get("Name") for child in declared}) == len(declared), "a type is declared twice"
    return Document(schema, {f"{owner}.{child.get('Name')}": child for owner in owners for child in declared})


def dangling(document: Document) -> list[str]:
    """Return what leads nowhere, a sentence each."""
    return [
        *_untyped(document),
        *(
            wrong
            for kind in document.schema.findall(f"{EDM}EntityType")
            for wrong in _of_entity(document, kind)
        ),
        *(wrong for one in document.schema.iter(f"{EDM}EntitySet") for wrong in _of_set(document, one)),
        *_of_imports(document),
    ]


def _inner(kind: str) -> str:
    return kind.removeprefix("Collection(").removesuffix(")")


def _untyped(document: Document) -> Iterator[str]:
    for each in document.schema.iter():
        for attribute in ("Type", "BaseType", "EntityType"):
            kind = each.get(attribute)
            if kind and each.tag != f"{EDM}Record" and _inner(kind) not in {*PRIMITIVES, *document.types}:
                yield f"{each.tag} {each.get('Name')}: no type {kind}"


def _named(entity: ET.Element, tag: str) -> dict[str, ET.Element]:
    return {each.attrib["Name"]: each for each in entity.findall(f"{EDM}{tag}")}


def _of_entity(document: Document, entity: ET.Element) -> Iterator[str]:
    name, properties = entity.get("Name"), _named(entity, "Property")
    ways = _named(entity, "NavigationProperty")
    if len(properties) + len(ways) != len({*properties, *ways}):
        yield f"{name} has two properties of one name"
    if entity.get("Abstract") != "true" and not entity.findall(f"{EDM}Key/{EDM}PropertyRef"):
        yield f"{name} has no key"
    for part in entity.findall(f"{EDM}Key/{EDM}PropertyRef"):
        if part.get("Name") not in properties:
            yield f"{name}: its key names {part.get('Name')}"
    for way in ways.values():
        other = document.types[_inner(way.attrib["Type"])]
        back = _named(other, "NavigationProperty").get(way.get("Partner", ""))
        if back is None or back.get("Partner") != way.get("Name"):
            yield f"{name}.{way.get('Name')}: its partner {way.get('Partner')} does not lead back"
        for pair in way.findall(f"{EDM}ReferentialConstraint"):
            if pair.get("Property") not in properties:
                yield f"{name}.{way.get('Name')}: no property {pair.get('Property')}"
            if pair.get("ReferencedProperty") not in _named(other, "Property"):
                yield f"{name}.{way.get('Name')}: {pair.get('ReferencedProperty')} is not of the other type"


def _of_set(document: Document, entity_set: ET.Element) -> Iterator[str]:
    ways = _named(document.types[entity_set.attrib["EntityType"]], "NavigationProperty")
    for binding in entity_set.findall(f"{EDM}NavigationPropertyBinding"):
        path, target = binding.attrib["Path"], binding.attrib["Target"]
        expected = _inner(ways[path].attrib["Type"]) if path in ways else None
        if expected is None or document.entity_set(target).get("EntityType") != expected:
            yield f"{entity_set.get('Name')}: {path} is not bound to rows of {target}"


def _of_imports(document: Document) -> Iterator[str]:
    for tag in ("Action", "Function"):
        declared = {each.get("Name") for each in document.schema.findall(f"{EDM}{tag}")}
        for each in document.schema.iter(f"{EDM}{tag}Import"):
            if each.attrib[tag].rpartition(".")[2] not in declared:
                yield f"{tag}Import {each.get('Name')} leads nowhere"
