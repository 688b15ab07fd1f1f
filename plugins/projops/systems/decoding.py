"""From the bytes of a page to Arrow, exactly: no number passes a float unless its column is one.

The one seam between wire and columns: `decode_page` takes bytes and gives a record batch. A page is
read straight into columns; one that leaves a doubt is read once more row by row, which finds what is
wrong with it, or that nothing is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa

from projops.errors import PoisonPageError, ProtocolError
from projops.mapping.model import System
from projops.systems.answers import Page, decode_json, link_in
from projops.systems.column_decoding import read_columns
from projops.systems.properties import Property
from projops.systems.row_decoding import read_rows, record_batch

__all__ = ["Page", "decode_json", "decode_page", "link_in", "record_batch", "table_of"]


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
    page = read_columns(system, body, properties, primary_id)
    if page is not None:
        return page
    content = decode_json(body, what)
    try:
        return read_rows(system, content, properties, what, primary_id)
    except ProtocolError as problem:
        raise PoisonPageError(problem.message, body=body, remedy=problem.remedy, **problem.context) from None


def table_of(batches: Iterable[pa.RecordBatch], system: System, properties: Sequence[Property]) -> pa.Table:
    """Put record batches together; without any, an empty table with the same columns."""
    empty = record_batch(system, [], properties, "nothing")
    return pa.Table.from_batches(batches, schema=empty.schema)
