"""Rows as JSON: which columns, under which names, with exact decimals and, on demand, annotations."""

from collections.abc import Callable, Iterable, Mapping, Sequence
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
ANNOTATION_GROUPS = {
    "formatted": "OData.Community.Display.V1.FormattedValue",
    "lookup": f"{NAMESPACE}.lookuplogicalname",
    "navigation": f"{NAMESPACE}.associatednavigationproperty",
}


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


@dataclass(frozen=True)
class Annotator:
    """Adds the annotations that a Prefer header asks for.

    Attributes:
        pattern: What `odata.include-annotations` says: `*` or a list of names, `*` at the end of one.
        names: Finds the names of rows, given logical name and GUIDs: the text that a lookup shows.
        target: Finds the table that a lookup value leads to, where it may be one of several.
    """

    pattern: str
    names: Callable[[str, set[str]], Mapping[str, str]]
    target: Callable[[Column], str]

    def wants(self, annotation: str) -> bool:
        """Say whether an annotation was asked for."""
        for wanted in (part.strip() for part in self.pattern.split(",")):
            if wanted == annotation or (wanted.endswith("*") and annotation.startswith(wanted[:-1])):
                return True
        return False

    def annotate(self, shape: Shape, rows: list[Row]) -> list[Row]:
        """Return the rows with their annotations, each behind its property."""
        labels = self._lookup_labels(shape, rows) if self.wants(ANNOTATION_GROUPS["formatted"]) else None
        return [self._annotated(shape, row, labels) for row in rows]

    def _lookup_labels(self, shape: Shape, rows: list[Row]) -> dict[str, str]:
        labels: dict[str, str] = {}
        for name, column in shape.properties.items():
            if column.type is ColumnType.LOOKUP:
                labels |= self.names(self.target(column), {row[name] for row in rows if row[name]})
        return labels

    def _annotated(self, shape: Shape, row: Row, labels: Mapping[str, str] | None) -> Row:
        full: Row = {}
        for name, value in row.items():
            column = shape.properties.get(name)
            if column is not None and value is not None:
                if labels is not None and (text := _formatted(column, value, labels)) is not None:
                    full[f"{name}@{ANNOTATION_GROUPS['formatted']}"] = text
                if column.type is ColumnType.LOOKUP:
                    self._lookup(full, name, column)
            full[name] = value
        return full

    def _lookup(self, full: Row, name: str, column: Column) -> None:
        target = self.target(column)
        if self.wants(ANNOTATION_GROUPS["lookup"]):
            full[f"{name}@{ANNOTATION_GROUPS['lookup']}"] = target
        if self.wants(ANNOTATION_GROUPS["navigation"]):
            navigation = f"{column.name}_{target}" if len(column.targets) > 1 else column.name
            full[f"{name}@{ANNOTATION_GROUPS['navigation']}"] = navigation


def _formatted(column: Column, value: Any, labels: Mapping[str, str]) -> str | None:
    """Return the text that a form would show, in English; None for types that are shown as they are."""
    if column.type is ColumnType.OPTION:
        return {option.value: option.label for option in column.options}.get(value)
    if column.type is ColumnType.BOOLEAN:
        return "Yes" if value else "No"
    if column.type is ColumnType.LOOKUP:
        return labels.get(value)
    if column.type in {ColumnType.INTEGER, ColumnType.BIGINT}:
        return f"{value:,}"
    if column.type is ColumnType.DATETIME:
        return f"{int(value[5:7])}/{int(value[8:10])}/{value[:4]} {_clock(value)}"
    return None


def _clock(instant: str) -> str:
    hour, minute = int(instant[11:13]), instant[14:16]
    return f"{hour % 12 or 12}:{minute} {'AM' if hour < 12 else 'PM'}"
