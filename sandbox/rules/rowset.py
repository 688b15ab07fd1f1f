"""Rows of one table, found by equal values as both systems compare them: text without case."""

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from sandbox.schema.model import Column, Table
from sandbox.store import fold
from sandbox.store.types import TEXT_TYPES

_LIST = (list, tuple, set, frozenset)


class MissingRowError(LookupError):
    """A row that a rule needs and that is not there; the sentence says which."""


def find_rows(
    connection: sa.Connection, table: Table, sql: sa.Table, order: str, where: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return rows whose columns have the given values, in the order of a column.

    Args:
        connection: Of the transaction.
        table: The schema table.
        sql: Its rows.
        order: Column to sort by.
        where: A value by column; None for no value, a list for any of its values.
    """
    conditions = [_condition(table.columns.get(name), sql.c[name], value) for name, value in where.items()]
    query = sa.select(sql).where(*conditions).order_by(sql.c[order])
    return [dict(row) for row in connection.execute(query).mappings()]


def _condition(column: Column | None, sql: sa.ColumnElement[Any], value: Any) -> sa.ColumnElement[bool]:
    if value is None:
        return sql.is_(None)
    text = column is not None and column.type in TEXT_TYPES
    if isinstance(value, _LIST):
        return _any_of(sql, value, text)
    return fold(sql) == fold(value) if text else sql == value


def _any_of(sql: sa.ColumnElement[Any], values: Collection[Any], text: bool) -> sa.ColumnElement[bool]:
    return fold(sql).in_([fold(value) for value in values]) if text else sql.in_(list(values))
