"""From the bytes of a page to Arrow, exactly: no number passes a float unless its column is one.

The one seam between wire and columns: `decode_page` takes bytes and gives a record batch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from projops.errors import PoisonPageError, ProtocolError
from projops.mapping.keys import guid_column
from projops.mapping.model import System
from projops.systems.properties import Form, Property

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_FINANCE_NO_DATE = "1900-01-01"
_YEAR_NOUGHT = "0000-"
_ZERO_GUID = "00000000-0000-0000-0000-000000000000"
_BEYOND_MICROSECONDS = r"(\.\d{6})\d+"
_DATAVERSE_ETAG = re.compile(r'^W/"(\d+)"$')


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list or of a delta.

    Attributes:
        batch: `_id` (lower-case GUID; null where the entity has none), `_version` (Dataverse: row
            version, Finance: etag), then a column for each property, by its name.
        deleted: GUIDs of deleted rows (Dataverse deltas only).
        next_link: Where the next page is, or None.
        delta_link: Where the next delta begins; on the last page of a tracked read only.
    """

    batch: pa.RecordBatch
    deleted: tuple[str, ...] = ()
    next_link: str | None = None
    delta_link: str | None = None


def decode_json(body: bytes, what: str) -> dict[str, Any]:
    """Read a JSON object, its fractions as `Decimal`.

    Args:
        body: The answer.
        what: What was read, for messages.

    Raises:
        PoisonPageError: It is no JSON object.
    """
    try:
        content = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _poison(body, f"The answer to {what} is no JSON.") from None
    if not isinstance(content, dict):
        raise _poison(body, f"The answer to {what} is no JSON object.")
    return content


def _poison(body: bytes, message: str) -> PoisonPageError:
    return PoisonPageError(message, body=body, remedy="See whether the host is the right one.")


def decode_page(
    system: System, body: bytes, properties: Sequence[Property], what: str, primary_id: str | None = None
) -> Page:
    """Read a page of rows into columns.

    Args:
        system: Whose form the page has, and whose null convention holds.
        body: The answer.
        properties: Columns that are wanted.
        what: What was read, for messages.
        primary_id: GUID column of a Dataverse table; None for Finance.

    Raises:
        PoisonPageError: It is no page, or a value does not have the type of its column: names the row
            and the column.
    """
    content = decode_json(body, what)
    try:
        return _page(system, content, properties, what, primary_id)
    except ProtocolError as problem:
        raise PoisonPageError(problem.message, body=body, remedy=problem.remedy, **problem.context) from None


def _page(
    system: System,
    content: Mapping[str, Any],
    properties: Sequence[Property],
    what: str,
    primary_id: str | None,
) -> Page:
    entries = content.get("value")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ProtocolError(f"The answer to {what} holds no rows.", remedy="Check the entity set's name.")
    rows = [entry for entry in entries if not _is_deleted(entry)]
    return Page(
        batch=record_batch(system, rows, properties, what, primary_id),
        deleted=_deleted([entry for entry in entries if _is_deleted(entry)], what),
        next_link=link_in(content, "@odata.nextLink", what),
        delta_link=link_in(content, "@odata.deltaLink", what),
    )


def link_in(content: Mapping[str, Any], name: str, what: str) -> str | None:
    """Take a link out of an answer; None where it has none.

    Raises:
        ProtocolError: What stands there is no text.
    """
    link = content.get(name)
    if link is not None and not isinstance(link, str):
        raise _unlike(what, f"holds a link ({name}) that is no text", name)
    return link


def record_batch(
    system: System,
    rows: Sequence[Mapping[str, Any]],
    properties: Sequence[Property],
    what: str,
    primary_id: str | None = None,
) -> pa.RecordBatch:
    """Turn rows as they came into columns, with `_id` and `_version` first."""
    columns: dict[str, pa.Array[Any]] = {
        "_id": _ids(rows, primary_id, what) if primary_id else pa.nulls(len(rows), pa.string()),
        "_version": pa.array([_version(row.get("@odata.etag")) for row in rows], pa.string()),
    }
    for column in properties:
        name = column.wire_name
        if rows and not any(name in row for row in rows):  # else it would pass for empty
            raise _unlike(what, f"lacks the column {name}", column.name)
        columns[column.name] = _column(system, column, rows, primary_id, what)
    return pa.RecordBatch.from_pydict(columns)


def table_of(batches: Iterable[pa.RecordBatch], system: System, properties: Sequence[Property]) -> pa.Table:
    """Put record batches together; without any, an empty table with the same columns."""
    empty = record_batch(system, [], properties, "nothing")
    return pa.Table.from_batches(batches, schema=empty.schema)


def typed_texts(system: System, column: Property, texts: pa.Array[Any]) -> pa.Array[Any]:
    """Give texts of a data package or of JSON the type of their column, null convention applied.

    Raises:
        pa.ArrowInvalid: A text does not fit the type.
    """
    present = _null_where(pc.equal(texts, pa.scalar("")), texts)
    if column.form in (Form.GUID, Form.LOOKUP):
        present = pc.utf8_lower(pc.utf8_trim(present, "{}"))
        return _null_where(pc.equal(present, pa.scalar(_ZERO_GUID)), present)
    if pa.types.is_temporal(column.type):
        return _temporal(system, column.type, present)
    if pa.types.is_boolean(column.type):
        truth = pc.is_in(pc.utf8_lower(present), pa.array(["true", "yes", "1"]))
        return _null_where(pc.is_null(present), truth)
    return present if column.type == pa.string() else _cast(present, column.type)


def _temporal(system: System, kind: pa.DataType, texts: pa.Array[Any]) -> pa.Array[Any]:
    if system is System.FINANCE:
        texts = _null_where(pc.starts_with(texts, _FINANCE_NO_DATE), texts)
    if pc.any(pc.starts_with(texts, _YEAR_NOUGHT)).as_py():  # Arrow knows it, Python and both systems do not
        raise pa.ArrowInvalid(f"no year of a {kind}")
    if pa.types.is_date(kind):  # a day never passes a zone
        return _cast(pc.utf8_slice_codeunits(texts, 0, 10), kind)
    return _cast(pc.replace_substring_regex(texts, _BEYOND_MICROSECONDS, r"\1"), kind)


def _cast(texts: pa.Array[Any], kind: pa.DataType) -> pa.Array[Any]:
    typed: pa.Array[Any] = texts.cast(kind)
    return typed


def _null_where(mask: pa.Array[Any], values: pa.Array[Any]) -> pa.Array[Any]:
    emptied: pa.Array[Any] = pc.if_else(mask, pa.scalar(None, values.type), values)
    return emptied


def _column(
    system: System, column: Property, rows: Sequence[Mapping[str, Any]], primary_id: str | None, what: str
) -> pa.Array[Any]:
    values = [row.get(column.wire_name) for row in rows]
    typed = _typed(system, column, values)
    if typed is not None:
        return typed
    place = next(place for place, value in enumerate(values) if _typed(system, column, [value]) is None)
    row = rows[place].get(primary_id) if primary_id else place + 1
    raise _unlike(
        what, f"holds a value in {column.name} of row {row} that is no {column.type}", column.name, row
    )


def _typed(system: System, column: Property, values: list[Any]) -> pa.Array[Any] | None:
    try:
        return _builder(column.type)(system, column, values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, TypeError, ValueError):
        return None


def _ids(rows: Sequence[Mapping[str, Any]], primary_id: str, what: str) -> pa.Array[Any]:
    """Give the GUIDs of rows; a row that has none could never be told from others."""
    guids = guid_column(pa.array([str(row.get(primary_id)) for row in rows], pa.string()))
    if guids.null_count:
        raise _unlike(what, f"holds a value in {primary_id} that is no GUID", primary_id)
    return guids


def _deleted(entries: Sequence[Mapping[str, Any]], what: str) -> tuple[str, ...]:
    return tuple(_ids(entries, "id", what).to_pylist())


def _unlike(what: str, how: str, field: str, row: object = None) -> ProtocolError:
    return ProtocolError(
        f"The answer to {what} {how}.",
        remedy="Compare the column's type in the catalog with the system's own metadata.",
        field=field,
        row=row,
    )


def _texts(system: System, column: Property, values: list[Any]) -> pa.Array[Any]:
    return typed_texts(system, column, pa.array(values, pa.string()))


def _integers(system: System, column: Property, values: list[Any]) -> pa.Array[Any]:
    if any(isinstance(value, Decimal) for value in values):  # Arrow would cut fractions off silently
        raise ValueError(column.name)
    return pa.array(values, column.type)


def _floats(system: System, column: Property, values: list[Any]) -> pa.Array[Any]:
    return pa.array([None if value is None else float(value) for value in values], column.type)


def _plain(system: System, column: Property, values: list[Any]) -> pa.Array[Any]:
    return pa.array(values, column.type)


def _builder(kind: pa.DataType) -> Callable[[System, Property, list[Any]], pa.Array[Any]]:
    if kind == pa.string() or pa.types.is_temporal(kind):
        return _texts
    if pa.types.is_integer(kind):
        return _integers
    return _floats if pa.types.is_floating(kind) else _plain


def _version(etag: str | None) -> str | None:
    """Take the row version out of Dataverse's etag; leave Finance's as it is."""
    found = _DATAVERSE_ETAG.match(etag or "")
    return found.group(1) if found else etag


def _is_deleted(entry: Mapping[str, Any]) -> bool:
    """Tell an entry of a delta that says which row was deleted [D]."""
    return "id" in entry and str(entry.get("@odata.context", "")).endswith("/$deletedEntity")
