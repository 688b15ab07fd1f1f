"""`Manifest.xml` and `PackageHeader.xml`: what is in a package (protocol 2.2 [L])."""

from dataclasses import dataclass
from xml.etree import ElementTree

from sandbox.safe_xml import UnsafeXmlError, parse_xml

NAMESPACE = "http://schemas.microsoft.com/dynamics/2015/01/DataManagement"
_KIND = "Microsoft.Dynamics.AX.Framework.Tools.DataManagement.Serialization.DataManagementPackageManifest"
_YES = frozenset({"yes", "true", "1"})


class ManifestError(Exception):
    """A manifest or a header that is not in the form which data management reads."""


@dataclass(frozen=True, slots=True)
class EntityFile:
    """One entity of a package.

    Attributes:
        entity: Data management's name of the entity, which is its label.
        file: Name of the data file in the package.
        source_format: Name of its format.
        fields: The mapping: entity field and the column or element that holds it.
        place: Execution unit, level in it, sequence in the level.
        refresh_type: As the definition group has it.
        skip_staging: Whether rows go to the target at once.
        disabled: Whether the entity is left out.
        stops_unit: Whether an error keeps what follows in the execution unit from running.
    """

    entity: str
    file: str
    source_format: str
    fields: tuple[tuple[str, str], ...]
    place: tuple[int, int, int] = (0, 0, 0)
    refresh_type: str = ""
    skip_staging: bool = False
    disabled: bool = False
    stops_unit: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a package holds.

    Attributes:
        group: Name of the definition group.
        description: Of the group.
        entities: In the order of the file.
    """

    group: str
    description: str
    entities: tuple[EntityFile, ...]


def render_header(manifest: Manifest) -> bytes:
    """Write `PackageHeader.xml`."""
    root = ElementTree.Element(f"{{{NAMESPACE}}}DataManagementPackageHeader")
    _add(root, "Description", manifest.description or manifest.group)
    _add(root, "ManifestType", _KIND)
    _add(root, "PackageType", "DefinitionGroup")
    _add(root, "PackageVersion", "2")
    return _document(root)


def render_manifest(manifest: Manifest) -> bytes:
    """Write `Manifest.xml`."""
    root = ElementTree.Element(f"{{{NAMESPACE}}}DataManagementPackageManifest")
    _add(root, "DefinitionGroupName", manifest.group)
    _add(root, "Description", manifest.description or manifest.group)
    entities = _add(root, "PackageEntityList")
    for entity in manifest.entities:
        _add_entity(_add(entities, "DataManagementPackageEntityData"), entity)
    return _document(root)


def check_header(data: bytes) -> None:
    """Refuse a `PackageHeader.xml` of another kind of package.

    Raises:
        ManifestError: It is not the header of a definition group's package.
    """
    root = _root(data, "PackageHeader.xml", "DataManagementPackageHeader")
    kind, version = _text(root, "PackageType"), _text(root, "PackageVersion")
    if (kind, version) != ("DefinitionGroup", "2"):
        raise ManifestError(
            f"PackageHeader.xml is of type '{kind}' and version '{version}': it must be DefinitionGroup, 2."
        )


def read_manifest(data: bytes) -> Manifest:
    """Read `Manifest.xml`; elements that are not known are passed over.

    Raises:
        ManifestError: It is no manifest, of another namespace, or a number is none.
    """
    root = _root(data, "Manifest.xml", "DataManagementPackageManifest")
    entities = [
        _entity(each)
        for each in root.findall(f"{_q('PackageEntityList')}/{_q('DataManagementPackageEntityData')}")
    ]
    return Manifest(_text(root, "DefinitionGroupName"), _text(root, "Description"), tuple(entities))


def _root(data: bytes, file: str, name: str) -> ElementTree.Element:
    try:
        root = parse_xml(data)
    except UnsafeXmlError as problem:
        raise ManifestError(f"{file} cannot be read. {problem}") from None
    if root.tag != _q(name):
        raise ManifestError(f"{file} must have the root element {name} of the namespace {NAMESPACE}.")
    return root


def _entity(element: ElementTree.Element) -> EntityFile:
    maps = element.findall(f"{_q('EntityMapList')}/{_q('EntityMap')}")
    flags = ("FailLevelOnError", "FailExecutionUnitOnError")
    return EntityFile(
        entity=_text(element, "EntityName"),
        file=_text(element, "InputFilePath"),
        source_format=_text(element, "SourceFormat"),
        fields=tuple((_text(each, "EntityField"), _text(each, "XMLField")) for each in maps),
        place=(
            _number(element, "ExecutionUnit"),
            _number(element, "LevelInExecutionUnit"),
            _number(element, "SequenceInLevel"),
        ),
        refresh_type=_text(element, "DefaultRefreshType"),
        skip_staging=_flag(element, "SkipStaging"),
        disabled=_flag(element, "Disable"),
        stops_unit=any(_flag(element, name) for name in flags),
    )


def _number(element: ElementTree.Element, name: str) -> int:
    text = _text(element, name) or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ManifestError(f"Manifest.xml: {name} must be a whole number, not '{text[:50]}'.")
    return int(text)


def _flag(element: ElementTree.Element, name: str) -> bool:
    """Yes as `Yes`, `true` or `1`: packages of live systems and of other tools differ [L]."""
    return _text(element, name).lower() in _YES


def _text(element: ElementTree.Element, name: str) -> str:
    return (element.findtext(_q(name)) or "").strip()


def _q(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _add_entity(parent: ElementTree.Element, entity: EntityFile) -> None:
    unit, level, sequence = entity.place
    _add(parent, "DefaultRefreshType", entity.refresh_type)
    _add(parent, "Disable", _yes_no(entity.disabled))
    maps = _add(parent, "EntityMapList")
    for entity_field, column in entity.fields:
        entry = _add(maps, "EntityMap")
        _add(entry, "EntityField", entity_field)
        _add(entry, "XMLField", column)
    _add(parent, "EntityName", entity.entity)
    _add(parent, "ExecutionUnit", str(unit))
    _add(parent, "InputFilePath", entity.file)
    _add(parent, "LevelInExecutionUnit", str(level))
    _add(parent, "SequenceInLevel", str(sequence))
    _add(parent, "SkipStaging", _yes_no(entity.skip_staging))
    _add(parent, "SourceFormat", entity.source_format)


def _yes_no(flag: bool) -> str:
    return "Yes" if flag else "No"


def _add(parent: ElementTree.Element, name: str, text: str | None = None) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, _q(name))
    child.text = text
    return child


def _document(root: ElementTree.Element) -> bytes:
    ElementTree.register_namespace("", NAMESPACE)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text
