"""A row of an entity set: found by its key, rendered, and its ETag."""

import base64
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from sandbox.finance.catalog import PROFILE, Catalog
from sandbox.finance.errors import FinanceError
from sandbox.finance.request import DataRequest
from sandbox.odata.errors import TypeMismatchError
from sandbox.odata.keys import KeyPart, parse_key
from sandbox.odata.literals import Value, kind_of, literal_value
from sandbox.odata.operands import literal_term
from sandbox.odata.scope import Term
from sandbox.schema.model import Column, Table
from sandbox.store import fold
from sandbox.store.tables import REC_ID, REC_VERSION
from sandbox.store.types import TEXT_TYPES

Row = Mapping[Any, Any]


def etag(row: Row) -> str:
    """The ETag of a row: `W/"base64('RecVersion,RecId')"`, the quotes inside included [L]."""
    token = base64.b64encode(f"'{row[REC_VERSION]},{row[REC_ID]}'".encode()).decode()
    return f'W/"{token}"'


def render_row(row: Row, table: Table, columns: Iterable[str]) -> dict[str, Any]:
    """A row as it goes on the wire: its ETag, then its properties, company codes in lower case."""
    rendered = {"@odata.etag": etag(row)} | {name: row[name] for name in columns}
    company = table.company_column
    if company in rendered:
        rendered[company] = rendered[company].lower()
    return rendered


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
        return literal_value(literal, kind_of(column), column)
    except TypeMismatchError as error:
        raise FinanceError(
            400, f"The value of the key property '{column.name}' is not valid: {error}"
        ) from None
