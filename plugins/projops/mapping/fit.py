"""Whether what a field rule makes can fit its target: kinds, lengths, digits after the point.

The rule's operators are followed one by one over a *shape*, what is known of a value before any
row is seen. What the catalog does not know (lengths that are not public) is left to the target
checks of each row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from projops.mapping.catalog import Column, ColumnType, finance_enums
from projops.mapping.model import Step
from projops.mapping.value_maps import value_text

GUID_LENGTH = 36
CURRENCY_LENGTH = 3
UNIT_LENGTH = 10
_WHOLE = (ColumnType.INTEGER, ColumnType.BIGINT, ColumnType.OPTION)
_EXACT = (ColumnType.DECIMAL, ColumnType.MONEY)
_ANY = None


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of a value.

    Attributes:
        kind: text, guid, whole, decimal, double, boolean, day, time, enum, or None for anything.
        length: Longest text, or None where it is not known.
        scale: Digits after the point, or None where it is not known.
    """

    kind: str | None
    length: int | None = None
    scale: int | None = None


def shape_of(column: Column) -> Shape:
    """The shape of a column's values."""
    if column.is_day:
        return Shape("day")
    if column.is_text or column.type is ColumnType.MULTI_OPTION:
        return Shape("text", length=column.length)
    if column.type in _WHOLE:
        return Shape("whole", scale=0)
    if column.type in _EXACT:
        return Shape("decimal", scale=column.scale)
    kinds = {
        ColumnType.GUID: "guid",
        ColumnType.LOOKUP: "guid",
        ColumnType.DOUBLE: "double",
        ColumnType.BOOLEAN: "boolean",
        ColumnType.DATETIME: "time",
        ColumnType.ENUM: "enum",
    }
    return Shape(kinds[column.type])


def rule_shape(source: Column | None, steps: tuple[Step, ...], parts: Mapping[str, Column]) -> Shape:
    """The shape that a rule makes.

    Args:
        source: The column that `from` names, or None.
        steps: The rule's operators.
        parts: Catalog columns of the paths that `concat` and `default` read, by path.
    """
    shape = shape_of(source) if source is not None else Shape(_ANY)
    for step in steps:
        shape = _AFTER[step.operator](shape, step, parts) if step.operator in _AFTER else shape
    return shape


def misfit(shape: Shape, target: Column) -> tuple[str, str] | None:
    """Why a shape cannot fit a column: (what is wrong, what to do), or None."""
    wanted = shape_of(target)
    if shape.kind is _ANY:
        return None
    if shape.kind not in _ACCEPTS[wanted.kind or ""]:
        return _kind_problem(shape, wanted, target)
    if wanted.kind == "text" and wanted.length is not None and (_length(shape) or 0) > wanted.length:
        return (
            f"a text of up to {_length(shape)} characters is too long for {target.name} ({wanted.length})",
            f"Add `truncate: {wanted.length}`.",
        )
    if wanted.scale is not None and (shape.scale or 0) > wanted.scale:
        return (
            f"{shape.scale} digits after the point do not fit {target.name}, which holds {wanted.scale}",
            f"Add `round: {wanted.scale}`.",
        )
    return None


def literal_problem(value: Any, target: Column) -> str | None:
    """Why a constant cannot stand in a column, as half a sentence, or None."""
    if target.type is ColumnType.ENUM:
        symbols = finance_enums().get(target.enum or "", ())
        return None if value in symbols else f"is no member of {target.enum} ({', '.join(symbols)})"
    if target.options and value_text(value) not in {str(option) for option in target.options}:
        return f"is no option of {target.name} ({', '.join(map(str, target.options))})"
    wanted = shape_of(target)
    if not _READS[wanted.kind or ""](value):
        return f"is no {wanted.kind}"
    if wanted.kind == "text" and wanted.length is not None and len(str(value)) > wanted.length:
        return f"is longer than the {wanted.length} characters of {target.name}"
    return None


def _length(shape: Shape) -> int | None:
    return GUID_LENGTH if shape.kind == "guid" else shape.length


def _kind_problem(shape: Shape, wanted: Shape, target: Column) -> tuple[str, str]:
    remedy = {
        ("day", "time"): "Add `date: true`.",
        ("time", "day"): "Add `date: true`.",
        ("enum", "whole"): "Add a `value_map`.",
        ("enum", "boolean"): "Add a `value_map`.",
        ("enum", "text"): "Add a `value_map`.",
        ("boolean", "enum"): "Add a `value_map`.",
        ("whole", "decimal"): "Add `round: 0`.",
    }.get((wanted.kind or "", shape.kind or ""), "Map another column, or add an operator that converts it.")
    return f"the {shape.kind} value cannot become the {wanted.kind} {target.name}", remedy


def _after_concat(_: Shape, step: Step, parts: Mapping[str, Column]) -> Shape:
    lengths = [_length(shape_of(parts[part])) if part in parts else len(part) - 2 for part in step.argument]
    return Shape("text", length=None if None in lengths else sum(length or 0 for length in lengths))


def _after_default(shape: Shape, step: Step, parts: Mapping[str, Column]) -> Shape:
    if not isinstance(step.argument, Mapping) or step.argument["from"] not in parts:
        return shape
    other = shape_of(parts[step.argument["from"]])
    longest = (
        None if None in (_length(shape), _length(other)) else max(_length(shape) or 0, _length(other) or 0)
    )
    return replace(shape, length=longest) if shape.kind == other.kind else Shape(_ANY)


def _after_round(shape: Shape, step: Step, _: Mapping[str, Column]) -> Shape:
    return Shape("whole" if step.argument == 0 else "decimal", scale=step.argument) if shape.kind else shape


_AFTER: Mapping[str, Callable[[Shape, Step, Mapping[str, Column]], Shape]] = {
    "value_map": lambda *_: Shape(_ANY),
    "constant": lambda *_: Shape(_ANY),
    "python": lambda *_: Shape(_ANY),
    "default": _after_default,
    "truncate": lambda _, step, __: Shape("text", length=step.argument),
    "round": _after_round,
    "date": lambda *_: Shape("date"),
    "concat": _after_concat,
    "unit": lambda *_: Shape("text", length=UNIT_LENGTH),
    "currency": lambda *_: Shape("text", length=CURRENCY_LENGTH),
}

# What each kind of column takes without an operator. "date" is what the operator `date` makes.
_ACCEPTS: Mapping[str, frozenset[str]] = {
    "text": frozenset({"text", "guid", "enum"}),
    "guid": frozenset({"guid", "text"}),
    "whole": frozenset({"whole"}),
    "decimal": frozenset({"decimal", "whole"}),
    "double": frozenset({"double", "decimal", "whole"}),
    "boolean": frozenset({"boolean"}),
    "day": frozenset({"day", "date"}),
    "time": frozenset({"time", "date"}),
    "enum": frozenset({"enum"}),
}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _reads(constructor: Callable[[str], Any]) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        try:
            constructor(str(value))
        except (ValueError, InvalidOperation):
            return False
        return True

    return check


_READS: Mapping[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "guid": _reads(UUID),
    "whole": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "decimal": _is_number,
    "double": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "day": _reads(date.fromisoformat),
    "time": _reads(date.fromisoformat),
    "enum": lambda value: isinstance(value, str),
}
