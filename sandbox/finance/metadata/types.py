"""Types of Finance's properties as its two kinds of metadata write them."""

from collections.abc import Iterable, Mapping

from sandbox.finance.catalog import NAMESPACE
from sandbox.odata.csdl import EDM_TYPES
from sandbox.schema.model import Column, ColumnType, Option, Table

# Finance has no days on the wire: a date is its day at 12:00 UTC [L].
_DAY = "Edm.DateTimeOffset"
_DATA_TYPES = {
    "Edm.String": "String",
    "Edm.Guid": "Guid",
    "Edm.Int32": "Int32",
    "Edm.Int64": "Int64",
    "Edm.Decimal": "Real",
    "Edm.Double": "Real",
    "Edm.Boolean": "Boolean",
}


def edm_type(column: Column) -> str:
    """Return the type of a property: `Edm.String`, `Microsoft.Dynamics.DataEntities.NoYes`."""
    if column.type is ColumnType.ENUM:
        return f"{NAMESPACE}.{column.enum}"
    return _DAY if column.type is ColumnType.DATE else EDM_TYPES[column.type]


def data_type(column: Column) -> str:
    """Return the X++ type of a property: String, Real, Enum, Date, UtcDateTime."""
    if column.type is ColumnType.ENUM:
        return "Enum"
    if column.type in {ColumnType.DATE, ColumnType.DATETIME}:
        return "Date" if column.type is ColumnType.DATE else "UtcDateTime"
    return _DATA_TYPES[edm_type(column)]


def enums(tables: Iterable[Table]) -> Mapping[str, tuple[Option, ...]]:
    """Return the enums of all properties by name."""
    columns = (column for table in tables for column in table.columns.values())
    return {column.enum: column.options for column in columns if column.enum is not None}
