"""The expression grammar of `where` and `when`: an OData filter without arithmetic, lambda and cast.

    msdyn_skipsync eq false and (msdyn_project.msdyn_istemplate eq false or msdyn_project eq null)

Columns are names or lookup paths, dotted or slashed. Comparison: eq ne gt ge lt le, in. Logic: and,
or, not, brackets. Functions: contains, startswith, endswith. Enum symbols are texts. It is parsed
here by odata-query's grammar and evaluated in `conditions` on whole columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from odata_query import ast

Literal = bool | int | Decimal | str | date | datetime | None


class ExpressionError(ValueError):
    """An expression that the grammar does not allow; its text is one sentence."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`column operator value`; operator is eq, ne, gt, ge, lt or le."""

    operator: str
    column: str
    value: Literal


@dataclass(frozen=True, slots=True)
class Membership:
    """`column in (values)`."""

    column: str
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class TextTest:
    """`function(column, 'text')`; function is contains, startswith or endswith."""

    function: str
    column: str
    text: str


@dataclass(frozen=True, slots=True)
class Truth:
    """A truth-value column by itself."""

    column: str


@dataclass(frozen=True, slots=True)
class Negation:
    """`not operand`."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Junction:
    """`left and right`, or `left or right`."""

    operator: str
    left: Expression
    right: Expression


Expression = Comparison | Membership | TextTest | Truth | Negation | Junction

_MIRRORED = {"eq": "eq", "ne": "ne", "gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
_OPERATORS = {"Eq": "eq", "NotEq": "ne", "Gt": "gt", "GtE": "ge", "Lt": "lt", "LtE": "le"}


@lru_cache(maxsize=1024)
def parse(text: str) -> Expression:
    """Parse an expression.

    Raises:
        ExpressionError: The text is no expression of this grammar.
    """
    from odata_query import exceptions, grammar

    try:
        tree = grammar.ODataParser().parse(grammar.ODataLexer().tokenize(text))
    except exceptions.ODataException as error:
        raise ExpressionError(f"'{text}' cannot be read: {_reason(error)}.") from error
    if tree is None:
        raise ExpressionError("The expression is empty.")
    return _expression(tree, text)


def columns_of(expression: Expression) -> tuple[str, ...]:
    """The columns that an expression reads, each once, in the order of their appearance."""
    return tuple(dict.fromkeys(_columns(expression)))


def literals_of(expression: Expression) -> Iterator[tuple[str, Literal]]:
    """The pairs (column, literal) that an expression compares."""
    if isinstance(expression, Comparison):
        yield expression.column, expression.value
    elif isinstance(expression, Membership):
        for value in expression.values:
            yield expression.column, value
    elif isinstance(expression, TextTest):
        yield expression.column, expression.text
    elif isinstance(expression, Negation):
        yield from literals_of(expression.operand)
    elif isinstance(expression, Junction):
        yield from literals_of(expression.left)
        yield from literals_of(expression.right)


def _columns(expression: Expression) -> Iterator[str]:
    if isinstance(expression, Negation):
        yield from _columns(expression.operand)
    elif isinstance(expression, Junction):
        yield from _columns(expression.left)
        yield from _columns(expression.right)
    else:
        yield expression.column


def _reason(error: Exception) -> str:
    token = getattr(error, "token", None)
    if token is not None:
        return f"something is wrong at position {token.index + 1}"
    return "it ends too early" if getattr(error, "eof", False) else str(error).rstrip(".")


def _expression(node: Any, text: str) -> Expression:
    kind = type(node).__name__
    if kind == "BoolOp":
        operator = type(node.op).__name__.lower()
        return Junction(operator, _expression(node.left, text), _expression(node.right, text))
    if kind == "UnaryOp" and type(node.op).__name__ == "Not":
        return Negation(_expression(node.operand, text))
    if kind == "Compare":
        return _comparison(node, text)
    if kind == "Call":
        return _call(node, text)
    if kind in ("Identifier", "Attribute"):
        return Truth(_column(node, text))
    raise ExpressionError(f"'{text}' is no condition: {kind} gives no truth value.")


def _comparison(node: ast.Compare, text: str) -> Expression:
    operator = type(node.comparator).__name__
    if operator == "In":
        values = getattr(node.right, "val", None)
        if type(node.right).__name__ != "List" or values is None:
            raise ExpressionError(f"'{text}' needs a list in brackets after `in`.")
        return Membership(_column(node.left, text), tuple(_literal(value, text) for value in values))
    name = _OPERATORS[operator]
    if _is_column(node.left):
        return Comparison(name, _column(node.left, text), _literal(node.right, text))
    return Comparison(_MIRRORED[name], _column(node.right, text), _literal(node.left, text))


def _call(node: ast.Call, text: str) -> Expression:
    function = _column(node.func, text)
    if function not in ("contains", "startswith", "endswith"):
        raise ExpressionError(f"'{text}' uses {function}, which this grammar does not have.")
    value = _literal(node.args[1], text)
    if not isinstance(value, str):
        raise ExpressionError(f"'{text}' needs a text in single quotes as the second part of {function}.")
    return TextTest(function, _column(node.args[0], text), value)


def _is_column(node: Any) -> bool:
    return type(node).__name__ in ("Identifier", "Attribute")


def _column(node: Any, text: str) -> str:
    kind = type(node).__name__
    if kind == "Identifier":
        return str(node.full_name())
    if kind == "Attribute":
        return f"{_column(node.owner, text)}.{node.attr}"
    raise ExpressionError(f"'{text}' must compare a column with a value.")


def _literal(node: Any, text: str) -> Literal:
    kind = type(node).__name__
    if kind == "UnaryOp" and type(node.op).__name__ == "USub":
        value = _literal(node.operand, text)
        if isinstance(value, int | Decimal):
            return -value
    if kind == "Float":
        return Decimal(node.val)
    if kind in ("Null", "Integer", "Boolean", "String", "Date", "DateTime", "GUID"):
        value = node.py_val
        return str(value) if isinstance(value, UUID) else value
    raise ExpressionError(f"'{text}' must compare a column with a value.")
