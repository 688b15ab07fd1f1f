"""Writing: create, change and delete one row in the transaction of the caller."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from sandbox.finance.books import Books
from sandbox.finance.catalog import NAMESPACE, Catalog
from sandbox.finance.errors import CONCURRENCY_ERROR, VALIDATION_ERROR, FinanceError, write_error
from sandbox.finance.listing import entity_body
from sandbox.finance.references import check_references
from sandbox.finance.request import DataRequest, DataResponse
from sandbox.finance.rows import Row, etag, find_row, key_conditions
from sandbox.finance.values import blanks, is_blank, read_values
from sandbox.odata.wire import dumps, loads
from sandbox.rules.hooks import Caller
from sandbox.schema.model import ColumnType, Table
from sandbox.store import WriteUnit, folded
from sandbox.store.tables import REC_ID
from sandbox.store.types import TEXT_TYPES, instant_text

_SAFE_IN_KEY = "$'()*,:@=!"


def create_row(unit: WriteUnit, catalog: Catalog, table: Table, request: DataRequest) -> DataResponse:
    """`POST Set`: 201 and the whole row.

    Raises:
        FinanceError: A value does not fit, a key field is empty, a parent is missing, or the record
            already exists.
    """
    given = read_values(table, loads(request.body))
    row = blanks(table) | given
    if table.company_column is not None and not row[table.company_column]:
        row[table.company_column] = catalog.company(unit.connection)
    _require_key(table, row, given)
    check_references(unit.connection, catalog, table, row, frozenset(row))
    _refuse_duplicate(unit.connection, catalog, table, row)
    try:
        stored = Books(unit, catalog).insert(table.name, row, Caller.USER)
    except IntegrityError:
        raise _already_exists(table, row) from None
    headers = {"Location": entity_url(request, table, stored), "ETag": etag(stored)}
    return DataResponse(
        201, dumps(entity_body(request, table, stored, tuple(table.columns))), headers, rows=1
    )


def update_row(
    unit: WriteUnit, catalog: Catalog, table: Table, request: DataRequest, key: str
) -> DataResponse:
    """`PATCH Set(key)` and `PUT Set(key)`: 204; only the fields that were sent change [D odata].

    Raises:
        FinanceError: No such row (404), another ETag (412), a key field would change, a value does
            not fit, or a parent is missing.
    """
    row = _matching_row(unit, catalog, table, request, key)
    given = read_values(table, loads(request.body))
    _refuse_new_key(table, row, given)
    changes = {name: value for name, value in given.items() if name not in table.keys[0]}
    check_references(unit.connection, catalog, table, {**row, **changes}, frozenset(changes))
    stored = Books(unit, catalog).update(table.name, row, changes, Caller.USER)
    return DataResponse(204, headers={"ETag": etag(stored)}, rows=1)


def delete_row(
    unit: WriteUnit, catalog: Catalog, table: Table, request: DataRequest, key: str
) -> DataResponse:
    """`DELETE Set(key)`: 204.

    Raises:
        FinanceError: No such row (404), or another ETag (412).
    """
    row = _matching_row(unit, catalog, table, request, key)
    Books(unit, catalog).delete(table.name, row, Caller.USER)
    return DataResponse(204, rows=1)


def entity_url(request: DataRequest, table: Table, row: Row) -> str:
    """The address of a row, its key encoded, slashes too."""
    key = ",".join(f"{name}={_key_literal(table, row, name)}" for name in table.keys[0])
    return f"{request.root}/data/{table.name}({quote(key, _SAFE_IN_KEY)})"


def _key_literal(table: Table, row: Row, name: str) -> str:
    column, value = table.columns[name], str(row[name])
    if column.type is ColumnType.ENUM:
        return f"{NAMESPACE}.{column.enum}'{value}'"
    if column.type not in TEXT_TYPES:
        return value
    text = value.lower() if name == table.company_column else value
    return "'" + text.replace("'", "''") + "'"


def _matching_row(unit: WriteUnit, catalog: Catalog, table: Table, request: DataRequest, key: str) -> Row:
    row = find_row(unit.connection, catalog, table, request, key)
    if row is None:
        raise FinanceError(404, f"No resources were found when selecting for update in '{table.name}'.")
    wanted = request.headers.get("if-match", "*").strip()
    if wanted != "*" and etag(row) not in {tag.strip() for tag in wanted.split(",")}:
        message = "The record has been changed by another user or process since it was read."
        raise FinanceError(412, message, CONCURRENCY_ERROR)
    return row


def _require_key(table: Table, row: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Refuse a row without its key; the company and enums have defaults."""
    empty = [
        name
        for name in table.keys[0]
        if is_blank(table.columns[name], row[name])
        or not (name in given or name == table.company_column or table.columns[name].type is ColumnType.ENUM)
    ]
    if empty:
        lines = "\n".join(f"Error: Field '{name}' must be filled in." for name in empty)
        raise write_error(table.entity_type, lines)


def _refuse_new_key(table: Table, row: Row, given: Mapping[str, Any]) -> None:
    for name in table.keys[0]:
        if name in given and _comparable(given[name]) != _comparable(row[name]):
            raise FinanceError(400, f"Field '{name}' does not allow editing.", VALIDATION_ERROR)


def _comparable(value: object) -> object:
    """A key value so that what was sent and what is kept compare: text without case, instants as kept."""
    if isinstance(value, datetime):
        return instant_text(value).lower()
    return folded(value) if isinstance(value, str) else value


def _refuse_duplicate(connection: sa.Connection, catalog: Catalog, table: Table, row: dict[str, Any]) -> None:
    key = {name: row[name] for name in table.keys[0]}
    query = sa.select(catalog.sql(table).c[REC_ID]).where(*key_conditions(catalog, table, key))
    if connection.execute(query).first() is not None:
        raise _already_exists(table, row)


def _already_exists(table: Table, row: dict[str, Any]) -> FinanceError:
    """The Infolog of a duplicate key, as AX words it [L]."""
    key = ", ".join(f"{name}: {row[name]}" for name in table.keys[0] if name != table.company_column)
    return write_error(
        table.entity_type,
        f"Info: Cannot create a record in {table.label} ({table.name}). {key}.\nThe record already exists.",
    )
