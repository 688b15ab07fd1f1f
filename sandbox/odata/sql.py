"""SQL functions that filters need and that SQLite and Postgres do not share."""

import sqlite3
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from sandbox.store.types import DECIMAL_COLLATION, ExactDecimal

OPERATORS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "divby": "/", "mod": "%"}


class sort_key(GenericFunction[str]):  # noqa: N801 - a SQL function, written as one
    """Text as it sorts and compares by order: case removed, by code point on either database."""

    type = sa.Text()
    inherit_cache = True


class exact_decimal(GenericFunction[Decimal]):  # noqa: N801
    """An integer as a decimal, so that SQLite compares it by value with decimals kept as text."""

    type = ExactDecimal()
    inherit_cache = True


class exact_arithmetic(GenericFunction[Decimal]):  # noqa: N801
    """`exact_arithmetic(operator, left, right)`: decimal arithmetic without a float; x/0 is null."""

    type = ExactDecimal()
    inherit_cache = True


@compiles(sort_key, "sqlite")
def _sort_key_sqlite(element: sort_key, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401
    return f"sandbox_fold({compiler.process(element.clauses, **kw)})"


@compiles(sort_key, "postgresql")
def _sort_key_postgresql(element: sort_key, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401
    return f'(lower({compiler.process(element.clauses, **kw)}) COLLATE "C")'


@compiles(exact_decimal, "sqlite")
def _exact_decimal_sqlite(element: exact_decimal, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401
    return f"(CAST({compiler.process(element.clauses, **kw)} AS TEXT) COLLATE {DECIMAL_COLLATION})"


@compiles(exact_decimal, "postgresql")
def _exact_decimal_postgresql(element: exact_decimal, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401
    return f"CAST({compiler.process(element.clauses, **kw)} AS NUMERIC)"


@compiles(exact_arithmetic, "sqlite")
def _arithmetic_sqlite(element: exact_arithmetic, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401
    return f"(sandbox_arithmetic({compiler.process(element.clauses, **kw)}) COLLATE {DECIMAL_COLLATION})"


@compiles(exact_arithmetic, "postgresql")
def _arithmetic_postgresql(element: exact_arithmetic, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401
    operator, left, right = element.clauses
    name = operator.value  # a bound name out of OPERATORS
    one, other = (f"CAST({compiler.process(side, **kw)} AS NUMERIC)" for side in (left, right))
    if OPERATORS[name] in "/%":
        other = f"NULLIF({other}, 0)"
    return f"({one} {OPERATORS[name].replace('%', '%%')} {other})"


def register_functions(engine: sa.Engine) -> None:
    """Give every SQLite connection of an engine the functions above; Postgres has its own."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _register)
        engine.dispose()  # connections opened before lack them


def _register(connection: sqlite3.Connection, _record: object) -> None:
    connection.create_function("sandbox_arithmetic", 3, _calculate, deterministic=True)


def _calculate(operator: str, left: Any, right: Any) -> str | None:  # noqa: ANN401
    if left is None or right is None:
        return None
    one, other = Decimal(str(left)), Decimal(str(right))
    try:
        return format(_CALCULATIONS[operator](one, other), "f")
    except (InvalidOperation, ZeroDivisionError):
        return None


_CALCULATIONS = {
    "add": Decimal.__add__,
    "sub": Decimal.__sub__,
    "mul": Decimal.__mul__,
    "div": Decimal.__truediv__,
    "divby": Decimal.__truediv__,
    "mod": Decimal.__mod__,
}
