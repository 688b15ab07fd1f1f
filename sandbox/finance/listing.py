"""Reading: lists with paging, counts, and single rows."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from sandbox.finance.catalog import PROFILE, Catalog
from sandbox.finance.errors import FinanceError
from sandbox.finance.request import DataRequest, DataResponse
from sandbox.finance.rows import etag, find_row, render_row
from sandbox.odata.errors import UnknownPropertyError
from sandbox.odata.filter import compile_filter
from sandbox.odata.grammar import alias_texts
from sandbox.odata.options import compile_orderby, parse_count, parse_expand, parse_select
from sandbox.odata.scope import Scope, navigation
from sandbox.odata.wire import dumps
from sandbox.schema.model import Table
from sandbox.store.tables import REC_ID, REC_VERSION

PAGE_SIZE = 10_000
_OPTIONS = frozenset({"$filter", "$select", "$orderby", "$top", "$skip", "$count", "$expand", "$format"})


def list_rows(catalog: Catalog, table: Table, request: DataRequest) -> DataResponse:
    """`GET Set`: one page, 10,000 rows or fewer, and a next link where there are more [D odata].

    Raises:
        FinanceError: A query option that is unknown or wrong.
        ODataError: $filter, $orderby, $top or $skip is wrong.
    """
    options = request.options
    _check_options(table, catalog, request)
    columns = selected(table, options.get("$select"))
    top, skip = parse_count(options.get("$top"), "$top"), parse_count(options.get("$skip"), "$skip") or 0
    page = min(page_size(request), PAGE_SIZE if top is None else top)
    sql = catalog.sql(table)
    with catalog.store.read() as connection:
        conditions = _conditions(connection, catalog, table, request)
        query = sa.select(*(sql.c[name] for name in columns), sql.c[REC_VERSION], sql.c[REC_ID])
        query = query.where(*conditions).order_by(*_order(catalog, table, options.get("$orderby")))
        found = connection.execute(query.offset(skip).limit(page + 1)).mappings().all()
        count = _count(connection, sql, conditions) if options.get("$count") == "true" else None
    body: dict[str, Any] = {"@odata.context": context(request, table.name, options.get("$select"))}
    if count is not None:
        body["@odata.count"] = count
    body["value"] = [render_row(row, table, columns) for row in found[:page]]
    if len(found) > page and (top is None or top > page):
        left = {} if top is None else {"$top": str(top - page)}
        body["@odata.nextLink"] = request.link({**options, "$skip": str(skip + page), **left})
    return DataResponse(200, dumps(body), rows=len(body["value"]))


def count_rows(catalog: Catalog, table: Table, request: DataRequest) -> DataResponse:
    """`GET Set/$count`: the number of rows as text.

    Raises:
        ODataError: $filter is wrong.
    """
    with catalog.store.read() as connection:
        conditions = _conditions(connection, catalog, table, request)
        count = _count(connection, catalog.sql(table), conditions)
    return DataResponse(200, str(count).encode(), media_type="text/plain")


def get_row(catalog: Catalog, table: Table, request: DataRequest, key: str) -> DataResponse:
    """`GET Set(key)`: one row, 304 where `If-None-Match` names its ETag.

    Raises:
        FinanceError: There is no such row (404), or the key or $select is wrong (400).
    """
    columns = selected(table, request.options.get("$select"))
    with catalog.store.read() as connection:
        row = find_row(connection, catalog, table, request, key)
    if row is None:
        raise FinanceError(404, f"Resource not found for the segment '{table.name}'.")
    if request.headers.get("if-none-match") == etag(row):
        return DataResponse(304)
    return DataResponse(200, dumps(entity_body(request, table, row, columns)), {"ETag": etag(row)}, rows=1)


def entity_body(request: DataRequest, table: Table, row: Any, columns: Sequence[str]) -> dict[str, Any]:
    """One row with its context."""
    return {"@odata.context": context(request, table.name) + "/$entity"} | render_row(row, table, columns)


def context(request: DataRequest, name: str, select: str | None = None) -> str:
    """The context URL of an answer."""
    columns = "" if select is None else f"({','.join(parse_select(select))})"
    return f"{request.root}/data/$metadata#{name}{columns}"


def selected(table: Table, select: str | None) -> tuple[str, ...]:
    """The columns of $select, all without one or for `*`.

    Raises:
        UnknownPropertyError: A name that the entity does not have.
    """
    names = parse_select(select or "*")
    if "*" in names:
        return tuple(table.columns)
    for name in names:
        if name not in table.columns:
            raise UnknownPropertyError(name, f"{PROFILE.namespace}.{table.entity_type}")
    return names


def page_size(request: DataRequest) -> int:
    """Rows a page: 10,000, or fewer where `Prefer: odata.maxpagesize=N` asks for it [?]."""
    for preference in request.headers.get("prefer", "").split(","):
        name, _, value = preference.strip().partition("=")
        if name.lower() == "odata.maxpagesize" and value.isascii() and value.isdigit() and int(value) > 0:
            return min(int(value), PAGE_SIZE)
    return PAGE_SIZE


def _check_options(table: Table, catalog: Catalog, request: DataRequest) -> None:
    for name in request.options:
        if name.startswith("$") and name not in _OPTIONS:
            raise FinanceError(400, f"The query parameter '{name}' is not supported.")
    for item in parse_expand(request.options.get("$expand", "")):
        navigation(Scope(table, catalog.sql(table)), item.name, PROFILE)


def _conditions(
    connection: sa.Connection, catalog: Catalog, table: Table, request: DataRequest
) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if not request.cross_company:
        conditions += catalog.company_condition(table, catalog.company(connection))
    text = request.options.get("$filter")
    if text:
        scope = Scope(table, catalog.sql(table))
        conditions.append(compile_filter(text, scope, PROFILE, alias_texts(request.options)))
    return conditions


def _order(catalog: Catalog, table: Table, orderby: str | None) -> list[sa.ColumnElement[Any]]:
    """The order that was asked for, then the record id, so that pages neither overlap nor leave out."""
    sql = catalog.sql(table)
    return [*compile_orderby(orderby or "", Scope(table, sql), PROFILE), sql.c[REC_ID]]


def _count(connection: sa.Connection, sql: sa.Table, conditions: Sequence[sa.ColumnElement[bool]]) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(sql).where(*conditions)).scalar_one()
