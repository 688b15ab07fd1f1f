"""Data files of packages: rows as text, and text in one of the source data formats (protocol 2.2 [L])."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from sandbox.schema.model import Column, ColumnType, Table

CSV_UNICODE, CSV, XML_ELEMENT = "CSV-Unicode", "CSV", "XML-Element"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ROWS_AT_ONCE = 1_000

Row = Mapping[Any, Any]


@dataclass(frozen=True, slots=True)
class Records:
    """Rows as texts.

    Attributes:
        element: Name of a row in XML.
        columns: Names, upper case.
        rows: Texts in the order of the columns.
    """

    element: str
    columns: Sequence[str]
    rows: Iterable[Sequence[str]]


def file_columns(table: Table) -> tuple[Column, ...]:
    """The columns of a data file: all but dataAreaId, since a package is of one company anyway [?]."""
    return tuple(column for column in table.columns.values() if column.name != "dataAreaId")


def element_name(table: Table) -> str:
    """Name of an entity's rows in XML."""
    return f"{table.entity_type.upper()}ENTITY"


def records_of(table: Table, source_format: str, rows: Iterable[Row]) -> Records:
    """Rows of an entity as texts: numbers have a point, time stamps in CSV are UTC without a zone [?]."""
    columns = file_columns(table)
    names = [column.name.upper() for column in columns]
    writers = [_text if source_format == XML_ELEMENT else _csv_writer(column) for column in columns]
    texts = (
        [write(row[column.name]) for write, column in zip(writers, columns, strict=True)] for row in rows
    )
    return Records(element_name(table), names, texts)


def render(source_format: str, records: Records) -> Iterator[bytes]:
    """Yield a data file in pieces.

    Raises:
        KeyError: The format is not one of `SOURCE_FORMATS`.
    """
    return SOURCE_FORMATS[source_format](records)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _csv_writer(column: Column) -> Callable[[Any], str]:
    return _csv_instant if column.type is ColumnType.DATETIME else _text


def _csv_instant(value: Any) -> str:
    return str(value).replace("T", " ").removesuffix("Z")


def _csv_texts(records: Records) -> Iterator[str]:
    """CRLF lines, values quoted where they need it."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(records.columns)
    for number, row in enumerate(records.rows, start=1):
        writer.writerow(row)
        if number % _ROWS_AT_ONCE == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _csv_unicode(records: Records) -> Iterator[bytes]:
    """UTF-16LE with a byte order mark, which is what CSV-Unicode means [L]."""
    yield "\ufeff".encode("utf-16-le")
    yield from (text.encode("utf-16-le") for text in _csv_texts(records))


def _csv_utf8(records: Records) -> Iterator[bytes]:
    yield "\ufeff".encode()
    yield from (text.encode() for text in _csv_texts(records))


def _xml_element(records: Records) -> Iterator[bytes]:
    yield b'<?xml version="1.0" encoding="utf-8"?>\n<Document>\n'
    for row in records.rows:
        values = "".join(map(_xml_value, records.columns, row))
        yield f"<{records.element}>{values}</{records.element}>\n".encode()
    yield b"</Document>\n"


def _xml_value(name: str, text: str) -> str:
    """One element; a carriage return is escaped so that it survives, a character that XML lacks does not."""
    return f"<{name}>{escape(_NOT_XML.sub(chr(0xFFFD), text), {chr(13): '&#13;'})}</{name}>"


SOURCE_FORMATS: Mapping[str, Callable[[Records], Iterator[bytes]]] = {
    CSV_UNICODE: _csv_unicode,
    CSV: _csv_utf8,
    XML_ELEMENT: _xml_element,
}


def file_suffix(source_format: str) -> str:
    """What the name of a data file ends with."""
    return ".xml" if source_format == XML_ELEMENT else ".csv"
