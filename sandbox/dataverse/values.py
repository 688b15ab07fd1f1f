"""A value of a request body as the value that its column stores, or the error that says why not."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from sandbox.dataverse.errors import (
    INVALID_ARGUMENT,
    INVALID_OPTION,
    INVALID_PAYLOAD,
    OUT_OF_RANGE,
    TOO_LONG,
    ApiError,
    bad_request,
)
from sandbox.odata.wire import dumps_sorted
from sandbox.schema.model import Column, ColumnType, Table
from sandbox.store.types import instant_text

_EARLIEST = datetime(1753, 1, 1, tzinfo=UTC)
_ZONE = re.compile(r"(?:[zZ]|[+-]\d\d:\d\d)$")
_DAY = re.compile(r"\d{4}-\d\d-\d\d$")
_INT32 = 2**31
_INT64 = 2**63
_MAX_EXPONENT = 30
_MAX_DIGITS = 60
_EXACT = Context(prec=120, rounding=ROUND_HALF_UP)


def stored_value(table: Table, column: Column, value: object) -> Any:
    """Return what the column stores for a JSON value; null stays None.

    Raises:
        ApiError: When the type does not fit (400), the text is too long (0x80044331), the number or
            the option is outside its range.
    """
    if value is None and column.type is not ColumnType.LOOKUP:
        return None
    return _READERS[column.type](table, column, value)


def _wrong_type(value: object, edm: str) -> ApiError:
    text = value if isinstance(value, str) else dumps_sorted(value).decode()
    message = f"Cannot convert the literal '{text[:100]}' to the expected type '{edm}'."
    return bad_request(f"An error occurred while validating input parameters: {message}", INVALID_PAYLOAD)


def _text(table: Table, column: Column, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong_type(value, "Edm.String")
    if column.max_length is not None and len(value) > column.max_length:
        raise bad_request(
            f"A validation error occurred. The length of the '{column.name}' attribute of the "
            f"'{table.name}' entity exceeded the maximum allowed length of '{column.max_length}'.",
            TOO_LONG,
        )
    if "\x00" in value:
        raise bad_request(f"The '{column.name}' attribute holds a character that no text can hold: U+0000.")
    return value


def _guid(_table: Table, _column: Column, value: object) -> str:
    try:
        return str(UUID(value)) if isinstance(value, str) else _refuse(value, "Edm.Guid")
    except ValueError:
        raise _wrong_type(value, "Edm.Guid") from None


def _refuse(value: object, edm: str) -> str:
    raise _wrong_type(value, edm)


def _integer(table: Table, column: Column, value: object) -> int:
    big = column.type is ColumnType.BIGINT
    if type(value) is not int:
        raise _wrong_type(value, "Edm.Int64" if big else "Edm.Int32")
    limit = _INT64 if big else _INT32
    if not -limit <= value < limit:
        raise _wrong_type(value, "Edm.Int64" if big else "Edm.Int32")
    _check_range(table, column, Decimal(value))
    return value


def _decimal(table: Table, column: Column, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _wrong_type(value, "Edm.Decimal")
    exact = Decimal(value)
    if abs(exact.adjusted()) > _MAX_EXPONENT or len(exact.as_tuple().digits) > _MAX_DIGITS:
        raise _wrong_type(value, "Edm.Decimal")
    if column.scale is not None:
        exact = exact.quantize(_unit(column.scale), context=_EXACT)
    _check_range(table, column, exact)
    return exact


@lru_cache
def _unit(scale: int) -> Decimal:
    return Decimal(1).scaleb(-scale)


@lru_cache
def _bound(text: str) -> Decimal:
    return Decimal(text)


def _check_range(table: Table, column: Column, value: Decimal) -> None:
    too_small = column.minimum is not None and value < _bound(column.minimum)
    too_large = column.maximum is not None and value > _bound(column.maximum)
    if too_small or too_large:
        raise bad_request(
            f"A validation error occurred. The value {value} of '{column.name}' on record of type "
            f"'{table.name}' is outside the valid range.",
            OUT_OF_RANGE,
        )


def _boolean(_table: Table, _column: Column, value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong_type(value, "Edm.Boolean")
    return value


def _instant(_table: Table, column: Column, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong_type(value, "Edm.DateTimeOffset")
    if not _ZONE.search(value):
        raise bad_request(
            f"The time zone information is missing on the DateTimeOffset value '{value[:50]}'. "
            "A DateTimeOffset value must contain the time zone information.",
            INVALID_PAYLOAD,
        )
    try:
        instant = datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _wrong_type(value, "Edm.DateTimeOffset") from None
    if instant < _EARLIEST:
        raise bad_request(f"DateTime is less than minumum value supported by CrmDateTime: {column.name}.")
    return instant_text(instant.replace(microsecond=0))


def _day(_table: Table, _column: Column, value: object) -> str:
    try:
        if isinstance(value, str) and _DAY.match(value):
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise _wrong_type(value, "Edm.Date")


def _option(table: Table, column: Column, value: object) -> int:
    if type(value) is not int:
        raise _wrong_type(value, "Edm.Int32")
    known = [option.value for option in column.options]
    if (known and value not in known) or not -_INT32 <= value < _INT32:
        accepted = ",".join(map(str, known))
        raise bad_request(
            f"A validation error occurred. The value {value} of '{column.name}' on record of type "
            f"'{table.name}' is outside the valid range. Accepted Values: {accepted}",
            INVALID_OPTION,
        )
    return value


def _options(table: Table, column: Column, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong_type(value, "Edm.String")
    try:
        chosen = [_option(table, column, int(part)) for part in value.split(",")]
    except ValueError:
        raise _wrong_type(value, "Edm.String") from None
    return ",".join(map(str, sorted(set(chosen))))


def _lookup(_table: Table, column: Column, _value: object) -> str:
    raise bad_request(
        "CRM do not support direct update of Entity Reference properties, Use Navigation properties instead: "
        f"{column.name}@odata.bind.",
        INVALID_ARGUMENT,
    )


_READERS: dict[ColumnType, Callable[[Table, Column, object], Any]] = {
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
    ColumnType.DATE: _day,
    ColumnType.OPTION: _option,
    ColumnType.MULTI_OPTION: _options,
    ColumnType.LOOKUP: _lookup,
    ColumnType.ENUM: _text,
}
