"""Writing: create, change and delete one row in the transaction of the caller."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from sandbox.finance.addresses import entity_url
from sandbox.finance.body import read_body, takes_text_numbers
from sandbox.finance.books import Books
from sandbox.finance.catalog import READ_ONLY_SETS, Catalog, inner_name
from sandbox.finance.errors import CONCURRENCY_ERROR, VALIDATION_ERROR, FinanceError, write_error
from sandbox.finance.listing import projection
from sandbox.finance.references import check_references
from sandbox.finance.request import DataRequest, DataResponse
from sandbox.finance.rows import Row, etag, find_row, key_conditions, names_etag
from sandbox.finance.values import blanks, is_blank, read_values
from sandbox.odata.wire import dumps
from sandbox.rules.hooks import Caller
from sandbox.schema.model import ColumnType, Table
from sandbox.store import WriteUnit, folded
from sandbox.store.defaults import finance_blank
from sandbox.store.tables import REC_ID
from sandbox.store.types import instant_text


def create_row(unit: WriteUnit, catalog: Catalog, table: Table, request: DataRequest) -> DataResponse:
    """`POST Set`: 201 and the whole row.

    Raises:
        FinanceError: A value does not fit, a key field is empty, a parent is missing, or the record
            already exists.
    """
    _refuse_read_only_set(table)
    given = _given(table, request)
    row = blanks(table) | given
    if table.company_column is not None and not row[table.company_column]:
        row[table.company_column] = catalog.company(unit.connection)
    require_mandatory(table, row, given)
    _refuse_read_only(table, given)
    check_references(unit.connection, catalog, table, row, frozenset(row))
    _refuse_duplicate(unit.connection, catalog, table, row)
    try:
        stored = Books(unit, catalog).insert(table.name, row, Caller.USER)
    except IntegrityError:
        raise already_exists(table, row) from None
    address = entity_url(request.root, table, stored)
    headers = {"Location": address, "ETag": etag(stored, table)}
    if request.preferences.get("return") == "minimal":
        return _no_content({**headers, "OData-EntityId": address, **_applied("minimal")})
    return _representation(unit, catalog, table, request, stored, 201, headers)


def update_row(
    unit: WriteUnit, catalog: Catalog, table: Table, request: DataRequest, key: str
) -> DataResponse:
    """`PATCH Set(key)` and `PUT Set(key)`: 204; only the fields that were sent change [D odata].

    `Prefer: return=representation` gets 200 and the row, as OData has it [?].

    Raises:
        FinanceError: No such row (404), another ETag (412), a key field would change, a value does
            not fit, or a parent is missing.
    """
    row = _matching_row(unit, catalog, table, request, key)
    _refuse_read_only_set(table)
    given = _given(table, request)
    _refuse_new_key(table, row, given)
    _refuse_read_only(table, given)
    refuse_emptied(table, given)
    changes = {name: value for name, value in given.items() if name not in table.keys[0]}
    check_references(unit.connection, catalog, table, {**row, **changes}, frozenset(changes))
    stored = Books(unit, catalog).update(table.name, row, changes, Caller.USER)
    headers = {"ETag": etag(stored, table)}
    if request.preferences.get("return") == "representation":
        return _representation(
            unit, catalog, table, request, stored, 200, headers | _applied("representation")
        )
    return _no_content(headers)


def delete_row(
    unit: WriteUnit, catalog: Catalog, table: Table, request: DataRequest, key: str
) -> DataResponse:
    """`DELETE Set(key)`: 204.

    Raises:
        FinanceError: No such row (404), another ETag (412), or an entity that is read-only.
    """
    row = _matching_row(unit, catalog, table, request, key)
    _refuse_read_only_set(table)
    Books(unit, catalog).delete(table.name, row, Caller.USER)
    return DataResponse(204, rows=1)


def _representation(
    unit: WriteUnit,
    catalog: Catalog,
    table: Table,
    request: DataRequest,
    row: Row,
    status: int,
    headers: Mapping[str, str],
) -> DataResponse:
    """The row that was written, whole or as $select and $expand have it."""
    wanted = projection(catalog, table, request)
    body = wanted.heading(single=True) | wanted.render(unit.connection, catalog, [row])[0]
    return DataResponse(status, dumps(body), headers, request.representation.media_type, rows=1)


def _no_content(headers: Mapping[str, str]) -> DataResponse:
    return DataResponse(204, headers=headers, rows=1)


def _applied(preference: str) -> dict[str, str]:
    return {"Preference-Applied": f"return={preference}"}


def _given(table: Table, request: DataRequest) -> dict[str, Any]:
    """What the body sets, by property name; its type, where it says one, is that of the set."""
    return read_values(table, read_body(request), text_numbers=takes_text_numbers(request))


def _matching_row(unit: WriteUnit, catalog: Catalog, table: Table, request: DataRequest, key: str) -> Row:
    """The row that is to be written; `If-Match` and `If-None-Match` are honoured [?]."""
    row = find_row(unit.connection, catalog, table, request, key)
    if row is None:
        raise FinanceError(404, "No resources were found when selecting for update.")
    wanted, unless = request.headers.get("if-match", "*"), request.headers.get("if-none-match", "")
    if not names_etag(wanted, row, table) or names_etag(unless, row, table):
        message = "The record has been changed by another user or process since it was read."
        raise FinanceError(412, message, CONCURRENCY_ERROR)
    return row


def require_mandatory(table: Table, row: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Refuse a row without its key or a mandatory field; the company and enums have defaults."""
    mandatory = [name for name, column in table.columns.items() if column.required or name in table.keys[0]]
    empty = [
        name
        for name in mandatory
        if is_blank(table.columns[name], row[name])
        or not (name in given or name == table.company_column or table.columns[name].type is ColumnType.ENUM)
    ]
    if empty:
        raise _unfilled(table, empty)


def refuse_emptied(table: Table, given: Mapping[str, Any]) -> None:
    """Refuse an update that empties a mandatory field."""
    empty = [
        name
        for name, value in given.items()
        if table.columns[name].required and name not in table.keys[0] and is_blank(table.columns[name], value)
    ]
    if empty:
        raise _unfilled(table, empty)


def _unfilled(table: Table, names: Sequence[str]) -> FinanceError:
    lines = "\n".join(f"Error: Field '{name}' must be filled in." for name in names)
    return write_error(inner_name(table), lines)


def _refuse_read_only_set(table: Table) -> None:
    if table.name in READ_ONLY_SETS:
        message = f"The entity '{table.label}' is read-only: its rows come from posting."
        raise FinanceError(400, message, VALIDATION_ERROR)


def _refuse_read_only(table: Table, given: Mapping[str, Any]) -> None:
    """Refuse values for fields that only the system writes; what is blank may be sent along."""
    for name, value in given.items():
        column = table.columns[name]
        if column.read_only and value != finance_blank(column):
            raise FinanceError(400, f"Field '{name}' does not allow editing.", VALIDATION_ERROR)


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
        raise already_exists(table, row)


def already_exists(table: Table, row: dict[str, Any]) -> FinanceError:
    """The Infolog of a duplicate key, as AX words it [L]."""
    key = ", ".join(f"{name}: {row[name]}" for name in table.keys[0] if name != table.company_column)
    return write_error(
        inner_name(table),
        f"Info: Cannot create a record in {table.label} ({table.name}). {key}.\nThe record already exists.",
    )
