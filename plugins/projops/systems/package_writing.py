"""Writing a data package of one entity: manifest, header, and rows as CSV in Unicode.

What live systems insist on [L]: the namespace; a mapping of each field, else nothing is imported and
called a success; data management's name of the entity; UTF-16LE with a byte order mark; CR LF.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from xml.etree import ElementTree

import pyarrow as pa

from projops.systems.properties import Form, Property
from projops.systems.quoting import decimal_text, finance_date_text, instant_text

SOURCE_FORMAT = "CSV-Unicode"
_NAMESPACE = "http://schemas.microsoft.com/dynamics/2015/01/DataManagement"
_KIND = "Microsoft.Dynamics.AX.Framework.Tools.DataManagement.Serialization.DataManagementPackageManifest"
_DATA_FILE = "rows.csv"
# Rows of texts shrink to a tenth at the lowest level already.
_LEVEL = 1


@dataclass(frozen=True, slots=True)
class DataFile:
    """Rows of one entity and one company.

    Attributes:
        group: Definition group, which the import makes or changes.
        entity: Data management's name of the entity, which is its label [L].
        columns: What each row names, the entity key among it; without dataAreaId, since a package is of
            one company.
        rows: Texts in the order of the columns, as `cell` gives them.
    """

    group: str
    entity: str
    columns: Sequence[str]
    rows: Iterable[Sequence[str]]


def cell(value: object) -> str:
    """Write a value as data files hold it; nothing is an empty text, which is the blank of any type.

    Numbers have a point and all their digits, time stamps are UTC without saying so, as exports write
    them [?], a day has noon; enums are symbols.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, datetime):
        return _without_zone(instant_text(value))
    return _without_zone(finance_date_text(value)) if isinstance(value, date) else repr(value)


def is_left_out(column: Property, value: object) -> bool:
    """Say whether a row does not name a column at all: an enum has no text that says nothing."""
    return value is None and (column.form is Form.ENUM or pa.types.is_boolean(column.type))


def write_package(data: DataFile) -> bytes:
    """Write a package as a zip."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as zipped:
        zipped.writestr("PackageHeader.xml", _header(data))
        zipped.writestr("Manifest.xml", _manifest(data))
        zipped.writestr(_DATA_FILE, _csv(data))
    return package.getvalue()


def _csv(data: DataFile) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_headers(data))
    writer.writerows(data.rows)
    return "\ufeff".encode("utf-16-le") + text.getvalue().encode("utf-16-le")


def _header(data: DataFile) -> bytes:
    root = ElementTree.Element(_name("DataManagementPackageHeader"))
    _add(root, "Description", data.group)
    _add(root, "ManifestType", _KIND)
    _add(root, "PackageType", "DefinitionGroup")
    _add(root, "PackageVersion", "2")
    return _document(root)


def _manifest(data: DataFile) -> bytes:
    root = ElementTree.Element(_name("DataManagementPackageManifest"))
    _add(root, "DefinitionGroupName", data.group)
    _add(root, "Description", data.group)
    entity = _add(_add(root, "PackageEntityList"), "DataManagementPackageEntityData")
    _add(entity, "DefaultRefreshType", "FullPushOnly")
    _add(entity, "Disable", "No")
    mapping = _add(entity, "EntityMapList")
    for name in _headers(data):
        field = _add(mapping, "EntityMap")
        _add(field, "EntityField", name)
        _add(field, "XMLField", name)
    _add(entity, "EntityName", data.entity)
    _add(entity, "ExecutionUnit", "1")
    _add(entity, "InputFilePath", _DATA_FILE)
    _add(entity, "LevelInExecutionUnit", "1")
    _add(entity, "SequenceInLevel", "1")
    _add(entity, "SkipStaging", "No")  # staging finds what is no value, row by row
    _add(entity, "SourceFormat", SOURCE_FORMAT)
    return _document(root)


def _headers(data: DataFile) -> list[str]:
    return [name.upper() for name in data.columns]


def _add(parent: ElementTree.Element, name: str, text: str | None = None) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, _name(name))
    child.text = text
    return child


def _name(name: str) -> str:
    return f"{{{_NAMESPACE}}}{name}"


def _document(root: ElementTree.Element) -> bytes:
    text: bytes = ElementTree.tostring(
        root, encoding="utf-8", xml_declaration=True, default_namespace=_NAMESPACE
    )
    return text


def _without_zone(text: str) -> str:
    return text.replace("T", " ").removesuffix("Z")
