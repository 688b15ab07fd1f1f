"""What can be planted into one value: by the kind of its column, each kind with the value that it makes.

A kind is planted where it fits. Whether it must be found is not said here: it follows from the mapping.
"""

import unicodedata
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from projops.mapping.catalog import Behavior, Column, ColumnType
from projops.mapping.model import System

NO_DAY = "1900-01-01T12:00:00Z"
_NAMESPACE = uuid.UUID("0f0c8b1e-95a0-4a0e-8f43-9d4f54a7a9d2")
_NO_GUID = "00000000-0000-0000-0000-000000000000"
_Kinds = Iterator[tuple[str, Any]]


def alterations(system: System, column: Column, value: Any, choices: Sequence[Any]) -> Mapping[str, Any]:
    """Give what can be planted, new value by kind.

    Args:
        system: Whose column it is.
        column: The column.
        value: What it holds now, as JSON has it.
        choices: What else it may hold, where it names something; none where it is free.
    """
    if choices:
        kinds = _named(value, choices)
    else:
        kinds = _BY_TYPE.get(column.type, _none)(system, column, value)
    return {kind: new for kind, new in kinds if new != value or kind == "noughts"}


def _named(value: Any, choices: Sequence[Any]) -> _Kinds:
    others = [each for each in choices if each != value]
    if others:
        yield "other_choice", others[len(str(value)) % len(others)]
    if isinstance(value, str) and len(value) == 3 and value.isupper():  # a currency
        yield "code_in_lower_case", value.lower()


def _text(system: System, column: Column, value: Any) -> _Kinds:
    if not value:
        yield "filled", "Planted"
        return
    yield "emptied", None if system is System.DATAVERSE else ""
    yield "letter", ("x" if value[0] != "x" else "y") + value[1:]
    yield "case", value.swapcase()
    for form in ("NFD", "NFC"):
        yield "unicode_form", unicodedata.normalize(form, value)
    if len(value) < (column.length or 1000):
        yield "trailing_blank", value + " "
        yield "leading_blank", " " + value
        yield "no_break_space", value + "\u00a0"
        yield "line_end", value + "\n"
    yield "cut_short", value[: len(value) // 2]
    yield "look_alike", value.replace("a", "\u0430").replace("e", "\u0435")
    yield "tail", value[:-1] + ("!" if value[-1] != "!" else "?")


def _number(system: System, column: Column, value: Any) -> _Kinds:
    held = Decimal(value or 0)
    yield "cent", held + Decimal("0.01")
    yield "last_digit", held + (Decimal("0.0001") if column.type is ColumnType.MONEY else Decimal("1E-10"))
    yield "sign", -held
    yield "decimal_point", held * 10
    yield "noughts", held.quantize(Decimal(1).scaleb(min(0, int(held.as_tuple().exponent)) - 2))
    if system is System.FINANCE:
        yield "sixth_digit", held + Decimal("0.000001")
    if held and system is System.DATAVERSE:
        yield "emptied", None


def _integer(_system: System, _column: Column, value: Any) -> _Kinds:
    yield "one_more", int(value or 0) + 1


def _boolean(_system: System, _column: Column, value: Any) -> _Kinds:
    yield "other_truth", not value


def _guid(system: System, _column: Column, value: Any) -> _Kinds:
    yield "other_guid", str(uuid.uuid5(_NAMESPACE, str(value)))
    if value and value != _NO_GUID and system is System.FINANCE:
        yield "guid_in_capitals", value.upper()
        yield "emptied", _NO_GUID


def _day(_system: System, _column: Column, value: Any) -> _Kinds:
    if value:
        yield "day", (datetime.fromisoformat(value) + timedelta(days=1)).date().isoformat()
        yield "year", str(int(value[:4]) + 1) + value[4:].replace("02-29", "02-28")
        yield "emptied", None


def _moment(system: System, column: Column, value: Any) -> _Kinds:
    empty = NO_DAY if system is System.FINANCE else None
    if value in (None, NO_DAY):
        yield "filled", "2026-05-01T12:00:00Z"
        if empty:
            yield "no_day_at_midnight", NO_DAY.replace("T12", "T00")
        return
    yield "emptied", empty
    yield "day", _moved(value, days=1)
    yield "time_zone_west", _moved(value, hours=-5)
    yield "time_zone_east", _moved(value, hours=2)
    yield "half_a_day", _moved(value, hours=-13)
    if column.behavior is Behavior.USER_LOCAL:
        yield "microsecond", _moved(value, microseconds=-1)
        yield "microsecond_after", _moved(value, microseconds=1)
        yield "second", _moved(value, seconds=-1)


def _moved(value: str, **by: float) -> str:
    moved = datetime.fromisoformat(value) + timedelta(**by)
    return moved.isoformat().replace("+00:00", "Z")


def _none(_system: System, _column: Column, _value: Any) -> _Kinds:
    return iter(())


_BY_TYPE: Mapping[ColumnType, Callable[[System, Column, Any], _Kinds]] = {
    ColumnType.STRING: _text,
    ColumnType.MEMO: _text,
    ColumnType.DECIMAL: _number,
    ColumnType.MONEY: _number,
    ColumnType.DOUBLE: _number,
    ColumnType.INTEGER: _integer,
    ColumnType.BIGINT: _integer,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.GUID: _guid,
    ColumnType.DATE: _day,
    ColumnType.DATETIME: _moment,
}
