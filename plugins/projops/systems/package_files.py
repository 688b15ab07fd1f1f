"""Reading a data package: zip, manifest, and one data file as Arrow, in constant memory.

A package comes from outside: names never reach a path, sizes and ratios are bounded, XML may not
declare anything.
"""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from projops.errors import ProtocolError
from projops.mapping.model import System
from projops.systems.properties import Property
from projops.systems.safe_xml import XmlRows, parse_xml
from projops.systems.wire_values import typed_texts

_NAMESPACE = "{http://schemas.microsoft.com/dynamics/2015/01/DataManagement}"
_MANIFEST = "Manifest.xml"
_LARGEST_MANIFEST = 16 * 1024 * 1024
LARGEST_FILE = 8 * 1024 * 1024 * 1024
_HIGHEST_RATIO = 500  # rows of empty columns in UTF-16 come to about 100
_MOST_FILES = 1000  # a group of ours exports one entity
_ROWS_A_BATCH = 10_000
_CSV_BLOCK = 4 * 1024 * 1024  # no row may be longer
_XML_PIECE = 256 * 1024
_LOCAL_TIME = r"^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d+)?)$"
_REMEDY = "Nothing of it was taken; ask for the export again."


@dataclass(frozen=True, slots=True)
class Columns:
    """What to take from a data file.

    Attributes:
        properties: Columns; their headers are upper case [L] and compared without case.
        given: Values of columns that files leave out, such as dataAreaId: an export is of one company.
    """

    properties: Sequence[Property]
    given: Mapping[str, str]


def read_package(package: BinaryIO, entity: str, columns: Columns) -> Iterator[pa.RecordBatch]:
    """Read the rows of one entity.

    Args:
        package: The zip, seekable.
        entity: Data management's name of the entity.
        columns: What to take.

    Yields:
        Batches as of `decoding.Page.batch`: `_id` and `_version` (null), then the columns, typed, with
        Finance's null convention applied.

    Raises:
        ProtocolError: It is no package, unsafe, without this entity, or a value has the wrong type.
    """
    try:
        with zipfile.ZipFile(package) as zipped:
            _refuse_bombs(zipped)
            name = _data_file(zipped, entity)
            if name is not None:
                for texts in _texts(zipped, name, _headers(columns)):
                    yield _typed(texts, columns, name)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as problem:
        raise _bad(f"The package of {entity} is no readable zip ({type(problem).__name__}).") from None


def _refuse_bombs(zipped: zipfile.ZipFile) -> None:
    if len(zipped.infolist()) > _MOST_FILES:
        raise _bad(f"The package holds {len(zipped.infolist())} files.")
    for entry in zipped.infolist():
        inflated = entry.file_size > 1024 * 1024 and entry.file_size > _HIGHEST_RATIO * entry.compress_size
        if entry.file_size > LARGEST_FILE or inflated:
            raise _bad(f"The package holds a file that grows to {entry.file_size} bytes.")
        if entry.flag_bits & 0x1:
            raise _bad("The package is encrypted.")


def _data_file(zipped: zipfile.ZipFile, entity: str) -> str | None:
    """Find the entity's file by the manifest; None where nothing was exported."""
    names = zipped.namelist()
    if _MANIFEST not in names or zipped.getinfo(_MANIFEST).file_size > _LARGEST_MANIFEST:
        raise _bad(f"The package has no {_MANIFEST} of a sensible size.")
    root = parse_xml(zipped.read(_MANIFEST))
    for entry in root.iter(f"{_NAMESPACE}DataManagementPackageEntityData"):
        if (entry.findtext(f"{_NAMESPACE}EntityName") or "").casefold() == entity.casefold():
            name = entry.findtext(f"{_NAMESPACE}InputFilePath") or ""
            if not name or name.startswith("/") or any(part in name for part in ("\\", "..", ":", "\x00")):
                raise _bad(f"The manifest names an unsafe file for {entity}.")
            return name if name in names else None
    raise _bad(f"The package does not hold the entity {entity}.")


def _headers(columns: Columns) -> list[str]:
    return [column.name.upper() for column in columns.properties if column.name not in columns.given]


def _texts(zipped: zipfile.ZipFile, name: str, wanted: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Give the wanted columns as texts, under their upper-case names."""
    if name.lower().endswith(".xml"):
        return _xml_texts(zipped, name, wanted)
    return _csv_texts(zipped, name, wanted)


def _csv_texts(zipped: zipfile.ZipFile, name: str, wanted: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Read CSV: UTF-16 with a byte order mark (CSV-Unicode [L]), else UTF-8."""
    with zipped.open(name) as file:
        encoding = "utf-16" if file.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    try:
        header, has_rows = _csv_start(zipped, name, encoding)
        missing = sorted(set(wanted) - set(header))
        if header and missing:
            raise _bad(f"The file {name} lacks the columns {', '.join(missing)}.")
        if has_rows:
            with zipped.open(name) as file:
                yield from _csv_reader(file, encoding, header, wanted)
    except (pa.ArrowInvalid, UnicodeError, csv.Error):
        raise _bad(f"The file {name} is no CSV that can be read.") from None


def _csv_start(zipped: zipfile.ZipFile, name: str, encoding: str) -> tuple[list[str], bool]:
    """Give the header in upper case, and whether anything follows it."""
    with zipped.open(name) as file, io.TextIOWrapper(file, encoding, newline="") as text:
        header = [each.removeprefix("\ufeff").strip().upper() for each in next(csv.reader(text), [])]
        return header, text.read(1) != ""


def _csv_reader(
    file: IO[bytes], encoding: str, header: Sequence[str], wanted: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    yield from arrow_csv.open_csv(
        pa.PythonFile(file, mode="r"),
        read_options=arrow_csv.ReadOptions(
            column_names=list(header), skip_rows=1, encoding=encoding, block_size=_CSV_BLOCK
        ),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(wanted, pa.string()),
            include_columns=list(wanted),
            strings_can_be_null=False,
        ),
    )


def _xml_texts(zipped: zipfile.ZipFile, name: str, wanted: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Read `<Document><ENTITY><COLUMN>text</COLUMN>...`; an element that is left out is an empty text."""
    reader = XmlRows()
    with zipped.open(name) as file:
        while piece := file.read(_XML_PIECE):
            reader.feed(piece)
            if len(reader.rows) >= _ROWS_A_BATCH:
                yield _of_texts(reader.taken(), wanted)
        reader.close()
    yield _of_texts(reader.taken(), wanted)


def _of_texts(rows: Sequence[Mapping[str, str]], wanted: Sequence[str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {name: pa.array([row.get(name, "") for row in rows], pa.string()) for name in wanted}
    )


def _typed(texts: pa.RecordBatch, columns: Columns, name: str) -> pa.RecordBatch:
    nothing = pa.nulls(texts.num_rows, pa.string())
    typed: dict[str, pa.Array[Any]] = {"_id": nothing, "_version": nothing}
    for column in columns.properties:
        if column.name in columns.given:
            value = pa.scalar(columns.given[column.name], column.type)
            typed[column.name] = pa.repeat(value, texts.num_rows)
        else:
            typed[column.name] = _typed_column(texts.column(column.name.upper()), column, name)
    return pa.RecordBatch.from_pydict(typed)


def _typed_column(texts: pa.Array[Any], column: Property, name: str) -> pa.Array[Any]:
    if pa.types.is_timestamp(column.type):  # CSV writes UTC without saying so [?]
        texts = pc.replace_substring_regex(texts, _LOCAL_TIME, r"\1T\2Z")
    try:
        return typed_texts(System.FINANCE, column, texts)
    except pa.ArrowInvalid:
        raise _bad(f"The file {name} holds a value in {column.name} that is no {column.type}.") from None


def _bad(sentence: str) -> ProtocolError:
    return ProtocolError(sentence, remedy=_REMEDY)
