"""What a body may hold, property by property, and how it is kept."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sandbox.finance.catalog import NAMESPACE
from sandbox.finance.errors import VALIDATION_ERROR, FinanceError
from sandbox.schema.model import Column, ColumnType, DateTimeBehavior, Table
from sandbox.store.defaults import finance_blank

_TEXT_NUMBERS = frozenset({ColumnType.DECIMAL, ColumnType.MONEY, ColumnType.BIGINT})
_INT32 = 2**31
_INT64 = 2**63
_MAX_DIGITS = 40
# A day, or an instant with or without its zone: Python alone would read weeks and forms without hyphens too.
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,12})?)?(?:Z|[+-]\d\d:\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)


def read_values(table: Table, body: object, *, text_numbers: bool = False) -> dict[str, Any]:
    """The values of a JSON body by property name, as they are kept; annotations are left out.

    Null is Finance's blank of the type (protocol 2.1 [L]).

    Args:
        table: The entity set.
        body: The JSON.
        text_numbers: Whether decimals and 64-bit integers may come as text.

    Raises:
        FinanceError: The body is no object, says that it is of another type, names an unknown
            property, or holds a value that does not fit its property.
    """
    if not isinstance(body, dict):
        raise FinanceError(400, "The request body must be a JSON object.")
    _check_type(table, body)
    given = {name: value for name, value in body.items() if "@" not in name}
    for name in given:
        if name not in table.columns:
            raise FinanceError(
                400,
                f"The property '{name}' does not exist on type '{NAMESPACE}.{table.entity_type}'. "
                "Make sure to only use property names that are defined by the type.",
            )
    read = _read_number_too if text_numbers else read_value
    return {name: read(table.columns[name], value) for name, value in given.items()}


def read_value(column: Column, value: Any) -> Any:
    """One value as it is kept.

    Raises:
        FinanceError: It does not fit the property.
    """
    if value is None:
        return finance_blank(column)
    try:
        return _READERS[column.type](column, value)
    except (ValueError, OverflowError, ArithmeticError):
        kind = f"{NAMESPACE}.{column.enum}" if column.type is ColumnType.ENUM else column.type.value
        text = str(value)[:100]
        raise FinanceError(
            400, f"Cannot convert the value '{text}' of the property '{column.name}' to the type '{kind}'."
        ) from None


def _check_type(table: Table, body: Mapping[str, object]) -> None:
    """`@odata.type` may stand in a body; then it is the type of the set (protocol 2.1)."""
    named, own = body.get("@odata.type", ""), f"{NAMESPACE}.{table.entity_type}"
    if named not in ("", None, f"#{own}", own):
        raise FinanceError(
            400,
            f"A type named '{str(named).removeprefix('#')[:100]}' is not compatible with the expected type "
            f"'{own}' of the entity set '{table.name}'.",
        )


def _read_number_too(column: Column, value: Any) -> Any:
    """A value, which may be text where the column holds a number that JSON readers may round."""
    if isinstance(value, str) and column.type in _TEXT_NUMBERS:
        try:
            value = int(value) if column.type is ColumnType.BIGINT else Decimal(value)
        except (ValueError, ArithmeticError):
            pass  # it is refused as any text in the place of a number
    return read_value(column, value)


def blanks(table: Table) -> dict[str, Any]:
    """What a new row holds where the body says nothing."""
    return {name: finance_blank(column) for name, column in table.columns.items()}


def is_blank(column: Column, value: object) -> bool:
    """Whether a value says nothing; a number or an enum always says something."""
    return column.type in {ColumnType.STRING, ColumnType.MEMO, ColumnType.GUID} and value == finance_blank(
        column
    )


def _text(column: Column, value: object) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError(value)
    if column.max_length is not None and len(value) > column.max_length:
        raise FinanceError(
            400,
            f"The value of the field '{column.name}' has {len(value)} characters, "
            f"and {column.max_length} are the most it holds.",
            VALIDATION_ERROR,
        )
    return value


def _integer(column: Column, value: object) -> int:
    limit = _INT32 if column.type is ColumnType.INTEGER else _INT64
    if isinstance(value, bool) or not isinstance(value, int) or not -limit <= value < limit:
        raise ValueError(value)
    return value


def _decimal(column: Column, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(value)
    exact = Decimal(value)
    if not exact.is_finite():
        raise ValueError(value)
    if abs(exact.adjusted()) > _MAX_DIGITS or len(exact.as_tuple().digits) > _MAX_DIGITS:
        raise ValueError(value)
    return exact


def _boolean(column: Column, value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(value)
    return value


def _guid(column: Column, value: object) -> str:
    return str(UUID(_text(column, value)))


def _instant(column: Column, value: object) -> datetime:
    """A time stamp in UTC, whole seconds; a date-only value keeps its day and gets 12:00 UTC [L]."""
    text = _text(column, value)
    if _INSTANT.fullmatch(text) is None:
        raise ValueError(value)
    instant = datetime.fromisoformat(text)
    instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    if column.behavior is DateTimeBehavior.DATE_ONLY:
        instant = instant.replace(hour=12, minute=0, second=0)
    return instant.replace(microsecond=0)


def _enum(column: Column, value: object) -> str:
    text = _text(column, value)
    if text not in {option.label for option in column.options}:
        raise ValueError(value)
    return text


_READERS: Mapping[ColumnType, Callable[[Column, Any], Any]] = {
    ColumnType.STRING: _text,
    ColumnType.MEMO: _text,
    ColumnType.GUID: _guid,
    ColumnType.INTEGER: _integer,
    ColumnType.BIGINT: _integer,
    ColumnType.DECIMAL: _decimal,
    ColumnType.MONEY: _decimal,
    ColumnType.DOUBLE: _decimal,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.DATETIME: _instant,
    ColumnType.DATE: _instant,
    ColumnType.ENUM: _enum,
}
