"""The files of a data package: data, manifest and header (protocol 2.2 [L])."""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from sandbox.schema.model import Column, ColumnType, Table

NAMESPACE = "http://schemas.microsoft.com/dynamics/2015/01/DataManagement"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Row = Mapping[Any, Any]


@dataclass(frozen=True, slots=True)
class DataFile:
    """One entity in a package.

    Attributes:
        entity: DMF name of the entity, which is its label.
        table: Its entity set.
        source_format: `CSV-Unicode`, `CSV` or `XML-Element`.
        refresh_type: As the definition group has it.
        place: Execution unit, level in it, sequence in the level.
        content: The file.
    """

    entity: str
    table: Table
    source_format: str
    refresh_type: str
    place: tuple[int, int, int]
    content: bytes

    @property
    def name(self) -> str:
        """Name of the file in the package."""
        return f"{self.entity}.{'xml' if self.source_format == 'XML-Element' else 'csv'}"


def file_columns(table: Table) -> tuple[Column, ...]:
    """The columns of a data file: all but dataAreaId, since an export is of one company anyway [?]."""
    return tuple(column for column in table.columns.values() if column.name != "dataAreaId")


def render_file(table: Table, source_format: str, rows: Iterable[Row]) -> bytes:
    """The rows of an entity as a data file, columns in upper case.

    Raises:
        KeyError: The format is not one of `SOURCE_FORMATS`.
    """
    return SOURCE_FORMATS[source_format](table, rows)


def render_package(group: str, description: str, files: Sequence[DataFile]) -> bytes:
    """The zip: `Manifest.xml`, `PackageHeader.xml` and the data files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("PackageHeader.xml", _header(group, description))
        package.writestr("Manifest.xml", _manifest(group, description, files))
        for file in files:
            package.writestr(file.name, file.content)
    return buffer.getvalue()


def _csv_text(table: Table, rows: Iterable[Row]) -> str:
    """CRLF lines, values quoted where they need it, time stamps as `2026-10-31 12:00:00` in UTC [?]."""
    columns = file_columns(table)
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([column.name.upper() for column in columns])
    writer.writerows([_csv_value(column, row[column.name]) for column in columns] for row in rows)
    return buffer.getvalue()


def _csv_value(column: Column, value: Any) -> str:
    if column.type is ColumnType.DATETIME:
        return str(value).replace("T", " ").removesuffix("Z")
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _csv_unicode(table: Table, rows: Iterable[Row]) -> bytes:
    """UTF-16LE with a byte order mark, which is what CSV-Unicode means [L]."""
    return ("\ufeff" + _csv_text(table, rows)).encode("utf-16-le")


def _csv_utf8(table: Table, rows: Iterable[Row]) -> bytes:
    return _csv_text(table, rows).encode("utf-8-sig")


def _xml_element(table: Table, rows: Iterable[Row]) -> bytes:
    columns, element = file_columns(table), f"{table.entity_type.upper()}ENTITY"
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<Document>"]
    for row in rows:
        values = "".join(_xml_value(column, row[column.name]) for column in columns)
        lines.append(f"<{element}>{values}</{element}>")
    return "\n".join([*lines, "</Document>", ""]).encode()


def _xml_value(column: Column, value: Any) -> str:
    """One element; a carriage return is escaped so that it survives, a character that XML lacks does not."""
    name = column.name.upper()
    text = escape(_NOT_XML.sub("\ufffd", _text(value)), {"\r": "&#13;"})
    return f"<{name}>{text}</{name}>"


SOURCE_FORMATS: Mapping[str, Callable[[Table, Iterable[Row]], bytes]] = {
    "CSV-Unicode": _csv_unicode,
    "CSV": _csv_utf8,
    "XML-Element": _xml_element,
}


def _header(group: str, description: str) -> bytes:
    root = ElementTree.Element(f"{{{NAMESPACE}}}DataManagementPackageHeader")
    _add(root, "Description", description or group)
    _add(
        root,
        "ManifestType",
        "Microsoft.Dynamics.AX.Framework.Tools.DataManagement.Serialization.DataManagementPackageManifest",
    )
    _add(root, "PackageType", "DefinitionGroup")
    _add(root, "PackageVersion", "2")
    return _document(root)


def _manifest(group: str, description: str, files: Sequence[DataFile]) -> bytes:
    root = ElementTree.Element(f"{{{NAMESPACE}}}DataManagementPackageManifest")
    _add(root, "DefinitionGroupName", group)
    _add(root, "Description", description or group)
    entities = _add(root, "PackageEntityList")
    for file in files:
        _manifest_entity(_add(entities, "DataManagementPackageEntityData"), file)
    return _document(root)


def _manifest_entity(parent: ElementTree.Element, file: DataFile) -> None:
    unit, level, sequence = file.place
    _add(parent, "DefaultRefreshType", file.refresh_type)
    maps = _add(parent, "EntityMapList")
    for column in file_columns(file.table):
        entry = _add(maps, "EntityMap")
        _add(entry, "EntityField", column.name.upper())
        _add(entry, "XMLField", column.name.upper())
    _add(parent, "EntityName", file.entity)
    _add(parent, "ExecutionUnit", str(unit))
    _add(parent, "InputFilePath", file.name)
    _add(parent, "LevelInExecutionUnit", str(level))
    _add(parent, "SequenceInLevel", str(sequence))
    _add(parent, "SkipStaging", "No")
    _add(parent, "SourceFormat", file.source_format)


def _add(parent: ElementTree.Element, name: str, text: str | None = None) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    child.text = text
    return child


def _document(root: ElementTree.Element) -> bytes:
    ElementTree.register_namespace("", NAMESPACE)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text
