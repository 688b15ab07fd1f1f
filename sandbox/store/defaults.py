"""What a column holds when nobody gave a value."""

from datetime import date
from decimal import Decimal

from sandbox.schema.model import Column, ColumnType

ZERO_GUID = "00000000-0000-0000-0000-000000000000"
NO_INSTANT = "1900-01-01T12:00:00Z"
NO_DATE = date(1900, 1, 1)

Value = str | int | bool | Decimal | date | None

_FINANCE_BLANKS: dict[ColumnType, Value] = {
    ColumnType.STRING: "",
    ColumnType.MEMO: "",
    ColumnType.GUID: ZERO_GUID,
    ColumnType.INTEGER: 0,
    ColumnType.BIGINT: 0,
    ColumnType.DECIMAL: Decimal(0),
    ColumnType.MONEY: Decimal(0),
    ColumnType.DOUBLE: Decimal(0),
    ColumnType.BOOLEAN: False,
    ColumnType.DATETIME: NO_INSTANT,
    ColumnType.DATE: NO_DATE,
}


def finance_blank(column: Column) -> Value:
    """Return Finance's way of saying nothing: "", 0, 1900-01-01T12:00:00Z, the first enum member.

    protocol form [L]: Finance has no null on the wire.
    """
    if column.default is not None:
        return column.default
    if column.type is ColumnType.ENUM:
        return column.options[0].label if column.options else ""
    return _FINANCE_BLANKS[column.type]
