"""A page read row by row: what judges a page that `column_decoding` leaves, and names row and column."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

from projops.errors import ProtocolError
from projops.mapping.keys import guid_column
from projops.mapping.model import System
from projops.systems.answers import (
    CONTEXT,
    DELETED_ENTRY,
    DELETED_ID,
    DELTA_LINK,
    ETAG,
    NEXT_LINK,
    Page,
    link_in,
    unlike,
)
from projops.systems.properties import Property
from projops.systems.wire_values import typed_texts, versions, without_negative_zero


def read_rows(
    system: System,
    content: Mapping[str, Any],
    properties: Sequence[Property],
    what: str,
    primary_id: str | None,
) -> Page:
    """Turn an answer that was read as JSON into a page.

    Args:
        system: Whose form the page has, and whose null convention holds.
        content: The answer.
        properties: Columns that are wanted.
        what: What was read, for messages.
        primary_id: GUID column of a Dataverse table; None for Finance.

    Raises:
        ProtocolError: It is no page, or a value does not have the type of its column: names the row
            and the column.
    """
    entries = content.get("value")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ProtocolError(f"The answer to {what} holds no rows.", remedy="Check the entity set's name.")
    rows = [entry for entry in entries if not _is_deleted(entry)]
    return Page(
        batch=record_batch(system, rows, properties, what, primary_id),
        deleted=_deleted([entry for entry in entries if _is_deleted(entry)], what),
        next_link=link_in(content, NEXT_LINK, what),
        delta_link=link_in(content, DELTA_LINK, what),
    )


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
        "_version": _versions(rows, what),
    }
    for column in properties:
        name = column.wire_name
        if rows and not any(name in row for row in rows):  # else it would pass for empty
            raise unlike(what, f"lacks the column {name}", column.name)
        columns[column.name] = _column(system, column, rows, primary_id, what)
    return pa.RecordBatch.from_pydict(columns)


def _column(
    system: System, column: Property, rows: Sequence[Mapping[str, Any]], primary_id: str | None, what: str
) -> pa.Array[Any]:
    values = [row.get(column.wire_name) for row in rows]
    typed = _typed(system, column, values)
    if typed is not None:
        return typed
    place = next(place for place, value in enumerate(values) if _typed(system, column, [value]) is None)
    row = rows[place].get(primary_id) if primary_id else place + 1
    raise unlike(
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
        raise unlike(what, f"holds a value in {primary_id} that is no GUID", primary_id)
    return guids


def _versions(rows: Sequence[Mapping[str, Any]], what: str) -> pa.Array[Any]:
    try:
        return versions(pa.array([row.get(ETAG) for row in rows], pa.string()))
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        raise unlike(what, f"holds a version ({ETAG}) that is no text", ETAG) from None


def _deleted(entries: Sequence[Mapping[str, Any]], what: str) -> tuple[str, ...]:
    return tuple(_ids(entries, DELETED_ID, what).to_pylist())


def _texts(system: System, column: Property, values: list[Any]) -> pa.Array[Any]:
    return typed_texts(system, column, pa.array(values, pa.string()))


def _integers(system: System, column: Property, values: list[Any]) -> pa.Array[Any]:
    if any(isinstance(value, Decimal) for value in values):  # Arrow would cut fractions off silently
        raise ValueError(column.name)
    return pa.array(values, column.type)


def _floats(system: System, column: Property, values: list[Any]) -> pa.Array[Any]:
    floats = [None if value is None else float(value) for value in values]
    return without_negative_zero(pa.array(floats, column.type))


def _plain(system: System, column: Property, values: list[Any]) -> pa.Array[Any]:
    return pa.array(values, column.type)


def _builder(kind: pa.DataType) -> Callable[[System, Property, list[Any]], pa.Array[Any]]:
    if kind == pa.string() or pa.types.is_temporal(kind):
        return _texts
    if pa.types.is_integer(kind):
        return _integers
    return _floats if pa.types.is_floating(kind) else _plain


def _is_deleted(entry: Mapping[str, Any]) -> bool:
    """Tell an entry of a delta that says which row was deleted [D]."""
    return DELETED_ID in entry and str(entry.get(CONTEXT, "")).endswith(DELETED_ENTRY)
