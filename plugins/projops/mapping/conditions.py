"""Conditions evaluated on whole Arrow columns.

Texts compare without case, as both systems do. A row either matches or does not: a missing value is
less and greater than nothing, differs from every value, and is the same as an empty text (Finance
has no null, Dataverse no empty text).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa  # noqa: TID253  no DAG file leads here
import pyarrow.compute as pc  # noqa: TID253

from projops.mapping.expressions import (
    Comparison,
    Expression,
    Junction,
    Literal,
    Membership,
    Negation,
    TextTest,
    Truth,
)

_COMPARE: dict[str, Callable[[pa.Array, pa.Scalar], pa.Array]] = {
    "eq": pc.equal,
    "ne": pc.not_equal,
    "gt": pc.greater,
    "ge": pc.greater_equal,
    "lt": pc.less,
    "le": pc.less_equal,
}
_TEXT_TESTS = {"contains": pc.match_substring, "startswith": pc.starts_with, "endswith": pc.ends_with}


def matches(expression: Expression, rows: pa.Table) -> pa.Array:
    """Say which rows an expression takes.

    Args:
        expression: What `expressions.parse` gave.
        rows: A frame with the columns that the expression names, lookup paths as written.

    Returns:
        A boolean array without nulls, one value a row.

    Raises:
        KeyError: The frame lacks a column.
        pyarrow.ArrowInvalid: A literal cannot be compared with its column.
    """
    if isinstance(expression, Junction):
        both = pc.and_ if expression.operator == "and" else pc.or_
        return both(matches(expression.left, rows), matches(expression.right, rows))
    if isinstance(expression, Negation):
        return pc.invert(matches(expression.operand, rows))
    column = _column(rows, expression.column)
    if isinstance(expression, Membership):
        return _any(column, expression.values)
    if isinstance(expression, TextTest):
        test = _TEXT_TESTS[expression.function]
        return pc.fill_null(
            test(pc.utf8_lower(column), pattern=pc.utf8_lower(pa.scalar(expression.text)).as_py()), False
        )
    if isinstance(expression, Truth):
        return pc.fill_null(column, False)
    return _compare(column, expression)


def _column(rows: pa.Table, name: str) -> pa.Array:
    column = rows[name]
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _any(column: pa.Array, values: tuple[Literal, ...]) -> pa.Array:
    found = pa.array([False] * len(column), pa.bool_())
    for value in values:
        found = pc.or_(found, _compare(column, Comparison("eq", "", value)))
    return found


def _compare(column: pa.Array, comparison: Comparison) -> pa.Array:
    empty = pc.is_null(column)
    if pa.types.is_string(column.type):
        column = pc.utf8_lower(column)
        empty = pc.or_kleene(empty, pc.equal(column, ""))
    if comparison.value is None or comparison.value == "":
        return _compare_with_nothing(empty, comparison.operator)
    result = _COMPARE[comparison.operator](*_alike(column, comparison.value))
    return pc.if_else(empty, comparison.operator == "ne", result)


def _compare_with_nothing(empty: pa.Array, operator: str) -> pa.Array:
    if operator == "eq":
        return pc.fill_null(empty, True)
    if operator == "ne":
        return pc.invert(pc.fill_null(empty, True))
    return pa.array([False] * len(empty), pa.bool_())


def _alike(column: pa.Array, value: Literal) -> tuple[pa.Array, pa.Scalar]:
    if isinstance(value, str):
        return column, pc.utf8_lower(pa.scalar(value))  # as the column was: Python knows other capitals
    if isinstance(value, Decimal) and pa.types.is_integer(column.type):
        return column.cast(pa.decimal128(38, 16)), pa.scalar(value, pa.decimal128(38, 16))
    if isinstance(value, datetime) and pa.types.is_date(column.type):
        return column, pa.scalar(value.date())
    if isinstance(value, date) and pa.types.is_timestamp(column.type):
        moment = (
            value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)
        )
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return column, pa.scalar(aware, column.type)
    return column, pa.scalar(value, column.type)
