"""Values in one form for both systems, worked out one by one and apart from the engine."""

import json
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from projops.mapping import catalog
from projops.mapping.catalog import Column, ColumnType
from projops.mapping.model import FieldRule, System
from runner.rows import Cell

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
_TEXTS = frozenset({ColumnType.STRING, ColumnType.MEMO})


def is_moment(column: Column) -> bool:
    """Whether a column holds a moment, and no day."""
    return column.type is ColumnType.DATETIME and not column.is_day


def found_value(cell: Cell, zone: ZoneInfo, system: System) -> Any:
    """What a target holds; moments to the microsecond, Finance's nulls as what it answers."""
    if is_moment(cell.column) and cell.value is not None:
        return datetime.fromisoformat(cell.value)
    return _with_nulls(cell.plain(zone), cell.column, system)


def expected_form(value: Any, rule: FieldRule, column: Column, zone: ZoneInfo, system: System) -> Any:
    """What a mapping makes of a source, in the form of `found_value`."""
    operators = {step.operator for step in rule.steps}
    if value is not None and operators & {"currency", "unit"}:
        value = value.strip().upper() if "currency" in operators else value.strip()
    if value is not None and is_moment(column):
        return datetime.combine(value, time(), zone)
    if value is not None and column.type in _NUMBERS:
        value = Decimal(value)
    return _with_nulls(value, column, system)


def reported_form(value: Any, column: Column, system: System) -> Any:
    """A value as a report in JSON has it, in the form of `found_value`."""
    if value is None or value == "" and column.type not in _TEXTS:
        return _with_nulls(None, column, system)
    if is_moment(column):
        return datetime.fromisoformat(value)
    if column.type in (ColumnType.DATE, ColumnType.DATETIME):
        return date.fromisoformat(value)
    if column.type in _NUMBERS:
        return Decimal(str(value))
    return str(value).lower() if isinstance(value, bool) else value


def same(one: Any, other: Any, path: str) -> bool:
    """Whether two values are equal; what names another row is compared without case."""
    if "." in path and isinstance(one, str) and isinstance(other, str):
        return fold(one) == fold(other)
    return bool(one == other)


def fold(text: str) -> str:
    """A text as both systems compare keys."""
    return text.lower().rstrip(" ")


def key_text(values: Sequence[Any]) -> str:
    """A key as reports name it: a JSON array, texts folded, days in ISO form."""
    return json.dumps([_part(value) for value in values], ensure_ascii=False, separators=(",", ":"))


def _part(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value)
    return value.isoformat() if isinstance(value, date) else fold(str(value))


def _with_nulls(value: Any, column: Column, system: System) -> Any:
    if value is not None or system is System.DATAVERSE:
        return value.lower() if column.type is ColumnType.GUID and value is not None else value
    if column.type in _NUMBERS:
        return Decimal(0)
    return catalog.finance_enums().get(column.enum or "", (None,))[0]
