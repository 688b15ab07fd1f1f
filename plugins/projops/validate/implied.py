"""What map and schema imply of a source row, so that nobody has to write it down.

A row is judged by what its target can hold, as far as the source does not make sure of it: the transform
would refuse it too, later and column by column. Types are no matter here: a source frame has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from projops.mapping.catalog import Column, ColumnType, finance_enums
from projops.mapping.model import FieldRule, Leg, System, TableMap
from projops.mapping.paths import key_paths, source_column, target_column
from projops.mapping.value_maps import ValueMap
from projops.validate.expectations import OF_KEYS, RowExpectation, Severity

_BETWEEN = "expect_column_values_to_be_between"
_IN_SET = "expect_column_values_to_be_in_set"
_MATCH = "expect_column_values_to_match_regex"
_GUID = r"(?i)^[{ ]*[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}[} ]*$"
_FILLED_BY = {"default", "value_map", "when"}  # operators that give a value where the source has none

# The days that a system can hold. Finance keeps days up to the end of 2154 [L], and 1900-01-01 is its way of
# saying none; Dataverse begins with 1753 [D].
_DAYS = {
    System.FINANCE: (date(1900, 1, 2), date(2154, 12, 31)),
    System.DATAVERSE: (date(1753, 1, 1), date(9999, 12, 31)),
}
# The numbers that a column of Dataverse can hold [D]; those of Finance's are not public.
_NUMBERS = {
    ColumnType.INTEGER: (-(2**31), 2**31 - 1),
    ColumnType.DECIMAL: (-100_000_000_000, 100_000_000_000),
    ColumnType.MONEY: (-922_337_203_685_477, 922_337_203_685_477),
}
_EXACT = (ColumnType.DECIMAL, ColumnType.MONEY)
_WHOLE = (ColumnType.OPTION, ColumnType.INTEGER, ColumnType.BIGINT)


IMPLIED_RULES = frozenset(
    {"key", "key_blank", "required", "length", "guid", "value_map", "range", "day", "option"}
    | {each.rule for each in OF_KEYS}
)


def expectations_of(
    table_map: TableMap, leg: Leg, value_maps: Mapping[str, ValueMap], written: Iterable[RowExpectation]
) -> tuple[RowExpectation, ...]:
    """All that must hold of a leg's source rows: what map and schema imply, then what was written down.

    Args:
        table_map: The map.
        leg: The leg.
        value_maps: Value maps by name.
        written: The leg's part of `include/expectations`.
    """
    return (*implied_expectations(table_map, leg, value_maps), *written)


def implied_expectations(
    table_map: TableMap, leg: Leg, value_maps: Mapping[str, ValueMap]
) -> tuple[RowExpectation, ...]:
    """What map and schema imply of a leg's source rows.

    Keys and required fields present, lengths, GUIDs, numbers and days that the target can hold, values of
    value maps; options that the schema does not know are warnings.

    Args:
        table_map: The map.
        leg: The leg.
        value_maps: Value maps by name.
    """
    found = [
        each
        for path in key_paths(table_map, leg.direction.source)
        for each in _of_key(path, source_column(table_map, leg, path))
    ]
    for rule in leg.fields:
        if rule.source is not None:
            source = source_column(table_map, leg, rule.source)
            target = target_column(table_map, leg, rule.target)
            found.extend(_of_rule(leg, rule, source, target, value_maps))
    return tuple({(each.rule, each.field): each for each in found}.values())


def _of_key(path: str, column: Column) -> Iterator[RowExpectation]:
    """A key is there, and more than blanks: both systems compare keys without them."""
    yield _present("key", path)
    if column.is_text:
        message = f"{path} holds nothing but blanks, which is no key; fill it at the source."
        yield _judged("key_blank", path, message, _MATCH, {"regex": r"\S"})


def _of_rule(
    leg: Leg, rule: FieldRule, source: Column, target: Column, value_maps: Mapping[str, ValueMap]
) -> Iterator[RowExpectation]:
    path = rule.source or ""
    operators = [step.operator for step in rule.steps]
    mandatory = rule.required or (leg.direction.target is System.DATAVERSE and target.required)
    if mandatory and not _FILLED_BY & set(operators):
        yield _present("required", path)
    if not operators:
        yield from _as_it_stands(path, source, target, rule.target)
    if operators[:1] == ["value_map"]:
        yield _in_value_map(leg, path, source, value_maps[rule.steps[0].argument])
    if set(operators) <= {"round"}:
        yield from _number(leg, path, source, target)
    if set(operators) <= {"date"}:
        yield from _day(leg, path, source)


def _as_it_stands(path: str, source: Column, target: Column, field: str) -> Iterator[RowExpectation]:
    """What goes to the target without an operator: a text, a GUID held as text, the number of an option."""
    if target.is_text and source.is_text and target.length is not None:
        if (source.length or target.length + 1) > target.length:
            message = (
                f"{path} is longer than the {target.length} characters of {field}; shorten it at the source."
            )
            kind = "expect_column_value_lengths_to_be_between"
            yield _judged("length", path, message, kind, {"max_value": target.length})
    elif source.is_text and target.type in (ColumnType.GUID, ColumnType.LOOKUP) and target.name == field:
        message = f"{path} is no GUID, as {field} needs; correct it at the source."
        yield _judged("guid", path, message, _MATCH, {"regex": _GUID})
    elif known := _members(source):
        message = (
            f"{path} has an option that the schema does not know; bring the catalog of columns up to date."
        )
        yield _judged("option", path, message, _IN_SET, {"value_set": known}, Severity.WARNING)


def _members(column: Column) -> list[Any]:
    return list(column.options) or list(finance_enums().get(column.enum or "", ()))


def _number(leg: Leg, path: str, source: Column, target: Column) -> Iterator[RowExpectation]:
    """A number that the target can hold; a column of the same type holds no others."""
    to_dataverse = leg.direction.target is System.DATAVERSE
    if target.type not in _NUMBERS or not (to_dataverse or target.type is ColumnType.INTEGER):
        return
    if (
        source.type in (*_EXACT, *_WHOLE, ColumnType.DOUBLE)
        and source.type is not target.type
        or to_dataverse
    ):
        least, most = _NUMBERS[target.type]
        message = (
            f"{path} is not between {least} and {most}, as {target.name} needs; correct it at the source."
        )
        yield _judged("range", path, message, _BETWEEN, {"min_value": least, "max_value": most})


def _day(leg: Leg, path: str, source: Column) -> Iterator[RowExpectation]:
    """A day that the target can hold: what lies outside is a slip of the pen, or means none."""
    if not source.is_day and source.type is not ColumnType.DATETIME:
        return
    first, last = _DAYS[leg.direction.target]
    message = (
        f"{path} is not between {first} and {last}, which {leg.direction.target} can hold; correct the date."
    )
    bounds: dict[str, Any] = {"min_value": first, "max_value": last}
    if not source.is_day:  # without a zone: Great Expectations knows none, and is given UTC
        bounds = {
            "min_value": datetime(first.year, first.month, first.day),
            "max_value": datetime(last.year, last.month, last.day, 23, 59, 59),
        }
    yield _judged("day", path, message, _BETWEEN, bounds)


def _in_value_map(leg: Leg, path: str, source: Column, value_map: ValueMap) -> RowExpectation:
    known = [value for value in value_map.towards(leg.direction) if value is not None]
    values: list[Any] = list(known)
    if source.type is ColumnType.BOOLEAN:
        values = [value == "true" for value in known]
    elif source.type in _WHOLE:
        values = [int(value) for value in known]
    name = value_map.name
    message = f"{path} has a value without a line in the value map {name}; add one or correct the row."
    return _judged("value_map", path, message, _IN_SET, {"value_set": values})


def _present(rule: str, path: str) -> RowExpectation:
    message = f"{path} must have a value and has none; fill it at the source."
    return _judged(rule, path, message, "expect_column_values_to_not_be_null", {})


def _judged(
    rule: str,
    path: str,
    message: str,
    kind: str,
    options: Mapping[str, Any],
    severity: Severity = Severity.ERROR,
) -> RowExpectation:
    return RowExpectation(rule, path, message, kind, {"column": path}, options, severity=severity)
