"""The vocabulary of mapping operators: which there are, what each takes, which columns each reads.

`transform` does the work; here stands what reader, lint and extract must know of it. An operator
changes the value that `from`, or the operator before it, gave; `constant`, `concat` and `python`
with columns make one of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from projops.mapping.expressions import ExpressionError, columns_of, parse
from projops.mapping.model import Step

MAKES_A_VALUE = frozenset({"constant", "concat", "python"})


def argument_problem(operator: str, argument: Any) -> str | None:
    """Why an operator cannot take an argument, as half a sentence, or None."""
    return _CHECKS[operator](argument)


def is_operator(name: str) -> bool:
    """Whether there is an operator of that name."""
    return name in _CHECKS


def operator_names() -> tuple[str, ...]:
    """All operators."""
    return tuple(_CHECKS)


def step_columns(step: Step) -> tuple[str, ...]:
    """The source columns that a step reads besides the value that it is given.

    Raises:
        ExpressionError: The condition of a `when` cannot be read.
    """
    if step.operator == "concat":
        return tuple(part for part in step.argument if not is_literal(part))
    if step.operator == "when":
        return columns_of(parse(step.argument))
    if step.operator == "default" and isinstance(step.argument, Mapping):
        return (step.argument["from"],)
    if step.operator == "python" and isinstance(step.argument, Mapping):
        return tuple(step.argument.get("columns", ()))
    return ()


def function_name(step: Step) -> str:
    """The registered function that a `python` step names."""
    return str(step.argument["function"] if isinstance(step.argument, Mapping) else step.argument)


def is_literal(part: str) -> bool:
    """Whether a part of `concat` is a text in single quotes rather than a column."""
    return len(part) > 1 and part[0] == part[-1] == "'"


def literal_text(part: str) -> str:
    """The text that a quoted part of `concat` stands for ('' is one quote)."""
    return part[1:-1].replace("''", "'")


def _whole_number(least: int, most: int) -> Callable[[Any], str | None]:
    def check(argument: Any) -> str | None:
        good = isinstance(argument, int) and not isinstance(argument, bool) and least <= argument <= most
        return None if good else f"takes a whole number from {least} to {most}"

    return check


def _name(argument: Any) -> str | None:
    return None if isinstance(argument, str) and argument else "takes a name"


def _true(argument: Any) -> str | None:
    return None if argument is True else "takes true"


def _value(argument: Any) -> str | None:
    return "takes a value" if argument is None or isinstance(argument, dict | tuple) else None


def _value_or_column(argument: Any) -> str | None:
    if isinstance(argument, dict):
        good = set(argument) == {"from"} and isinstance(argument["from"], str)
        return None if good else "takes a value, or {from: column}"
    return _value(argument)


def _parts(argument: Any) -> str | None:
    good = (
        isinstance(argument, tuple) and argument and all(isinstance(part, str) and part for part in argument)
    )
    return None if good else "takes a list of columns and of texts in single quotes"


def _condition(argument: Any) -> str | None:
    if not isinstance(argument, str):
        return "takes a condition"
    try:
        parse(argument)
    except ExpressionError as error:
        return f"takes a condition: {error}"
    return None


def _function(argument: Any) -> str | None:
    if isinstance(argument, str) and argument:
        return None
    if isinstance(argument, dict) and set(argument) <= {"function", "columns"}:
        columns = argument.get("columns", ())
        if isinstance(argument.get("function"), str) and isinstance(columns, tuple):
            return None if all(isinstance(column, str) for column in columns) else "takes column names"
    return "takes a function name, or {function: name, columns: [...]}"


_CHECKS: Mapping[str, Callable[[Any], str | None]] = {
    "value_map": _name,
    "default": _value_or_column,
    "constant": _value,
    "truncate": _whole_number(1, 1_000_000),
    "round": _whole_number(0, 16),
    "date": _true,
    "concat": _parts,
    "unit": _true,
    "currency": _true,
    "when": _condition,
    "python": _function,
}
