"""SQL functions that filters need and that SQLite and Postgres do not share."""

import sqlite3
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, InvalidOperation
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from sandbox.store.types import DECIMAL_COLLATION, ExactDecimal

OPERATORS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "divby": "/", "mod": "%"}
QUOTIENT_DIGITS = 20  # after the point: both databases round there, so that they agree


class sort_key(GenericFunction[str]):
    """Text as it sorts and compares by order: case removed, by code point on either database."""

    type = sa.Text()
    inherit_cache = True


class exact_decimal(GenericFunction[Decimal]):
    """An integer as a decimal, so that SQLite compares it by value with decimals kept as text."""

    type = ExactDecimal()
    inherit_cache = True


class exact_arithmetic(GenericFunction[Decimal]):
    """Decimal arithmetic without a float; x/0 is null. Made by `arithmetic`."""

    type = ExactDecimal()
    inherit_cache = True


@compiles(sort_key, "sqlite")
def _sort_key_sqlite(element: sort_key, compiler: SQLCompiler, **kw: Any) -> str:
    return f"sandbox_fold({compiler.process(element.clauses, **kw)})"


@compiles(sort_key, "postgresql")
def _sort_key_postgresql(element: sort_key, compiler: SQLCompiler, **kw: Any) -> str:
    return f'(lower({compiler.process(element.clauses, **kw)}) COLLATE "C")'


@compiles(exact_decimal, "sqlite")
def _exact_decimal_sqlite(element: exact_decimal, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(CAST({compiler.process(element.clauses, **kw)} AS TEXT) COLLATE {DECIMAL_COLLATION})"


@compiles(exact_decimal, "postgresql")
def _exact_decimal_postgresql(element: exact_decimal, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **kw)} AS NUMERIC)"


@compiles(exact_arithmetic, "sqlite")
def _arithmetic_sqlite(element: exact_arithmetic, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(sandbox_arithmetic({compiler.process(element.clauses, **kw)}) COLLATE {DECIMAL_COLLATION})"


@compiles(exact_arithmetic, "postgresql")
def _arithmetic_postgresql(element: exact_arithmetic, compiler: SQLCompiler, **kw: Any) -> str:
    operator, left, right = element.clauses
    name = str(operator).strip("'")
    one, other = (f"CAST({compiler.process(side, **kw)} AS NUMERIC)" for side in (left, right))
    if OPERATORS[name] in "/%":
        other = f"NULLIF({other}, 0)"
    if OPERATORS[name] == "/":
        return f"ROUND(ROUND({one}, {QUOTIENT_DIGITS}) / {other}, {QUOTIENT_DIGITS})"
    return f"({one} {OPERATORS[name].replace('%', '%%')} {other})"


def arithmetic(
    operator: str, left: sa.ColumnElement[Any], right: sa.ColumnElement[Any]
) -> sa.ColumnElement[Decimal]:
    """`left operator right`, for an operator of `OPERATORS`.

    The operator is part of the SQL text, not a parameter: the statement cache must tell them apart.

    Raises:
        KeyError: Another operator.
    """
    if operator not in OPERATORS:
        raise KeyError(operator)
    return exact_arithmetic(sa.literal_column(f"'{operator}'"), left, right)


def register_functions(engine: sa.Engine) -> None:
    """Give every SQLite connection of an engine the functions above; Postgres has its own."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _register)
        engine.dispose()  # connections opened before lack them


def _register(connection: sqlite3.Connection, _record: object) -> None:
    connection.create_function("sandbox_arithmetic", 3, _calculate, deterministic=True)


def _calculate(operator: str, left: Any, right: Any) -> str | None:
    if left is None or right is None:
        return None
    one, other = Decimal(str(left)), Decimal(str(right))
    try:
        return format(_CALCULATIONS[operator](one, other), "f")
    except (InvalidOperation, DivisionByZero):
        return None


def _quotient(one: Decimal, other: Decimal) -> Decimal:
    return _EXACT.divide(one, other).quantize(Decimal(1).scaleb(-QUOTIENT_DIGITS), ROUND_HALF_UP, _EXACT)


_EXACT = Context(prec=200, traps=[InvalidOperation, DivisionByZero])
_CALCULATIONS = {
    "add": _EXACT.add,
    "sub": _EXACT.subtract,
    "mul": _EXACT.multiply,
    "div": _quotient,
    "divby": _quotient,
    "mod": _EXACT.remainder,
}
