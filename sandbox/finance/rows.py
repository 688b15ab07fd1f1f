"""A row of an entity set: found by its key, rendered, and its ETag."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sandbox.finance.addresses import entity_path, entity_url
from sandbox.finance.catalog import FURTHER_SOURCES, NAMESPACE, PROFILE, Catalog
from sandbox.finance.errors import FinanceError
from sandbox.finance.representation import Metadata, Representation, type_annotation
from sandbox.finance.request import DataRequest
from sandbox.odata.errors import TypeMismatchError
from sandbox.odata.keys import KeyPart, parse_key
from sandbox.odata.literals import Value, kind_of, literal_value
from sandbox.odata.operands import literal_term
from sandbox.odata.scope import Term
from sandbox.schema.model import Column, DateTimeBehavior, Table
from sandbox.store import fold
from sandbox.store.tables import REC_ID, REC_VERSION
from sandbox.store.types import TEXT_TYPES

Row = Mapping[Any, Any]

_PLAIN = Representation()


def etag(row: Row, table: Table) -> str:
    """The ETag of a row: `W/"base64('RecVersion,RecId;0,0')"`, quotes included, a pair a table [L]."""
    further = FURTHER_SOURCES.get(table.name, "")
    token = base64.b64encode(f"'{row[REC_VERSION]},{row[REC_ID]}{further}'".encode()).decode()
    return f'W/"{token}"'


def names_etag(header: str, row: Row, table: Table) -> bool:
    """Whether an If-Match or If-None-Match header names the row's ETag, or any."""
    return header.strip() == "*" or etag(row, table) in {tag.strip() for tag in header.split(",")}


@dataclass(frozen=True, slots=True)
class View:
    """How rows of an entity set are shown to one request.

    Attributes:
        root: Scheme and host for links.
        table: The entity set.
        columns: The properties to show, in order.
        representation: The form of JSON.
        ways: Names of the navigation properties, which full metadata links to.
    """

    root: str
    table: Table
    columns: tuple[str, ...]
    representation: Representation
    ways: tuple[str, ...] = ()

    def render(self, row: Row) -> dict[str, Any]:
        """A row as it goes on the wire, company codes in lower case [L]."""
        if self.representation == _PLAIN:
            rendered = {"@odata.etag": etag(row, self.table)} | {name: row[name] for name in self.columns}
        elif self.representation.metadata is Metadata.FULL:
            rendered = {**self._heading(row), **self._annotated(row), **self._links(row)}
        else:
            own = (
                {}
                if self.representation.metadata is Metadata.NONE
                else {"@odata.etag": etag(row, self.table)}
            )
            rendered = own | {name: self._value(row, name) for name in self.columns}
        company = self.table.company_column
        if company in rendered:
            rendered[company] = rendered[company].lower()
        return rendered

    def _value(self, row: Row, name: str) -> object:
        return self.representation.value(self.table.columns[name], row[name])

    def _heading(self, row: Row) -> dict[str, str]:
        """What full metadata says of a row, in the order that is seen live [L]."""
        path = entity_path(self.table, row)
        return {
            "@odata.type": f"#{NAMESPACE}.{self.table.entity_type}",
            "@odata.id": f"{self.root}/data/{path}",
            "@odata.etag": etag(row, self.table),
            "@odata.editLink": path,
        }

    def _annotated(self, row: Row) -> dict[str, object]:
        properties: dict[str, object] = {}
        for name in self.columns:
            kind = type_annotation(self.table.columns[name])
            if kind is not None:
                properties[f"{name}@odata.type"] = kind
            properties[name] = self._value(row, name)
        return properties

    def _links(self, row: Row) -> dict[str, str]:
        address = entity_url(self.root, self.table, row)
        links: dict[str, str] = {}
        for way in self.ways:
            links[f"{way}@odata.associationLink"] = f"{address}/{way}/$ref"
            links[f"{way}@odata.navigationLink"] = f"{address}/{way}"
        return links


def find_row(
    connection: sa.Connection, catalog: Catalog, table: Table, request: DataRequest, key: str
) -> Row | None:
    """The row that a key predicate names, in the company that the request may reach; None without one.

    Raises:
        FinanceError: The predicate is not the entity's key.
    """
    conditions = key_conditions(catalog, table, read_key(table, key))
    if not request.cross_company:
        conditions += catalog.company_condition(table, catalog.company(connection))
    return connection.execute(sa.select(catalog.sql(table)).where(*conditions)).mappings().first()


def read_key(table: Table, text: str) -> dict[str, Value]:
    """The key values of a predicate, named in any order; all key properties are needed [D odata].

    Raises:
        FinanceError: A key property is missing, another one is named, or a value has the wrong type.
        ODataSyntaxError: The text is no key predicate.
    """
    names = table.keys[0]
    parts = parse_key(text)
    given = {_part_name(part, names): part.literal for part in parts}
    if set(given) != set(names):
        raise FinanceError(
            400,
            f"The number of keys specified in the URI does not match number of key properties for the "
            f"resource '{PROFILE.namespace}.{table.entity_type}': it needs {', '.join(names)}.",
        )
    return {name: _key_value(table.columns[name], given[name]) for name in names}


def key_conditions(catalog: Catalog, table: Table, key: Mapping[str, Value]) -> list[sa.ColumnElement[bool]]:
    """That a row has a key; text compares without case and without wildcards."""
    sql = catalog.sql(table)
    return [_equals(table.columns[name], sql.c[name], value) for name, value in key.items()]


def _equals(column: Column, sql: sa.ColumnElement[Any], value: Value) -> sa.ColumnElement[bool]:
    if column.type in TEXT_TYPES:
        return fold(sql) == fold(value)
    return sql == literal_term(Term(sql, kind_of(column)), value).sql


def _part_name(part: KeyPart, names: tuple[str, ...]) -> str:
    return names[0] if part.name is None and len(names) == 1 else part.name or ""


def _key_value(column: Column, literal: Any) -> Value:
    try:
        value = literal_value(literal, kind_of(column), column)
    except TypeMismatchError as error:
        raise FinanceError(
            400, f"The value of the key property '{column.name}' is not valid: {error}"
        ) from None
    if value is None:
        raise FinanceError(400, f"The key property '{column.name}' must not be null.")
    if isinstance(value, datetime) and column.behavior is DateTimeBehavior.DATE_ONLY:
        return value.replace(hour=12, minute=0, second=0, microsecond=0)  # a day, whatever time it names
    return value
