"""What null means on each side, in one place.

Dataverse knows null, and no empty text. Finance knows no null: a text without value is empty, a
date is 1900-01-01, a number is 0, an enum is its first member [L]. Between the stages a missing
text, date or GUID is null for both systems (decoding makes it so, encoding renders it), while a
number or an enum that goes to Finance already stands as Finance will answer it. So the same row
hashes the same, whichever side it was read from.
"""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from projops.mapping.catalog import Column, ColumnType, Table, finance_enums

_NUMBERS = (
    ColumnType.INTEGER,
    ColumnType.BIGINT,
    ColumnType.DECIMAL,
    ColumnType.MONEY,
    ColumnType.DOUBLE,
)


def empty_is_null(values: pa.Array) -> pa.Array:
    """Texts with the empty one as null; other types as they are."""
    if not pa.types.is_string(values.type):
        return values
    return pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)


def finance_column(column: Column, values: pa.Array) -> pa.Array:
    """Values of a Finance field as Finance will answer them: numbers 0, enums their first member."""
    values = empty_is_null(values)
    if column.type in _NUMBERS:
        return pc.fill_null(values, pa.scalar(Decimal(0)).cast(values.type))
    members = finance_enums().get(column.enum or "", ())
    return pc.fill_null(values, members[0]) if members else values


def finance_canonical(table: Table, rows: pa.Table) -> pa.Table:
    """`finance_column` for every column of a frame that the entity set has.

    Args:
        table: A Finance entity set of the catalog.
        rows: A frame; columns of other names (`_id`, `_key`, ...) stay as they are.

    Returns:
        The same rows and columns.
    """
    for place, name in enumerate(rows.column_names):
        column = table.columns.get(name)
        if column is not None:
            values = rows[name].combine_chunks() if isinstance(rows[name], pa.ChunkedArray) else rows[name]
            rows = rows.set_column(place, name, finance_column(column, values))
    return rows
