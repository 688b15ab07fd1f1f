"""Target checks: a value is brought into its column's type, or its row is set aside."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from projops.mapping.catalog import Column, ColumnType, arrow_type, finance_enums
from projops.mapping.keys import guid_column
from projops.transform.outcome import Fault, Outcome
from projops.transform.texts import utf16_length

_INT32 = 2**31
_INTEGER_TEXT = r"^[+-]?[0-9]{1,18}$"


def conform(values: pa.Array, target: Column) -> Outcome:
    """Bring values into the Arrow type of a column; those that cannot go are bad, and null."""
    wanted = arrow_type(target)
    if target.type in (ColumnType.GUID, ColumnType.LOOKUP):
        guids = guid_column(values.cast(pa.string()))
        bad = pc.and_(pc.is_valid(values), pc.is_null(guids))
        return Outcome(guids, bad, f"is no GUID, as {target.name} needs; correct it at the source", values)
    if values.type == wanted:
        return Outcome(values)
    if pa.types.is_integer(wanted):
        return _to_integer(values, target)
    if pa.types.is_boolean(wanted) and pa.types.is_string(values.type):
        good = pc.is_in(values, value_set=pa.array(["true", "false", None]))
        return _kept(values, good, wanted, f"is neither true nor false, as {target.name} needs")
    if pa.types.is_timestamp(wanted) and pa.types.is_string(values.type):
        return Outcome(values.cast(pa.timestamp("us")).cast(wanted))  # a constant of the map, in UTC
    return Outcome(values.cast(wanted))


def faults_of(values: pa.Array, target: Column, field: str) -> list[Fault]:
    """What a column's limits forbid: length, digits after the point, range, options.

    Args:
        values: In the column's Arrow type.
        target: The column.
        field: Name under which the row is set aside.
    """
    return [
        Fault(rule, field, f"{field} {reason}.", pc.fill_null(bad, False), values)
        for rule, check in _CHECKS
        for bad, reason in [check(values, target) or (None, "")]
        if bad is not None and pc.any(bad).as_py()
    ]


def missing(values: pa.Array, rule: str, field: str) -> list[Fault]:
    """Rows without a value in a field that must have one."""
    empty = pc.is_null(values)
    if pa.types.is_string(values.type):
        empty = pc.or_(empty, pc.fill_null(pc.equal(values, ""), True))
    message = f"{field} must have a value and has none; fill it at the source."
    return [Fault(rule, field, message, empty, None)] if pc.any(empty).as_py() else []


def _kept(values: pa.Array, good: pa.Array, wanted: pa.DataType, reason: str) -> Outcome:
    """Cast what is good; the rest is null and bad."""
    good = pc.fill_null(good, True)
    cast = pc.if_else(good, values, pa.scalar(None, values.type)).cast(wanted)
    return Outcome(cast, pc.invert(good), f"{reason}; correct it at the source", values)


def _to_integer(values: pa.Array, target: Column) -> Outcome:
    reason = f"is no whole number, as {target.name} needs"
    if pa.types.is_string(values.type):
        return _kept(values, pc.match_substring_regex(values, _INTEGER_TEXT), pa.int64(), reason)
    whole = pc.equal(pc.round(values, ndigits=0, round_mode="towards_zero"), values)
    return _kept(values, whole, pa.int64(), reason)


_Check = Callable[[pa.Array, Column], tuple[pa.Array, str] | None]


def _length(values: pa.Array, target: Column) -> tuple[pa.Array, str] | None:
    if not target.is_text or target.length is None:
        return None
    too_long = pc.greater(utf16_length(values), target.length)
    return (
        too_long,
        f"is longer than the {target.length} characters that it may have; shorten it at the source",
    )


def _scale(values: pa.Array, target: Column) -> tuple[pa.Array, str] | None:
    if target.scale is None or not pa.types.is_decimal(values.type):
        return None
    rounded = pc.round(values, ndigits=target.scale)
    reason = (
        f"has more than the {target.scale} digits after the point that it may have; round it in the mapping"
    )
    return pc.not_equal(values, rounded), reason


def _range(values: pa.Array, target: Column) -> tuple[pa.Array, str] | None:
    if target.type is not ColumnType.INTEGER:
        return None
    outside = pc.or_(pc.less(values, -_INT32), pc.greater_equal(values, _INT32))
    return outside, "is outside the range of a whole number of 32 bits; correct it at the source"


def _option(values: pa.Array, target: Column) -> tuple[pa.Array, str] | None:
    if target.options:
        known = pa.array(list(target.options), pa.int64())
    elif target.enum:
        known = pa.array(finance_enums().get(target.enum, ()), pa.string())
    else:
        return None
    unknown = pc.and_not(pc.is_valid(values), pc.is_in(values, value_set=known))
    return unknown, "is no value that it may have; correct the value map or the row"


_CHECKS: tuple[tuple[str, _Check], ...] = (
    ("length", _length),
    ("scale", _scale),
    ("range", _range),
    ("option", _option),
)
