"""Values of a row as the comparison sees them: found by path, brought to one form for both systems."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from projops.mapping import catalog
from projops.mapping.catalog import Behavior, Column, ColumnType, Table
from projops.mapping.model import System
from runner.wire import Row, Wire

_DAYS = frozenset({ColumnType.DATE, ColumnType.DATETIME})
_NUMBERS = frozenset(
    {
        ColumnType.INTEGER,
        ColumnType.BIGINT,
        ColumnType.DECIMAL,
        ColumnType.MONEY,
        ColumnType.DOUBLE,
        ColumnType.OPTION,
    }
)
_NULL_DAY = date(1900, 1, 1)
_NULL_GUID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Cell:
    """A value and the column that it stands in.

    Attributes:
        value: As JSON gave it; None for none.
        column: What the schema says of it.
    """

    value: Any
    column: Column

    def day(self, zone: ZoneInfo) -> date | None:
        """The day that a time stamp means: a UserLocal one is a day of the company's zone; 1900 is none."""
        if self.column.type is ColumnType.DATE or self.column.behavior is not Behavior.USER_LOCAL:
            found = date.fromisoformat(self.value[:10])
        else:
            found = datetime.fromisoformat(self.value).astimezone(zone).date()
        return None if found == _NULL_DAY else found

    def plain(self, zone: ZoneInfo) -> Any:
        """The value in one form for both systems: None, a number, a day or a text."""
        if self.value in (None, "", _NULL_GUID):
            return None
        if self.column.type in _DAYS:
            return self.day(zone)
        if self.column.type in _NUMBERS:
            return Decimal(self.value)
        if isinstance(self.value, bool):
            return str(self.value).lower()
        return str(self.value)


class Rows:
    """Rows of both systems, each table read once, in full.

    Args:
        wire: Signed-in clients.
    """

    def __init__(self, wire: Wire) -> None:
        self._read: Mapping[System, Callable[[str], list[Row]]] = {
            System.DATAVERSE: wire.dataverse_rows,
            System.FINANCE: wire.finance_rows,
        }
        self._rows = cache(self._read_all)
        self._by_id = cache(self._index)

    def of(self, table: Table) -> list[Row]:
        """All rows of a table or entity set."""
        return self._rows(table.system, table.entity_set)

    def cell(self, table: Table, row: Row, path: str) -> Cell:
        """Follow a dotted path from a row: lookups by their ids, then the column."""
        name, _, rest = path.replace("/", ".").partition(".")
        column = table.columns[name]
        value = row.get(f"_{name}_value" if column.type is ColumnType.LOOKUP else name)
        if not rest:
            return Cell(value, column)
        for target in column.targets:
            parent_table = catalog.table(System.DATAVERSE, target)
            parent = self._by_id(target).get(value)
            if parent is not None:
                return self.cell(parent_table, parent, rest)
        return Cell(None, catalog.resolve(table, path).column)

    def _read_all(self, system: System, entity_set: str) -> list[Row]:
        return self._read[system](entity_set)

    def _index(self, name: str) -> Mapping[Any, Row]:
        table = catalog.table(System.DATAVERSE, name)
        return {row[str(table.primary_id)]: row for row in self.of(table)}


def is_empty(value: Any, column: Column, first_symbols: Mapping[str, str]) -> bool:
    """Whether a plain value is what Finance keeps where there is no value."""
    if value is None or value == Decimal(0):
        return True
    return column.enum is not None and value == first_symbols.get(column.enum)
