"""A page read straight into columns: what a page of good rows takes.

Arrow's reader is asked for the very types that the columns have. It is exact, yet it neither says
which row is at fault nor tells a column that never came from an empty one. So it decides nothing: a
page that it does not take as a whole, or that leaves a doubt, is left to `row_decoding`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import GenericAlias
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from projops.mapping.keys import guid_column
from projops.mapping.model import System
from projops.systems.answers import CONTEXT, DELETED_ENTRY, DELETED_ID, DELTA_LINK, ETAG, NEXT_LINK, Page
from projops.systems.properties import Property
from projops.systems.wire_values import is_utf8, typed_texts, versions, without_negative_zero

_FIRST_ROW = re.compile(rb'"value"\s*:\s*\[\s*')
_MOST_ENDS = 100  # braces that are tried as the end of the first row


def read_columns(
    system: System, body: bytes, properties: Sequence[Property], primary_id: str | None
) -> Page | None:
    """Read a page of rows into columns.

    Args:
        system: Whose null convention holds.
        body: The answer.
        properties: Columns that are wanted.
        primary_id: GUID column of a Dataverse table; None for Finance.

    Returns:
        None where the page is not, beyond doubt, one whose every value has the type of its column.
    """
    try:
        _numbers(tuple(each.wire_name for each in properties if pa.types.is_decimal(each.type))).decode(body)
        answer = _answer(body, properties, primary_id)
        entries = answer["value"].combine_chunks().flatten() if answer is not None else None
        if answer is None or entries is None or answer["value"].null_count or entries.null_count:
            return None
        rows, deleted = _apart(entries)
        return Page(
            _batch(system, body, rows, properties, primary_id),
            deleted,
            answer[NEXT_LINK][0].as_py(),
            answer[DELTA_LINK][0].as_py(),
        )
    except (pa.ArrowException, ValueError, RecursionError):
        return None


@lru_cache(maxsize=256)
def _numbers(columns: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
    """Give a reader that refuses what is no number in columns of decimals: Arrow takes texts of digits too.

    What it reads is not used: its numbers are floats.
    """
    fields = [(f"number_{place}", float | None, None) for place in range(len(columns))]
    names = {field: column for (field, *_), column in zip(fields, columns, strict=True)}
    row = msgspec.defstruct("Row", fields, rename=names, gc=False)
    return msgspec.json.Decoder(msgspec.defstruct("Answer", [("value", GenericAlias(list, (row,)))]))


def _answer(body: bytes, properties: Sequence[Property], primary_id: str | None) -> pa.Table | None:
    """Read the one object that an answer is: a row with a list of entries, and links."""
    # Arrow takes any bytes for text, and passes over a byte order mark, which JSON does not have.
    if not (body.startswith(b"{") and is_utf8(body)):
        return None
    types = dict.fromkeys((ETAG, CONTEXT, DELETED_ID, *([primary_id] if primary_id else [])), pa.string())
    types |= {column.wire_name: _read_as(column.type) for column in properties}
    entry = pa.struct(list(types.items()))
    schema = pa.schema([("value", pa.list_(entry)), (NEXT_LINK, pa.string()), (DELTA_LINK, pa.string())])
    answer = pj.read_json(
        pa.BufferReader(body),
        read_options=pj.ReadOptions(use_threads=False, block_size=len(body) + 1),
        parse_options=pj.ParseOptions(
            explicit_schema=schema, newlines_in_values=b"\n" in body, unexpected_field_behavior="ignore"
        ),
    )
    return answer if answer.num_rows == 1 else None


def _read_as(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_temporal(kind) else kind


def _apart(entries: pa.StructArray) -> tuple[pa.StructArray, tuple[str, ...]]:
    """Tell rows from entries of a delta that say which row was deleted [D]."""
    contexts = entries.field(CONTEXT)
    if contexts.null_count == len(contexts):
        return entries, ()
    gone = pc.fill_null(pc.ends_with(contexts, DELETED_ENTRY), False)
    return entries.filter(pc.invert(gone)), tuple(_guids(entries.filter(gone), DELETED_ID).to_pylist())


def _guids(entries: pa.StructArray, name: str) -> pa.Array[Any]:
    guids = guid_column(entries.field(name))
    if guids.null_count:
        raise pa.ArrowInvalid(f"no GUID in {name}")
    return guids


def _batch(
    system: System,
    body: bytes,
    rows: pa.StructArray,
    properties: Sequence[Property],
    primary_id: str | None,
) -> pa.RecordBatch:
    columns: dict[str, pa.Array[Any]] = {
        "_id": _guids(rows, primary_id) if primary_id else pa.nulls(len(rows), pa.string()),
        "_version": versions(rows.field(ETAG)),
    }
    for column in properties:
        columns[column.name] = _typed(system, column, rows.field(column.wire_name))
    empty = {each.wire_name for each in properties if rows.field(each.wire_name).null_count == len(rows)}
    if len(rows) and empty and not empty <= _first_row(body).keys():
        raise pa.ArrowInvalid("a column may not have come at all")
    return pa.RecordBatch.from_pydict(columns)


def _typed(system: System, column: Property, values: pa.Array[Any]) -> pa.Array[Any]:
    if column.type == pa.string() or pa.types.is_temporal(column.type):
        return typed_texts(system, column, values)
    if pa.types.is_decimal(column.type):
        values.validate(full=True)  # Arrow's reader looks at the scale only
    elif pa.types.is_floating(column.type):
        return without_negative_zero(values)
    return values


def _first_row(body: bytes) -> Mapping[str, Any]:
    """Read the first row alone; nothing where it is not found at once.

    A prefix of a JSON text that is an object itself is the whole of that object.
    """
    found = _FIRST_ROW.search(body)
    if found is None or "value" not in msgspec.json.decode(body[: found.end()] + b"]}"):
        return {}
    end = found.end()
    for _ in range(_MOST_ENDS):
        end = body.find(b"}", end) + 1
        try:
            row = msgspec.json.decode(body[found.end() : end])
        except msgspec.DecodeError:
            continue
        return row if isinstance(row, dict) else {}
    return {}
