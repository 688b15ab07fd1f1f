"""The maps' `where` and `when` on one row, apart from the engine's whole-column evaluation."""

import operator
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from projops.mapping.expressions import (
    Comparison,
    Expression,
    Junction,
    Membership,
    Negation,
    TextTest,
    Truth,
)

Read = Callable[[str], Any]
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_JOIN: Mapping[str, Callable[[Iterable[bool]], bool]] = {"and": all, "or": any}
_TEXT: Mapping[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startswith": str.startswith,
    "endswith": str.endswith,
}


def holds(expression: Expression, read: Read) -> bool:
    """Tell whether a condition holds for a row.

    Args:
        expression: Parsed condition.
        read: Gives the plain value of a column or path of the row.
    """
    match expression:
        case Comparison(name, column, value):
            return _compare(name, _folded(read(column)), _folded(value))
        case Membership(column, values):
            return _folded(read(column)) in [_folded(value) for value in values]
        case TextTest(function, column, text):
            found = read(column)
            return found is not None and _TEXT[function](_folded(found), _folded(text))
        case Negation(inner):
            return not holds(inner, read)
        case Truth(column):
            return bool(read(column) == "true")
        case Junction(name, left, right):
            return _JOIN[name](holds(part, read) for part in (left, right))


def _compare(name: str, found: Any, value: Any) -> bool:
    if found is None or value is None:
        return name in {"eq", "ne"} and _COMPARE[name](found, value)
    return _COMPARE[name](found, value)


def _folded(value: Any) -> Any:
    """Both systems compare texts without regard to case; numbers by value; truth values as texts."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, str):
        return value.casefold() or None  # an empty text is no value, as plain values have it
    return value
