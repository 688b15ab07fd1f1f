"""Rows as JSON: which columns, under which names, with exact decimals."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from sandbox.dataverse.entities import NAMESPACE, Entity
from sandbox.dataverse.errors import bad_request
from sandbox.schema.model import Column, ColumnType
from sandbox.store.tables import VERSION
from sandbox.store.types import DECIMAL_TYPES

Row = dict[str, Any]

ETAG = "@odata.etag"


@dataclass(frozen=True)
class Shape:
    """The columns of an answer.

    Attributes:
        entity: The table.
        properties: Columns by wire name in the order of the answer, the primary id among them.
    """

    entity: Entity
    properties: Mapping[str, Column]

    def selected(self) -> list[sa.ColumnElement[Any]]:
        """Return the SQL columns: the version for the etag, then the properties in order."""
        sql = self.entity.sql
        return [
            sql.c[VERSION],
            *(_wire_value(sql.c[column.name], column) for column in self.properties.values()),
        ]

    def render(self, rows: Iterable[Sequence[Any]]) -> list[Row]:
        """Turn what `selected` brought into JSON objects."""
        names = tuple(self.properties)
        decimals = tuple(name for name, column in self.properties.items() if column.type in DECIMAL_TYPES)
        fragment = orjson.Fragment
        rendered = []
        for version, *values in rows:
            row: Row = {ETAG: f'W/"{version}"'}
            row.update(zip(names, values, strict=True))
            for name in decimals:
                text = row[name]
                if text is not None:
                    row[name] = fragment(text)
            rendered.append(row)
        return rendered


def shape_of(entity: Entity, select: Sequence[str]) -> Shape:
    """Return the columns that $select asks for, all of them where it is empty.

    The primary id is always answered; a money column brings the row's currency along (protocol 1.3).

    Raises:
        ApiError: When a name is no property, or is a navigation property.
    """
    if not select:
        return Shape(entity, entity.properties)
    chosen: dict[str, Column] = {}
    for name in select:
        column = entity.properties.get(name)
        if column is None:
            raise _not_selectable(entity, name)
        chosen[name] = column
    currency = "_transactioncurrencyid_value"
    if currency in entity.properties and any(column.type is ColumnType.MONEY for column in chosen.values()):
        chosen[currency] = entity.properties[currency]
    chosen[entity.primary_id] = entity.properties[entity.primary_id]
    return Shape(entity, chosen)


def _not_selectable(entity: Entity, name: str) -> Exception:
    type_name = f"{NAMESPACE}.{entity.table.name}"
    if name in entity.links or name in entity.collections:
        return bad_request(
            f"Property '{name}' on type '{type_name}' is a navigation property or expand property, "
            f"which is not supported in $select: use _{name}_value or $expand."
        )
    return bad_request(f"Could not find a property named '{name}' on type '{type_name}'.")


def _wire_value(sql: sa.Column[Any], column: Column) -> sa.ColumnElement[Any]:
    """Select a decimal as its text: neither database's driver then makes an object of it."""
    return decimal_text(sql) if column.type in DECIMAL_TYPES else sql


class decimal_text(GenericFunction[str]):
    """A decimal's digits as text."""

    type = sa.Text()
    inherit_cache = True


@compiles(decimal_text, "sqlite")
def _decimal_text_sqlite(element: decimal_text, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.clauses, **kw)


@compiles(decimal_text, "postgresql")
def _decimal_text_postgresql(element: decimal_text, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **kw)} AS TEXT)"
